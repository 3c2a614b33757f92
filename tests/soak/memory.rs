//! A check that the process doesn't grow: compares the resident memory after the warm-up with the greatest and the last value after it.

use super::watch::{Watch, pace};

/// Colonies come and go, and take up to some hundred megabytes with them.
const ALLOWANCE: u64 = 512 << 20;

/// Returns the resident memory in bytes, or `None` if the system has no such file.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

pub(crate) fn soak(watch: &Watch) -> String {
    let _alarm = watch.alarm();
    let Some(begin) = resident() else {
        return "memory: this system doesn't say how much is used".to_owned();
    };
    let (mut warm, mut most, mut last) = (begin, begin, begin);
    while !watch.is_over() {
        let Some(now) = resident() else { break };
        last = now;
        if watch.is_warm() {
            most = most.max(now);
        } else {
            warm = warm.max(now);
            most = warm;
        }
        assert!(
            most <= warm + ALLOWANCE,
            "memory grew from {warm} to {most} bytes"
        );
        (0..20).for_each(|_| pace());
    }
    let megabytes = |bytes: u64| bytes >> 20;
    format!(
        "memory: {} MiB at the start, at most {} after the warm-up's {}, {} at the end",
        megabytes(begin),
        megabytes(most),
        megabytes(warm),
        megabytes(last),
    )
}
