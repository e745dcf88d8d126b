//! What each wave removes from the standing risk, as bars for a terminal and as a drawing.

use super::super::text::{plural, thousands};
use super::super::{Emitter, ReportError};
use crate::model::{Report, Summary, WaveRisk};
use std::fmt::Write as _;
use std::io::Write;

/// Waves drawn one by one; the rest is drawn as one.
const MOST_WAVES: usize = 20;
/// Columns of the longest bar.
const BAR: u32 = 40;

/// Standing risk today, after each wave, and what is left.
pub struct Point {
    /// `today`, `wave 1`, `waves 21–34`.
    pub label: String,
    /// Standing risk.
    pub left: u32,
    /// What the step removed.
    pub removed: u32,
    /// Items of the step.
    pub items: u32,
}

/// The points of the curve.
pub fn points(summary: &Summary) -> Vec<Point> {
    let mut points = vec![Point {
        label: "today".to_owned(),
        left: summary.standing_risk,
        removed: 0,
        items: 0,
    }];
    let waves = &summary.risk_by_wave;
    let shown = if waves.len() > MOST_WAVES {
        MOST_WAVES - 1
    } else {
        waves.len()
    };
    points.extend(waves.iter().take(shown).map(|wave| Point {
        label: format!("wave {}", wave.wave),
        left: wave.left,
        removed: wave.removed,
        items: wave.items,
    }));
    let rest: Vec<&WaveRisk> = waves.iter().skip(shown).collect();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        points.push(Point {
            label: format!("waves {}–{}", first.wave, last.wave),
            left: last.left,
            removed: rest.iter().map(|wave| wave.removed).sum(),
            items: rest.iter().map(|wave| wave.items).sum(),
        });
    }
    points
}

/// The curve as lines of a terminal; empty without a plan.
pub fn bars(summary: &Summary) -> Vec<String> {
    if summary.risk_by_wave.is_empty() {
        return Vec::new();
    }
    let points = points(summary);
    let most = summary.standing_risk.max(1);
    let label = points
        .iter()
        .map(|point| point.label.chars().count())
        .max()
        .unwrap_or(0);
    let number = thousands(most.into()).chars().count();
    points
        .iter()
        .map(|point| {
            let length = (u64::from(point.left) * u64::from(BAR) / u64::from(most)) as usize;
            let share = u64::from(point.left) * 100 / u64::from(most);
            let removed = match point.removed {
                0 => String::new(),
                removed => format!(
                    "  −{} by {}",
                    thousands(removed.into()),
                    plural(point.items.into(), "item", "items")
                ),
            };
            format!(
                "{:<label$}  {:>number$}  {:<width$}  {share:>3} %{removed}",
                point.label,
                thousands(point.left.into()),
                "█".repeat(length),
                width = BAR as usize,
            )
        })
        .collect()
}

/// Writes the curve as SVG.
pub(in super::super) struct Curve;

impl Emitter for Curve {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        out.write_all(svg(&report.summary, &report.run.policy_digest).as_bytes())?;
        Ok(out.flush()?)
    }
}

const WIDTH: u32 = 720;
const HEIGHT: u32 = 320;
const LEFT: u32 = 64;
const TOP: u32 = 40;
const RIGHT: u32 = 16;
const BOTTOM: u32 = 48;

/// A digest as it may stand in XML.
fn plain(digest: &str) -> String {
    digest
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || ":-_.".contains(*c))
        .collect()
}

/// The drawing: steps from today down to what is left after the last wave.
pub fn svg(summary: &Summary, policy: &str) -> String {
    let points = points(summary);
    let most = summary.standing_risk.max(1);
    let (inner_width, inner_height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let count = u32::try_from(points.len()).unwrap_or(1).max(1);
    let step = f64::from(inner_width) / f64::from(count);
    let x = |index: u32| f64::from(LEFT) + step * f64::from(index);
    let y = |left: u32| {
        f64::from(TOP) + f64::from(inner_height) * (1.0 - f64::from(left) / f64::from(most))
    };
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Standing risk by wave</title>\n\
         <desc>Judged by policy {}</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\" fill=\"#1f2937\">Standing risk: {} today, {} after the plan</text>\n",
        plain(policy),
        thousands(summary.standing_risk.into()),
        thousands(
            summary
                .risk_by_wave
                .last()
                .map_or(summary.standing_risk, |wave| wave.left)
                .into()
        ),
    );
    for part in 0..=4u32 {
        let value = most * part / 4;
        let at = y(value);
        let _ = write!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#e5e7eb\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#6b7280\">{}</text>\n",
            WIDTH - RIGHT,
            LEFT - 8,
            at + 4.0,
            thousands(value.into()),
        );
    }
    let mut path = String::new();
    for (index, point) in (0u32..).zip(&points) {
        let (from, to, at) = (x(index), x(index + 1), y(point.left));
        let verb = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{verb}{from:.1} {at:.1} L{to:.1} {at:.1} ");
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#374151\">{}</text>",
            f64::midpoint(from, to),
            HEIGHT - BOTTOM + 18,
            short(&point.label),
        );
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#1f2937\">{}</text>",
            f64::midpoint(from, to),
            at - 6.0,
            thousands(point.left.into()),
        );
    }
    let base = f64::from(HEIGHT - BOTTOM);
    let _ = write!(
        out,
        "<path d=\"{path}L{:.1} {base:.1} L{LEFT} {base:.1} Z\" fill=\"#bfdbfe\" fill-opacity=\"0.5\"/>\n\
         <path d=\"{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"2\"/>\n</svg>\n",
        x(count),
        path.trim_end(),
    );
    out
}

fn short(label: &str) -> String {
    label
        .strip_prefix("waves ")
        .or_else(|| label.strip_prefix("wave "))
        .unwrap_or(label)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(waves: u32) -> Summary {
        Summary {
            standing_risk: 1000,
            risk_by_wave: (1..=waves)
                .map(|wave| WaveRisk {
                    wave,
                    items: 2,
                    removed: 800 / waves,
                    left: 1000 - wave * (800 / waves),
                    effort: 4,
                })
                .collect(),
            ..Summary::default()
        }
    }

    #[test]
    fn the_curve_goes_down_by_what_each_wave_removes() {
        insta::assert_snapshot!(bars(&summary(2)).join("\n"), @"
        today   1,000  ████████████████████████████████████████  100 %
        wave 1    600  ████████████████████████                   60 %  −400 by 2 items
        wave 2    200  ████████                                   20 %  −400 by 2 items
        ");
        assert_eq!(bars(&summary(0)), Vec::<String>::new());
        let many = points(&summary(40));
        assert_eq!(many.len(), MOST_WAVES + 1);
        assert_eq!(many.last().unwrap().left, 200);
        assert_eq!(many.iter().map(|point| point.removed).sum::<u32>(), 800);
    }

    #[test]
    fn the_drawing_is_whole_and_has_every_point() {
        for waves in [0, 1, 3, 40] {
            let drawn = svg(&summary(waves), "b3:1");
            assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
            assert_eq!(drawn.matches('<').count(), drawn.matches('>').count());
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
        }
        assert!(svg(&summary(2), "b3:<1>").contains(">600<"));
        assert!(svg(&summary(2), "b3:<1>").contains("policy b3:1<"));
    }
}
