//! What the ticks of a model colony write.

use std::collections::BTreeMap;

use crate::testing::random::Random;

/// Keys and values.
pub(super) type State = BTreeMap<u8, u64>;

/// One tick: its writes, and the indices of those that the shard refuses.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) writes: Vec<(u8, u64)>,
    pub(super) refused: Vec<usize>,
}

impl Script {
    pub(super) fn apply(&self, state: &mut State, refused: &[usize]) {
        for (index, (key, value)) in self.writes.iter().enumerate() {
            if !refused.contains(&index) {
                state.insert(*key, *value);
            }
        }
    }
}

/// Makes a tick up.
pub(super) fn script(random: &mut Random) -> Script {
    let mut script = Script::default();
    for index in 0..random.below(4) + 1 {
        let key = random.next().to_le_bytes()[0] % 20;
        script.writes.push((key, random.next()));
        if random.percent(20) {
            script.refused.push(index);
        }
    }
    script
}
