//! The small pictures in the tables: bars, and the slices of the hash space.

use std::fmt::Write;

use maud::{Markup, html};

/// The height of a row of slices, in units of its picture.
const HEIGHT: f64 = 20.0;

/// Returns the hatchings that the pictures of a page use, in a picture of their own that takes no room.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern id="mixed" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.paper width="4" height="4" {}
                    rect.ink width="1.5" height="4" {}
                }
                pattern id="hatched" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.paper width="5" height="5" {}
                    rect.ink width="2" height="5" {}
                }
                pattern id="dotted" width="5" height="5" patternUnits="userSpaceOnUse" {
                    rect.paper width="5" height="5" {}
                    circle.ink cx="2.5" cy="2.5" r="1.2" {}
                }
            }
        }
    }
}

/// Draws a bar that is filled up to a part from 0 to 1. `says` is what it says in words.
pub(super) fn bar(part: f64, says: &str) -> Markup {
    html! {
        svg.bar role="img" height="12" {
            title { (says) }
            rect.track width="100%" height="12" {}
            rect.fill width=(length(part)) height="12" {}
        }
    }
}

/// Returns a part as a length in percent.
pub(super) fn length(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// Draws a row of slices, each filled up to its part of `full`. `goal` is drawn as a line over it.
pub(super) fn slices(now: &[f64], goal: Option<&[f64]>, full: f64, says: &str) -> Markup {
    let width = now.len().max(goal.map_or(0, <[f64]>::len));
    html! {
        svg.slices role="img" viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" {
            title { (says) }
            rect.track width=(width) height=(HEIGHT) {}
            @if !now.is_empty() {
                path.fill d={ "M0 " (HEIGHT) (skyline(now, full)) "V" (HEIGHT) "Z" } {}
            }
            @if let Some(goal) = goal {
                path.goal vector-effect="non-scaling-stroke" d={ "M0 " (HEIGHT) (skyline(goal, full)) "V" (HEIGHT) } {}
            }
        }
    }
}

/// Returns the steps of a path along the tops of the slices. Equal neighbours are one step.
fn skyline(slices: &[f64], full: f64) -> String {
    let mut path = String::new();
    let full = if full > 0.0 { full } else { 1.0 };
    let tops = slices
        .iter()
        .map(|part| format!("{:.1}", HEIGHT - HEIGHT * part / full));
    let tops: Vec<_> = tops.collect();
    for run in tops.chunk_by(PartialEq::eq) {
        // Writing to a string can't fail.
        let _ = write!(path, "V{}h{}", run[0], run.len());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skyline_has_a_step_for_each_change() {
        assert_eq!(
            skyline(&[0.0, 0.0, 0.25, 0.5, 0.5], 0.5),
            "V20.0h2V10.0h1V0.0h2"
        );
        assert_eq!(skyline(&[0.0], 0.0), "V20.0h1");
        assert_eq!(skyline(&[], 1.0), "");
    }

    #[test]
    fn bars_and_slices_say_what_they_show() {
        let bar = bar(0.125, "a <b>").into_string();
        assert!(bar.contains(r#"width="12.50%""#), "{bar}");
        assert!(bar.contains("<title>a &lt;b&gt;</title>"), "{bar}");
        let row = slices(&[1.0, 0.0], Some(&[0.5, 0.5]), 1.0, "x").into_string();
        assert!(row.contains(r#"viewBox="0 0 2 20""#), "{row}");
        assert!(row.contains(r#"d="M0 20V0.0h1V20.0h1V20Z""#), "{row}");
        assert!(row.contains(r#"d="M0 20V10.0h2V20""#), "{row}");
    }
}
