//! Numbers as the page writes them.

/// Writes a fraction in percent.
pub(super) fn percent(fraction: f64) -> String {
    format!("{:.2} %", fraction * 100.0)
}

/// Writes the change from one fraction to another, in percentage points with a sign.
pub(super) fn change(from: f64, to: f64) -> String {
    let points = (to - from) * 100.0;
    // What rounds to nothing has no sign.
    if points.abs() < 0.005 {
        return "±0.00".to_owned();
    }
    format!("{points:+.2}").replace('-', "−")
}

/// Returns the part of a whole, or 0 if there is no whole.
#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// Returns a number of hashes as a fraction of the hash space.
#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(super) fn of_hashes(hashes: u128) -> f64 {
    hashes as f64 / (1_u128 << 64) as f64
}

/// Returns the number in words: "1 shard", "2 shards".
pub(super) fn counted(number: u64, one: &str) -> String {
    let number_text = crate::cli::text::grouped(number);
    let ending = if number == 1 { "" } else { "s" };
    format!("{number_text} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(percent(0.25), "25.00 %");
        assert_eq!(percent(of_hashes(1 << 63)), "50.00 %");
        assert_eq!(change(0.25, 0.125), "−12.50");
        assert_eq!(change(0.125, 0.25), "+12.50");
        assert_eq!(change(0.25, 0.249_99), "±0.00");
        assert_eq!((ratio(1, 4), ratio(0, 0)), (0.25, 0.0));
        assert_eq!(counted(1, "shard"), "1 shard");
        assert_eq!(counted(1_500, "arc"), "1,500 arcs");
    }
}
