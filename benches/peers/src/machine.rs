//! The machine, the compared versions and the date of a run.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The compared packages. Their versions are in the lock file.
const PACKAGES: [&str; 6] = [
    "hashring",
    "phago-distributed",
    "pingora-ketama",
    "tantivy",
    "tokio",
    "xxhash-rust",
];

pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown processor".to_owned());
    let versions = PACKAGES
        .map(|name| format!("{name} {}", version(name)))
        .join(", ");
    format!(
        "{}, {cores} cores ({model}), {}; {versions}; tickring at {}.",
        date(),
        output("rustc", &["--version"]),
        output(
            "git",
            &[
                "-C",
                env!("CARGO_MANIFEST_DIR"),
                "rev-parse",
                "--short",
                "HEAD"
            ]
        ),
    )
}

fn version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    include_str!("../Cargo.lock")
        .split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == name))
        .and_then(|entry| {
            entry
                .lines()
                .find_map(|line| line.strip_prefix("version = "))
        })
        .map_or("?", |version| version.trim_matches('"'))
}

fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map_or_else(
            || format!("unknown {program}"),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
}

/// Returns today's date, computed by Howard Hinnant's `civil_from_days`.
fn date() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}
