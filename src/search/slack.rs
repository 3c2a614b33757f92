//! Bounds from stored block maxima, and the check whether a bound reaches a threshold.
//!
//! For each full block of 128 postings, tantivy stores the frequency and the length of one document: the one with the greatest
//! `f(tf, len, s) = tf / (tf + K(len, s))`, where `K(len, a) = k1 (1 - b + b len / a)` and `s` is the average length in the segment. Scores are
//! computed with the average `g` over all shards, for which another document of the block may have the greatest value.
//!
//! `K(len, s) / K(len, g)` lies between 1 and `g / s`, in either order. So `f(x, g)` and `f(x, s)` differ by at most that factor, always in
//! the same direction. Let `x` be any document of the block and `p` the stored one.
//! - If `g ≥ s`: `f(x, g) ≤ g/s f(x, s) ≤ g/s f(p, s) ≤ g/s f(p, g)`.
//! - If `g < s`: `f(x, g) ≤ f(x, s) ≤ f(p, s) ≤ s/g f(p, g)`.
//!
//! So the score of `p` times the greater of `g/s` and `s/g` bounds every score in the block, apart from rounding. In 32 bits, rounding
//! changes `f` by at most 8 parts in 2^24 (5 roundings for `K`, one each for the frequency, the sum and the quotient), and a score by one
//! more. The score of `p` is read for another weight and converted in 64 bits, which is one rounding in 32 bits as well. The two scores and the
//! two `f` by which `p` was chosen add up to 34 such parts; [`ROUNDING`] allows 64. If a result is subnormal, its rounding error is absolute.
//! For that, [`SUBNORMAL`] is added to either score. The stored frequency is never too low.
//!
//! A score is at most the weight itself, because `f` is at most 1, also after rounding. That is the bound for everything without a block
//! maximum: shorter blocks, and phrases.
//!
//! The bounds are those of Ding and Suel ("Faster Top-k Document Retrieval Using Block-Max Indexes", 2011), extended to statistics that
//! aren't the segment's own.

/// One part in 2^18.
const ROUNDING: f64 = 1.0 + 1.0 / 262_144.0;
/// The least positive number of 32 bits.
const SUBNORMAL: f64 = f32::from_bits(1) as f64;
/// One part in 2^42. Sums of 512 addends in 64 bits, in two different orders, differ by less than one part in 2^43.
const SUMMING: f64 = 1.0 + 1.0 / 4_398_046_511_104.0;

/// Returns the factor for a block's stored score, from the average lengths in the segment and over all shards. Infinite if there is no
/// finite bound.
pub(super) fn factor(segment: f32, global: f32) -> f64 {
    let (segment, global) = (f64::from(segment), f64::from(global));
    let factor = (segment / global).max(global / segment) * ROUNDING;
    if factor.is_finite() && segment > 0.0 && global > 0.0 {
        factor
    } else {
        f64::INFINITY
    }
}

/// Returns the bound of a block, from the score of its stored document and the factor.
pub(super) fn of_block(stored: f64, factor: f64) -> f64 {
    if stored.is_nan() {
        return f64::INFINITY;
    }
    (stored.max(0.0) + SUBNORMAL) * factor + SUBNORMAL
}

/// Returns the bound of a weight, from its greatest score.
pub(super) fn of_weight(greatest: f32) -> f64 {
    if greatest.is_nan() {
        f64::INFINITY
    } else {
        f64::from(greatest).max(0.0)
    }
}

/// Whether a document can have a score of at least `threshold` if the sum of its leaves' scores is at most `bound`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "scores are rounded in the same way, which keeps their order"
)]
pub(super) fn reaches(bound: f64, threshold: f32) -> bool {
    let below = ((bound * SUMMING) as f32) < threshold;
    !below
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tantivy::fieldnorm::FieldNormReader;
    use tantivy::query::Bm25Weight;

    use super::*;

    /// The frequency as it is stored: from 255 on the greatest that there is.
    fn stored(frequency: u32) -> u32 {
        if frequency < 255 { frequency } else { u32::MAX }
    }

    fn average() -> impl Strategy<Value = f32> {
        prop_oneof![0.01_f32..2.0, 1.0_f32..100.0, 100.0_f32..1e6]
    }

    fn frequency() -> impl Strategy<Value = u32> {
        prop_oneof![8 => 1..10_u32, 2 => 1..1_000_u32, 1 => 1..u32::MAX]
    }

    fn weight() -> impl Strategy<Value = (u64, f32)> {
        (
            1..1_000_u64,
            prop_oneof![8 => 0.1_f32..10.0, 1 => 1e-42_f32..1e-36, 1 => 1e6_f32..1e9],
        )
    }

    proptest! {
        /// As tantivy chooses the document, in 32 bits, and as we score, in 32 bits.
        #[test]
        fn no_score_is_above_its_block_s_bound(
            block in vec((frequency(), any::<u8>()), 1..128),
            segment in average(),
            global in average(),
            near in any::<bool>(),
            (df, boost) in weight(),
        ) {
            let global = if near { segment * (1.0 + global / 1e7) } else { global };
            let at_indexing = Bm25Weight::for_one_term_without_explain(df, 1_000, segment);
            let reading = Bm25Weight::for_one_term_without_explain(0, 1, global);
            let (weight, tf) = (at_indexing.score(0, u32::MAX), |&(tf, len): &(u32, u8)| at_indexing.score(len, tf));
            prop_assert!(weight > 0.0);
            let best = block.iter().max_by(|a, b| tf(a).total_cmp(&tf(b))).unwrap();
            let ours = Bm25Weight::for_one_term_without_explain(df, 1_000, global).boost_by(boost);
            let reading = f64::from(reading.score(best.1, stored(best.0))) / f64::from(reading.score(0, u32::MAX));
            let bound = of_block(reading * f64::from(ours.score(0, u32::MAX)), factor(segment, global));
            let greatest = of_weight(ours.score(0, u32::MAX));
            for &(tf, len) in &block {
                let score = f64::from(ours.score(len, tf));
                prop_assert!(score <= bound, "{score} above {bound}: {tf} in {}", FieldNormReader::id_to_fieldnorm(len));
                prop_assert!(score <= greatest);
            }
        }

        #[test]
        fn what_reaches_a_score_is_never_said_not_to(
            scores in vec(prop_oneof![0.0_f32..30.0, 1e-40_f32..1e-30, 1e20_f32..1e30], 1..20),
            turn in any::<prop::sample::Index>(),
        ) {
            let sum = |scores: &[f32]| scores.iter().fold(0.0, |sum, &score| sum + f64::from(score));
            let mut turned = scores.clone();
            turned.rotate_left(turn.index(scores.len()));
            #[expect(clippy::cast_possible_truncation, reason = "as scores are rounded")]
            let score = sum(&scores) as f32;
            prop_assert!(reaches(sum(&turned), score));
            prop_assert!(!reaches(sum(&turned), (score * 1.000_001).next_up()));
        }
    }

    #[test]
    fn where_nothing_can_be_said_everything_reaches() {
        for (segment, global) in [
            (0.0, 1.0),
            (1.0, 0.0),
            (f32::NAN, 1.0),
            (1.0, f32::INFINITY),
            (0.0, 0.0),
        ] {
            assert_eq!(factor(segment, global), f64::INFINITY, "{segment} {global}");
        }
        for bound in [
            of_block(0.0, f64::INFINITY),
            of_block(f64::NAN, 1.0),
            of_weight(f32::NAN),
        ] {
            assert!(reaches(bound, f32::MAX), "{bound}");
        }
        assert!(reaches(f64::NAN, 1.0));
        assert!(!reaches(0.5, 1.0));
        assert!(reaches(1.0, 1.0), "the id decides between equals");
    }

    #[test]
    fn averages_that_differ_widen_the_bound_in_both_directions() {
        for (segment, global) in [(10.0, 20.0), (20.0, 10.0)] {
            let factor = factor(segment, global);
            assert!((2.0..2.001).contains(&factor), "{factor}");
        }
    }
}
