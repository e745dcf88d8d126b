//! AWS accounts from saved exports: one file, or a folder of them in any arrangement.
//!
//! Files are recognised by content. Entities of several pages and files are merged by ARN; what a file says of keys, use
//! and providers is attached to the account it belongs to. `docs/aws-snapshot.md` describes the layout and the commands
//! that make it.

mod absent;
mod access;
mod accounts;
mod beside;
mod details;
mod draft;
mod fields;
mod files;
mod keys;
mod lines;
pub mod live;
mod merge;
mod organization;
mod other;
mod policy;
mod report;
mod resources;
mod shape;
#[cfg(test)]
mod tests;
mod text;

use crate::model::aws::AwsAccount;
use crate::model::{Coverage, CoverageStatus};
use details::Page;
use files::Source;
use shape::{Found, Piece};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of this source in the coverage.
const SOURCE: &str = "aws-snapshot";

/// The accounts of one snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsSnapshot {
    /// Accounts, sorted by id.
    pub accounts: Vec<AwsAccount>,
    /// What was read, what was not and what is missing, sorted.
    pub coverage: Vec<Coverage>,
}

/// The exports of one file.
struct FileFound {
    source: Source,
    found: Vec<Found>,
}

/// Reads a snapshot from one file or from everything below a folder.
///
/// Never fails: what cannot be read is in the coverage, and the rest is returned.
pub fn read_snapshot(path: &Path) -> AwsSnapshot {
    let mut coverage = Vec::new();
    let entries = files::list(path, &mut coverage);
    let documents = entries
        .into_iter()
        .map(|entry| (entry.source, files::read(&entry.path)));
    let mut snapshot = read_documents(documents, coverage);
    if snapshot.accounts.is_empty() {
        snapshot.coverage.push(Coverage::new(
            SOURCE,
            path.file_name().map_or_else(
                || "snapshot".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            CoverageStatus::Failed,
            "no IAM export in it: give the file that `aws iam get-account-authorization-details` wrote, or a folder with it",
        ));
        snapshot.coverage.sort();
    }
    snapshot
}

/// Says of a snapshot that was not read because no more was to be read.
pub fn unread_snapshot(path: &Path) -> AwsSnapshot {
    let name = path.file_name().map_or_else(
        || "snapshot".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    AwsSnapshot {
        accounts: Vec::new(),
        coverage: vec![Coverage::new(
            SOURCE,
            name,
            CoverageStatus::Failed,
            "the scan was stopped before it was read: give it more time",
        )],
    }
}

/// Reads the answers of a live collection, as they would stand in the folder of a snapshot.
pub fn read_answers(answers: BTreeMap<String, Vec<u8>>) -> AwsSnapshot {
    let mut documents: Vec<_> = answers
        .into_iter()
        .map(|(path, bytes)| (files::below(&path), Ok(bytes)))
        .collect();
    // As the files of a folder are listed.
    documents.sort_by(|(a, _): &(Source, _), (b, _)| a.uri.split('/').cmp(b.uri.split('/')));
    read_documents(documents.into_iter(), Vec::new())
}

fn read_documents(
    documents: impl Iterator<Item = (Source, Result<Vec<u8>, String>)>,
    mut coverage: Vec<Coverage>,
) -> AwsSnapshot {
    let mut files = Vec::new();
    for (source, document) in documents {
        match document {
            Err(reason) => coverage.push(Coverage::new(
                SOURCE,
                source.uri.as_str(),
                CoverageStatus::Failed,
                reason,
            )),
            Ok(bytes) => {
                let (found, notices) = read_file(&source, &bytes);
                coverage.extend(notices);
                if !found.is_empty() {
                    files.push(FileFound { source, found });
                }
            }
        }
    }
    let mut accounts = accounts::assemble(files, &mut coverage);
    for account in &accounts {
        absent::note(account, &mut coverage);
    }
    accounts.sort_by(|a, b| a.account_id.cmp(&b.account_id));
    coverage.sort();
    coverage.dedup();
    AwsSnapshot { accounts, coverage }
}

/// Reads one file into its exports and the coverage of the file.
fn read_file(source: &Source, bytes: &[u8]) -> (Vec<Found>, Vec<Coverage>) {
    let note =
        |status, reason: &str| vec![Coverage::new(SOURCE, source.uri.as_str(), status, reason)];
    let Some(text) = text::decode(bytes) else {
        return (
            Vec::new(),
            note(
                CoverageStatus::Failed,
                "a byte order mark says UTF-16, the text is not: save it as UTF-8",
            ),
        );
    };
    let named_json = source.uri.to_ascii_lowercase().ends_with(".json");
    let begins = text.trim_ascii_start().first().copied();
    if begins.is_none() && (named_json || source.uri.to_ascii_lowercase().ends_with(".csv")) {
        return (
            Vec::new(),
            note(
                CoverageStatus::Failed,
                "the file is empty: the export failed; make it again",
            ),
        );
    }
    if report::recognise(&text) {
        let (rows, broken) = report::read(&text);
        let status = if broken == 0 {
            CoverageStatus::Read
        } else {
            CoverageStatus::Partial
        };
        let reason = match broken {
            0 => format!("credential report: {} rows", rows.len()),
            _ => format!(
                "credential report: {} rows read, {broken} are damaged: make the report again",
                rows.len()
            ),
        };
        let found = Found {
            account: None,
            piece: Piece::Report {
                rows,
                generated: None,
            },
        };
        return (vec![found], note(status, &reason));
    }
    if !named_json && !matches!(begins, Some(b'{' | b'[')) {
        return (
            Vec::new(),
            note(
                CoverageStatus::Skipped,
                "neither JSON nor a credential report",
            ),
        );
    }
    read_json(source, &text)
}

fn read_json(source: &Source, text: &[u8]) -> (Vec<Found>, Vec<Coverage>) {
    let documents = text::documents(text);
    if let ([value], None) = (documents.values.as_slice(), &documents.fault)
        && let Some(notices) = live::notices(SOURCE, value)
    {
        return (Vec::new(), notices);
    }
    let index = lines::Index::new(text);
    let mut page = Page {
        uri: &source.uri,
        index: &index,
        notices: Vec::new(),
    };
    let mut found: Vec<Found> = documents
        .values
        .into_iter()
        .flat_map(|value| shape::find(value, &mut page))
        .collect();
    let mut notices = page.notices;
    let (status, reason) = match (documents.fault, found.is_empty()) {
        (Some(fault), true) => (CoverageStatus::Failed, fault.reason()),
        (Some(fault), false) => (
            CoverageStatus::Partial,
            format!("{}; then {}", summary(&found), fault.reason()),
        ),
        (None, true) => (
            CoverageStatus::Skipped,
            "not an IAM export overstay knows".to_owned(),
        ),
        (None, false) => (CoverageStatus::Read, summary(&found)),
    };
    let status = match found.as_slice() {
        [
            Found {
                piece: Piece::Nothing(_),
                ..
            },
        ] if status == CoverageStatus::Read => CoverageStatus::Skipped,
        _ => status,
    };
    notices.push(Coverage::new(SOURCE, source.uri.as_str(), status, reason));
    found.retain(|found| !matches!(found.piece, Piece::Nothing(_)));
    (found, notices)
}

/// What a file held, in words and counts.
fn summary(found: &[Found]) -> String {
    let mut counts = [0_usize; 9];
    let mut words = Vec::new();
    for item in found {
        match &item.piece {
            Piece::Details {
                users,
                groups,
                roles,
                policies,
                ..
            } => {
                counts[0] += users.len();
                counts[1] += groups.len();
                counts[2] += roles.len();
                counts[3] += policies.len();
            }
            Piece::Roles(roles) => counts[4] += roles.len(),
            Piece::Users(users) => counts[5] += users.len(),
            Piece::Report { rows, .. } => {
                words.push(format!("{} rows of a credential report", rows.len()));
            }
            Piece::Keys(keys) => counts[6] += keys.len(),
            Piece::KeyUse(_) => counts[7] += 1,
            Piece::ServiceUse { .. } => counts[8] += 1,
            Piece::Providers(providers) => {
                words.push(format!("{} OIDC providers", providers.len()));
            }
            Piece::Aliases(_) => words.push("account alias".to_owned()),
            Piece::Beside(facts) => words.extend(facts.iter().map(|fact| fact.what().to_owned())),
            Piece::Caller(..) => words.push("account id".to_owned()),
            Piece::Organization(_) => words.push("organization".to_owned()),
            Piece::Resource { .. } => words.push("resource policies".to_owned()),
            Piece::Other(_) => words.push("trails".to_owned()),
            Piece::Access(_) => words.push("access to resources".to_owned()),
            Piece::Nothing(reason) => words.push((*reason).to_owned()),
        }
    }
    let names = [
        "users",
        "groups",
        "roles",
        "policies",
        "listed roles",
        "listed users",
        "access keys",
        "last uses of a key",
        "last-accessed reports",
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .zip(names)
        .filter(|(count, _)| **count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    words.sort();
    words.dedup();
    parts.extend(words);
    if parts.is_empty() {
        "empty".to_owned()
    } else {
        parts.join(", ")
    }
}
