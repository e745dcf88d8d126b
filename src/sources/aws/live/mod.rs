//! Accounts read from AWS itself: only calls that read, bounded, resumable, and kept as the very files a snapshot has.
//!
//! The answers go through the same reader as a snapshot's, so that there is one way from what AWS says to an inventory.
//! All of it runs on one thread of the caller's runtime; nothing here reads the environment or the clock.

mod account;
mod answers;
mod asker;
mod call;
mod convert;
mod jobs;
mod listings;
mod login;
mod manifest;
mod organization;
mod trouble;

pub use answers::{Answers, Memory};
pub use call::Call;
pub use login::{Identity, LoginError, assume, organization_accounts};
pub(super) use manifest::notices;

use super::SOURCE;
use crate::model::{Coverage, CoverageStatus};
use crate::sources::Progress;
use asker::{Asker, Room};
use aws_sdk_organizations::types::Organization;
use aws_types::SdkConfig;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use manifest::Manifest;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use tokio::sync::{Semaphore, watch};

/// Accounts read at once.
const ACCOUNTS_AT_ONCE: usize = 4;

/// One account to read, by the credentials that do it.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is called in messages: `profile prod`, `role arn:…`.
    pub name: String,
    /// Region, endpoint, credentials.
    pub config: SdkConfig,
}

/// How a collection is made.
pub struct Options<'a> {
    /// Where answers are kept.
    pub answers: &'a dyn Answers,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
    /// Requests under way at once.
    pub concurrency: usize,
    /// The time of the collection.
    pub now: Timestamp,
    /// Becomes true when the user wants to stop.
    pub stop: watch::Receiver<bool>,
}

/// What a collection came to.
#[derive(Debug, Default)]
pub struct Collected {
    /// Accounts that were read, with who read them.
    pub accounts: Vec<Read>,
    /// What is missing: accounts that could not be read at all, and calls that gave nothing.
    pub missing: Vec<Coverage>,
    /// Requests made.
    pub requests: u64,
    /// Answers that an earlier collection had left.
    pub kept: u64,
    /// The user stopped it.
    pub stopped: bool,
}

/// An account that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Account id.
    pub account: String,
    /// Whose credentials read it.
    pub caller: String,
    /// An earlier collection had already read all of it, then.
    pub whole_since: Option<String>,
}

/// Reads every account there are credentials for.
///
/// # Errors
/// Only when an answer cannot be kept. What AWS refuses, or does not answer, is in what is missing.
pub async fn collect(
    targets: Vec<(Target, Result<Identity, LoginError>)>,
    failed: Vec<(String, LoginError)>,
    options: Options<'_>,
) -> io::Result<Collected> {
    let room = Room {
        answers: options.answers,
        progress: options.progress,
        permits: Semaphore::new(options.concurrency.max(1)),
        stop: options.stop,
        now: options.now,
        asked: Cell::new(0),
        found: Cell::new(0),
        fault: RefCell::default(),
    };
    let mut missing: Vec<Coverage> = failed
        .into_iter()
        .map(|(name, error)| not_read(&name, &error))
        .collect();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut jobs = Vec::new();
    for (target, identity) in targets {
        let identity = match identity {
            Ok(identity) => identity,
            Err(error) => {
                missing.push(not_read(&target.name, &error));
                continue;
            }
        };
        if let Some(first) = known.get(&identity.account) {
            missing.push(Coverage::new(
                SOURCE,
                format!("aws/{}", target.name),
                CoverageStatus::Skipped,
                format!(
                    "the same account as {first}, {}: read once",
                    identity.account
                ),
            ));
            continue;
        }
        known.insert(identity.account.clone(), target.name.clone());
        jobs.push((target, identity));
    }
    manifest::targets(&room, &missing);

    let mut collected = Collected::default();
    let mut open = Vec::new();
    for (target, identity) in jobs {
        match Manifest::resume(&room, &identity) {
            Manifest::Whole(since) => collected.accounts.push(Read {
                account: identity.account,
                caller: identity.arn,
                whole_since: Some(since),
            }),
            Manifest::Open(begun) => {
                let asker = Asker::new(
                    &room,
                    iam(&target.config),
                    aws_sdk_organizations::Client::new(&target.config),
                    identity.account.clone(),
                );
                open.push((asker, identity, begun));
            }
        }
    }
    let organizations = organizations(&open).await;
    let open = RefCell::new(open.into_iter().map(Some).collect::<Vec<_>>());
    let numbers: Vec<usize> = (0..open.borrow().len()).collect();
    let done: Vec<_> = stream::iter(numbers)
        .map(|number| {
            let next = open.borrow_mut().get_mut(number).and_then(Option::take);
            let organization = organizations.get(&number);
            let room = &room;
            async move {
                let (asker, identity, begun) = next?;
                let manifest = Manifest::begin(room, &identity, begun);
                if let Some(organization) = organization {
                    tokio::join!(
                        Box::pin(account::collect(&asker)),
                        Box::pin(organization::export(&asker, organization))
                    );
                } else {
                    Box::pin(account::collect(&asker)).await;
                }
                let missing = asker.coverage(SOURCE);
                if !asker.stopped() {
                    manifest.finish(room, &missing);
                }
                Some((identity, missing, asker.stopped()))
            }
        })
        .buffer_unordered(ACCOUNTS_AT_ONCE)
        .filter_map(|done| async { done })
        .collect()
        .await;
    for (identity, gaps, stopped) in done {
        collected.stopped |= stopped;
        missing.extend(gaps);
        collected.accounts.push(Read {
            account: identity.account,
            caller: identity.arn,
            whole_since: None,
        });
    }
    if let Some(fault) = room.fault.take() {
        return Err(fault);
    }
    collected.accounts.sort_by(|a, b| a.account.cmp(&b.account));
    missing.sort();
    missing.dedup();
    collected.missing = missing;
    collected.requests = room.asked.get();
    collected.kept = room.found.get();
    Ok(collected)
}

/// Which account reads which organization: its management account if it is among them, else the first of its accounts.
async fn organizations<T>(open: &[(Asker<'_>, Identity, T)]) -> BTreeMap<usize, Organization> {
    let mut found: Vec<(usize, Organization)> = Vec::new();
    for (number, (asker, ..)) in open.iter().enumerate() {
        if let Some(organization) = organization::describe(asker).await {
            found.push((number, organization));
        }
    }
    let manages = |(number, organization): &(usize, Organization)| {
        open.get(*number).is_some_and(|(_, identity, _)| {
            organization.master_account_id() == Some(identity.account.as_str())
        })
    };
    found.sort_by_key(|entry| (!manages(entry), entry.0));
    let mut read = BTreeSet::new();
    found
        .into_iter()
        .filter(|(_, organization)| read.insert(organization.id().map(str::to_owned)))
        .collect()
}

/// The client for IAM. A page of HTML is no answer of AWS: asking for it again would be in vain.
fn iam(config: &SdkConfig) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::config::Builder::from(config)
        .retry_classifier(login::PagesAreNoAnswers)
        .build();
    aws_sdk_iam::Client::from_conf(config)
}

fn not_read(name: &str, error: &LoginError) -> Coverage {
    Coverage::new(
        SOURCE,
        format!("aws/{name}"),
        CoverageStatus::Failed,
        error.to_string(),
    )
}
