//! What was read of each repository and what was not, in words.

use super::ReadOptions;
use super::discover::RootKind;
use super::files::count;
use super::git::{Access, History};
use super::site::{Site, Store, store_of};
use crate::model::{Coverage, CoverageStatus};

/// Source word of this part of the coverage.
const SOURCE: &str = "git";

/// One entry for every repository, and one more for what was left out of it on purpose.
pub(super) fn git_coverage(
    sites: &[Site<'_>],
    stores: &[Store<'_>],
    histories: &[History],
    options: &ReadOptions,
) -> Vec<Coverage> {
    let mut out = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let name = &site.root.name;
        let repo = match &site.access {
            Access::Refused(refusal) => {
                out.push(Coverage::new(SOURCE, name, refusal.status, &refusal.reason));
                continue;
            }
            Access::Open(repo) => repo,
            Access::None if site.root.kind == RootKind::WorkTree => {
                out.push(history_off(name));
                continue;
            }
            Access::None => continue,
        };
        let mut losses = site.trouble.losses(repo.partial);
        let too_large = site.trouble.too_large();
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
        let store = stores.iter().position(|store| store.site == index);
        let summary = match store.and_then(|store| histories.get(store)) {
            Some(history) => {
                if !repo.shallow.is_empty() {
                    losses.push(
                        "this is a shallow clone: `git fetch --unshallow` brings the rest of the history"
                            .to_owned(),
                    );
                }
                if history.commits() == 0 && losses.is_empty() {
                    "no commits yet".to_owned()
                } else {
                    let since = options
                        .since
                        .map(|since| format!(" introduced since {since}"))
                        .unwrap_or_default();
                    format!(
                        "{}, {}{since}",
                        count(history.commits(), "commit"),
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
            None => match store_of(sites, stores, index) {
                Some(store) => format!("history read with {}", stores[store].name),
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
