//! How many of its transfers a shard is given in a tick, after it has died of some.

/// By how much fewer transfers a shard is given after it has died of some.
const FEWER: usize = 32;

/// A shard gets all at once, as long as it lives. A life that died of that is followed by one that gets few, and more and more as it bears them. So what is
/// too much at once comes in parts, and what is deadly by itself is found. What a life has borne, the next one gets in pieces of that size.
#[derive(Debug, Clone, Copy)]
pub(in crate::colony) struct Pace {
    /// How many of the first transfers a life has applied, and the most that one has applied at once.
    known: usize,
    borne: usize,
    /// How many of the others are given at once, and the bound that this grows to.
    piece: usize,
    most: usize,
    deaths: u32,
}

impl Pace {
    pub(in crate::colony) const fn new() -> Self {
        Self {
            known: 0,
            borne: 1,
            piece: usize::MAX,
            most: usize::MAX,
            deaths: 0,
        }
    }

    /// Returns how many a life gets next that has applied the first ones.
    pub(in crate::colony) fn next(self, applied: usize) -> usize {
        match self.known.saturating_sub(applied) {
            0 => self.piece,
            known => known.min(self.borne),
        }
    }

    /// A life has applied some more.
    pub(in crate::colony) fn finished(&mut self, applied: usize, given: usize) {
        if applied >= self.known {
            self.piece = self.piece.saturating_mul(2).min(self.most);
        }
        self.known = self.known.max(applied + given);
        self.borne = self.borne.max(given);
    }

    /// A life has died of some. Returns whether it was only one, and others have died before.
    pub(in crate::colony) fn died(&mut self, applied: usize, given: usize) -> bool {
        self.deaths += 1;
        if applied < self.known {
            // What was borne once isn't any more.
            self.borne = (given / 2).max(1);
        }
        self.known = self.known.min(applied);
        self.most = (given / 2).max(1);
        self.piece = (given / FEWER).max(1);
        given == 1 && self.deaths > 2
    }

    /// The one of which shards died isn't among the transfers any more.
    pub(in crate::colony) const fn is_rid(&mut self) {
        self.most = usize::MAX;
        self.piece = self.borne;
    }

    /// Returns how many a shard has borne at once, if one has died of more.
    pub(in crate::colony) fn bearable(self) -> Option<usize> {
        (self.deaths > 0).then_some(self.borne)
    }
}
