//! Windowed against whole-text matching on real files.
//!
//! ```console
//! OVERSTAY_TREE=FOLDER cargo test --release --lib -- --ignored --nocapture on_a_tree
//! ```
//!
//! `OVERSTAY_TREE_MIB` (64) says how much of the folder is read. Only rules, paths and places are printed.

use super::engine::Engine;
use super::tests::is_futile;
use super::text;
use crate::rules::credentials::{CredentialRules, Rule, compile, template};
use memchr::memmem;
use rayon::prelude::*;
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is compared, in bytes.
const LARGEST: u64 = 4 << 20;

/// A rule as it would be without windows.
struct Whole {
    rule: Arc<Rule>,
    id: String,
    pattern: Regex,
    literals: Vec<Vec<u8>>,
    ignore_case: bool,
    also: Vec<String>,
    /// Every match holds a literal, as far as the rule's examples tell.
    within: bool,
}

impl Whole {
    fn holds(&self, part: &[u8], lower: &[u8]) -> bool {
        let part = if self.ignore_case { lower } else { part };
        let mut literals = self.literals.iter();
        literals.any(|literal| memmem::find(part, literal).is_some())
    }
}

/// How the two differ for one rule.
#[derive(Default)]
struct Difference {
    /// Matches of the whole text that hold a literal and can be told of, and that no window has: the window is too small.
    missed: Vec<String>,
    /// Matches in a window that the whole text does not have: it has another one across the window's edge.
    other: Vec<String>,
    /// Matches of the whole text without a literal: what makes them the rule's is what stands near.
    apart: usize,
    same: usize,
}

fn files(root: &Path, most: u64) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut bytes = 0;
    let all = walkdir::WalkDir::new(root).sort_by_file_name();
    for entry in all.into_iter().filter_map(Result::ok) {
        let Ok(data) = entry.metadata() else { continue };
        if data.is_file() && data.len() <= LARGEST && bytes + data.len() <= most {
            bytes += data.len();
            out.push(entry.into_path());
        }
    }
    out
}

#[test]
#[ignore = "needs a folder of real files"]
#[expect(
    clippy::disallowed_methods,
    reason = "a test run by hand is told its input by the environment"
)]
fn windowed_and_whole_text_matching_on_a_tree() {
    let Some(root) = std::env::var_os("OVERSTAY_TREE").map(PathBuf::from) else {
        return;
    };
    let most = std::env::var("OVERSTAY_TREE_MIB").map_or(64, |text| text.parse().unwrap());
    let rules = CredentialRules::builtin().unwrap();
    let engine = Engine::new(&rules).unwrap();
    let whole: Vec<Whole> = rules
        .rules()
        .iter()
        .filter(|rule| rule.assignment.is_none() && !rule.whole)
        .map(|rule| {
            let mut one = Whole {
                rule: Arc::clone(rule),
                id: rule.id.clone(),
                pattern: compile(&rule.pattern).unwrap(),
                literals: rule
                    .literals
                    .iter()
                    .map(|literal| {
                        if rule.ignore_case {
                            literal.to_ascii_lowercase().into_bytes()
                        } else {
                            literal.clone().into_bytes()
                        }
                    })
                    .collect(),
                ignore_case: rule.ignore_case,
                also: rule.also.clone(),
                within: false,
            };
            one.within = rule.examples.iter().all(|example| {
                let text = template::expand(&rule.id, example).unwrap();
                one.pattern.find_iter(text.as_bytes()).any(|found| {
                    one.holds(found.as_bytes(), &found.as_bytes().to_ascii_lowercase())
                })
            });
            one
        })
        .collect();
    let files = files(&root, most << 20);
    let differences = files
        .par_iter()
        .map(|path| compared(path, &root, &engine, &whole))
        .reduce(BTreeMap::new, joined);
    let (mut faults, mut same) = (0, 0);
    for (rule, difference) in &differences {
        faults += difference.missed.len() + difference.other.len();
        same += difference.same;
        let differs = difference.missed.len() + difference.other.len() + difference.apart;
        if differs == 0 {
            continue;
        }
        println!(
            "{rule}: same {}, missed {}, other {}, without a literal {}",
            difference.same,
            difference.missed.len(),
            difference.other.len(),
            difference.apart
        );
        for place in difference.missed.iter().take(5) {
            println!("    missed {place}");
        }
        for place in difference.other.iter().take(5) {
            println!("    other  {place}");
        }
    }
    println!("{} files, {same} matches are the same", files.len());
    assert_eq!(faults, 0, "windows that are too small for their patterns");
}

type Differences = BTreeMap<String, Difference>;

fn joined(mut one: Differences, other: Differences) -> Differences {
    for (rule, more) in other {
        let into = one.entry(rule).or_default();
        into.missed.extend(more.missed);
        into.other.extend(more.other);
        into.apart += more.apart;
        into.same += more.same;
    }
    one
}

fn compared(path: &Path, root: &Path, engine: &Engine, whole: &[Whole]) -> Differences {
    let mut out = Differences::new();
    let Ok(bytes) = std::fs::read(path) else {
        return out;
    };
    let text = text::read(&bytes);
    if text.binary {
        return out;
    }
    let name = path.strip_prefix(root).unwrap_or(path).display();
    let lower = text.bytes.to_ascii_lowercase();
    let mut windowed: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (rule, start, end) in engine.raw_matches(&bytes) {
        windowed.entry(rule).or_default().push((start, end));
    }
    for rule in whole {
        let windowed = windowed.remove(&rule.id).unwrap_or_default();
        // A pattern whose matches hold a literal has none where no literal is: the usual case, at the price of a search.
        if windowed.is_empty() && rule.within && !rule.holds(&text.bytes, &lower) {
            continue;
        }
        let all: Vec<(usize, usize)> = rule
            .pattern
            .find_iter(&text.bytes)
            .map(|found| (found.start(), found.end()))
            .collect();
        if all == windowed {
            if !all.is_empty() {
                out.entry(rule.id.clone()).or_default().same += all.len();
            }
            continue;
        }
        let difference = out.entry(rule.id.clone()).or_default();
        for (start, end) in &all {
            let near = rule.also.is_empty()
                && rule.holds(&text.bytes[*start..*end], &lower[*start..*end])
                && !is_futile(&rule.rule, &text.bytes, *start);
            if windowed.contains(&(*start, *end)) {
                difference.same += 1;
            } else if near {
                difference.missed.push(format!("{name} {start}..{end}"));
            } else {
                difference.apart += 1;
            }
        }
        for (start, end) in windowed.iter().filter(|place| !all.contains(place)) {
            difference.other.push(format!("{name} {start}..{end}"));
        }
    }
    out
}
