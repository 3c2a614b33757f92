//! A worker's share of the inputs, sorted into hash partitions.

use ahash::RandomState;

use super::partition::{Merge, hash_of, partition_of};

/// The terms that one worker has read, in one chunk per partition.
///
/// Texts are copied. Right after hashing a text is in the cache, so the copy is cheap, and the merge then reads the copies in sequence.
/// References would make the merge fetch every text from the inputs again.
#[derive(Debug)]
pub(super) struct Spread<'a> {
    hasher: &'a RandomState,
    chunks: Vec<Chunk>,
}

/// Terms of one partition, not yet added up.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    text: String,
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    hash: u64,
    frequency: u64,
    /// The length of the text in bytes.
    len: usize,
}

impl<'a> Spread<'a> {
    pub(super) fn new(hasher: &'a RandomState, partitions: usize) -> Self {
        let chunks = (0..partitions).map(|_| Chunk::default()).collect();
        Self { hasher, chunks }
    }

    pub(super) fn push(&mut self, term: &str, frequency: u64) {
        let hash = hash_of(self.hasher, term);
        let partition = partition_of(hash, self.chunks.len());
        if let Some(chunk) = self.chunks.get_mut(partition) {
            chunk.text.push_str(term);
            chunk.records.push(Record {
                hash,
                frequency,
                len: term.len(),
            });
        }
    }

    pub(super) fn gather(self) -> Gathered {
        Gathered(self.chunks.into_iter().map(|chunk| vec![chunk]).collect())
    }
}

/// The chunks of several workers, by partition.
#[derive(Debug, Default)]
pub(super) struct Gathered(Vec<Vec<Chunk>>);

impl Gathered {
    /// Joins the two without copying a chunk.
    pub(super) fn append(mut self, mut other: Self) -> Self {
        if self.0.is_empty() {
            return other;
        }
        for (mine, theirs) in self.0.iter_mut().zip(&mut other.0) {
            mine.append(theirs);
        }
        self
    }

    /// Returns the chunks of each partition.
    pub(super) fn into_partitions(self) -> Vec<Vec<Chunk>> {
        self.0
    }
}

/// Adds up the chunks of one partition.
pub(super) fn merge(chunks: Vec<Chunk>) -> Merge {
    // The number of distinct terms is unknown. The table stores its hashes, so growing it is cheap.
    let mut merge = Merge::default();
    for chunk in chunks {
        let mut rest = chunk.text.as_str();
        for record in &chunk.records {
            // Texts and records were pushed together, so the text never ends early.
            let Some((term, after)) = rest.split_at_checked(record.len) else {
                break;
            };
            rest = after;
            merge.add(record.hash, term, record.frequency);
        }
    }
    merge
}
