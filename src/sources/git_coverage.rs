//! What was read of each repository and what was not, in words.

use super::ReadOptions;
use super::combine::Given;
use super::discover::RootKind;
use super::files::count;
use super::git::bytes;
use super::kept::{Opened, RootPart, StorePart};
use crate::model::{Coverage, CoverageStatus};

/// Source word of this part of the coverage.
const SOURCE: &str = "git";

/// One entry for every repository, and one more for what was left out of it on purpose.
pub(super) fn git_coverage<T>(
    roots: &[RootPart<T>],
    stores: &[StorePart<T>],
    store_of: &[Option<usize>],
    given: &Given<'_, T>,
    options: &ReadOptions,
) -> Vec<Coverage> {
    let mut out = Vec::new();
    for (root, store) in roots.iter().zip(store_of) {
        let name = &root.name;
        let (partial, shallow) = match &root.opened {
            Opened::Refused(refusal) => {
                out.push(Coverage::new(SOURCE, name, refusal.status, &refusal.reason));
                continue;
            }
            Opened::Repository {
                partial, shallow, ..
            } => (*partial, *shallow),
            Opened::No if root.kind == RootKind::WorkTree => {
                out.push(history_off(name));
                continue;
            }
            Opened::No => continue,
        };
        // Of several work trees of one repository, one stands for the history.
        let at = store.filter(|at| stores.get(*at).is_some_and(|store| store.name == *name));
        let mut trouble = root.trouble.clone();
        let history = at.and_then(|at| Some((at, stores.get(at)?)));
        if let Some((at, history)) = history {
            trouble.add(&history.trouble);
            let own = |id| !given.before(at, &bytes(id));
            trouble.add(&history.faults.only(own));
        }
        let mut losses = trouble.losses(partial);
        let too_large = trouble.too_large();
        if too_large > 0 && options.history {
            out.push(Coverage::new(
                SOURCE,
                format!("{name}/…"),
                CoverageStatus::Skipped,
                format!(
                    "{} larger than the cap of {} MiB",
                    count(too_large, "blob"),
                    options.limits.max_blob_bytes >> 20
                ),
            ));
        }
        let summary = match history {
            Some((_, history)) => {
                if shallow {
                    losses.push(
                        "this is a shallow clone: `git fetch --unshallow` brings the rest of the history"
                            .to_owned(),
                    );
                }
                if history.commits == 0 && losses.is_empty() {
                    "no commits yet".to_owned()
                } else {
                    let since = options
                        .since
                        .map(|since| format!(" introduced since {since}"))
                        .unwrap_or_default();
                    format!(
                        "{}, {}{since}",
                        count(history.commits, "commit"),
                        count(history.wanted.len() as u64, "blob")
                    )
                }
            }
            None if !options.history => {
                out.push(history_off(name));
                if !losses.is_empty() {
                    out.push(Coverage::new(
                        SOURCE,
                        name,
                        CoverageStatus::Partial,
                        losses.join("; "),
                    ));
                }
                continue;
            }
            None => match store.and_then(|at| stores.get(at)) {
                Some(store) => format!("history read with {}", store.name),
                None => "history read elsewhere".to_owned(),
            },
        };
        if losses.is_empty() {
            out.push(Coverage::new(SOURCE, name, CoverageStatus::Read, summary));
        } else {
            out.push(Coverage::new(
                SOURCE,
                name,
                CoverageStatus::Partial,
                format!("{summary}; {}", losses.join("; ")),
            ));
        }
    }
    out
}

fn history_off(name: &str) -> Coverage {
    Coverage::new(
        SOURCE,
        name,
        CoverageStatus::Skipped,
        "history was not read, as asked",
    )
}
