//! What every reader of one file needs.

use super::text::Text;
use crate::model::{Coverage, CoverageStatus, FingerprintKey, Location};
use crate::rules::manifests::ManifestTables;

/// One file being read.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Repository by its name in this scan.
    pub(super) repository: &'a str,
    /// Path, percent-encoded.
    pub(super) uri: &'a str,
    /// Its text.
    pub(super) text: &'a Text<'a>,
    /// Key of fingerprints.
    pub(super) key: &'a FingerprintKey,
    /// What names and keys mean.
    pub(super) tables: &'a ManifestTables,
}

/// A coverage entry of one file.
pub(super) fn notice(
    repository: &str,
    uri: &str,
    status: CoverageStatus,
    reason: &str,
) -> Coverage {
    Coverage::new("manifests", format!("{repository}/{uri}"), status, reason)
}

impl Context<'_> {
    /// A place in the file.
    pub(super) fn location(&self, line: u32, column: u32) -> Location {
        Location::file(self.repository, self.uri, line, column)
    }

    /// A coverage entry of the file.
    pub(super) fn notice(&self, status: CoverageStatus, reason: &str) -> Coverage {
        notice(self.repository, self.uri, status, reason)
    }

    /// The first entries of a list, and a coverage entry where there are more: `most` and what they are, for people.
    pub(super) fn first<'n, T>(
        &self,
        list: &'n [T],
        most: usize,
        what: &str,
        notices: &mut Vec<Coverage>,
    ) -> &'n [T] {
        if list.len() <= most {
            return list;
        }
        let reason = format!("more than {most} {what}; those behind were left out");
        let told = self.notice(CoverageStatus::Skipped, &reason);
        if !notices.contains(&told) {
            notices.push(told);
        }
        list.get(..most).unwrap_or(list)
    }

    /// The text is a template of another language: Helm, Jinja, ERB.
    pub(super) fn templated(&self) -> bool {
        let text = self.text.as_str();
        templated(text) || text.contains("{%") || text.contains("<%")
    }
}

/// Holds `{{` that is not an expression of a workflow (`${{`).
pub(super) fn templated(text: &str) -> bool {
    text.match_indices("{{")
        .any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with('$')))
}
