//! The progress bars.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Creates the progress bar of documents whose number isn't known.
pub(super) fn documents_progress() -> ProgressBar {
    let template = "{elapsed_precise} {spinner} {human_pos} documents, {per_sec}";
    styled(None, template)
}

/// Creates the progress bar of a replay.
pub(super) fn replay_progress() -> ProgressBar {
    let template = "{elapsed_precise} {wide_bar} {bytes}/{total_bytes} of the log";
    styled(Some(0), template)
}

/// Creates the progress bar of documents that move. Their number is an estimate.
pub(super) fn moves_progress() -> ProgressBar {
    let template = "{elapsed_precise} {wide_bar} {human_pos} of about {human_len} moved, {msg}";
    styled(Some(0), template)
}

/// Creates a progress bar. It appears on standard error, and only on a terminal.
pub(super) fn styled(length: Option<u64>, template: &str) -> ProgressBar {
    let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
