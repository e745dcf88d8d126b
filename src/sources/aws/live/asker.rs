//! Asks one account: bounded, patient with servers that are asked too often, and keeping what every call gave.

use super::answers::{Answers, kept};
use super::call::Call;
use super::trouble::{self, Trouble};
use crate::model::{Coverage, CoverageStatus};
use crate::sources::Progress;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Pauses before a call is made again that the SDK gave up on because the server was asked too often, in seconds.
const PAUSES: [u64; 5] = [1, 2, 5, 10, 20];
/// So many calls in a row without an answer, each tried several times, mean that there is nobody any more.
const LOST: u32 = 3;

/// What all accounts of one collection share.
pub(super) struct Room<'a> {
    /// Where answers are kept.
    pub(super) answers: &'a dyn Answers,
    /// Who is told how far it is.
    pub(super) progress: &'a dyn Progress,
    /// Requests under way.
    pub(super) permits: Semaphore,
    /// Becomes true when the user wants to stop.
    pub(super) stop: watch::Receiver<bool>,
    /// The time of the collection.
    pub(super) now: Timestamp,
    /// Requests made and answers found kept.
    pub(super) asked: Cell<u64>,
    pub(super) found: Cell<u64>,
    /// Why answers could not be kept.
    pub(super) fault: RefCell<Option<io::Error>>,
}

impl Room<'_> {
    /// Waits until the user wants to stop.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            // Nobody can ask for it any more.
            std::future::pending::<()>().await;
        }
    }

    /// Waits, unless the user wants to stop.
    pub(super) async fn pause(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stopped() => {}
        }
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, path: &str, value: &Value) -> Result<(), Trouble> {
        let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
        text.push(b'\n');
        self.answers.write(path, &text).map_err(|error| {
            self.fault.borrow_mut().get_or_insert(error);
            Trouble::Stopped
        })
    }
}

/// A call and what went wrong with it.
pub(super) type Problem = (Call, Trouble);

/// Asks one account.
pub(super) struct Asker<'a> {
    pub(super) room: &'a Room<'a>,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) organizations: aws_sdk_organizations::Client,
    /// Account id, which is its folder too.
    pub(super) account: String,
    gaps: RefCell<BTreeMap<Problem, u32>>,
    worked: RefCell<BTreeSet<Call>>,
    /// Calls the server does not have.
    lacking: RefCell<BTreeMap<Call, Trouble>>,
    /// Why nothing more is asked.
    ended: RefCell<Option<Problem>>,
    lost: Cell<u32>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(
        room: &'a Room<'a>,
        iam: aws_sdk_iam::Client,
        organizations: aws_sdk_organizations::Client,
        account: String,
    ) -> Self {
        Self {
            room,
            iam,
            organizations,
            account,
            gaps: RefCell::default(),
            worked: RefCell::default(),
            lacking: RefCell::default(),
            ended: RefCell::default(),
            lost: Cell::new(0),
        }
    }

    /// Path of an answer about this account.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.account)
    }

    /// Makes a call, again and again if need be.
    pub(super) async fn ask<T, E, F>(
        &self,
        call: Call,
        request: impl Fn() -> F,
    ) -> Result<T, Problem>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut pauses = PAUSES.iter();
        loop {
            if let Some((_, ended)) = self.ended.borrow().as_ref() {
                return Err((call, ended.clone()));
            }
            if let Some(trouble) = self.lacking.borrow().get(&call) {
                return Err((call, trouble.clone()));
            }
            let result = {
                // The state of a request is large, and many are under way.
                let once = Box::pin(async {
                    let _permit = self.room.permits.acquire().await;
                    self.room.asked.set(self.room.asked.get() + 1);
                    request().await
                });
                tokio::select! {
                    result = once => result,
                    () = self.room.stopped() => {
                        self.end(call, &Trouble::Stopped);
                        return Err((call, Trouble::Stopped));
                    }
                }
            };
            let trouble = match &result {
                Ok(_) => {
                    self.lost.set(0);
                    self.worked.borrow_mut().insert(call);
                    return result.map_err(|_| (call, Trouble::Stopped));
                }
                Err(error) => trouble::of(error),
            };
            match &trouble {
                Trouble::Throttled => {
                    if let Some(seconds) = pauses.next() {
                        self.room.pause(Duration::from_secs(*seconds)).await;
                        continue;
                    }
                }
                Trouble::Unreachable(_) => {
                    self.lost.set(self.lost.get() + 1);
                    if self.lost.get() >= LOST {
                        self.end(call, &trouble);
                    }
                }
                Trouble::Unavailable(_) => {
                    self.lost.set(0);
                    if !self.worked.borrow().contains(&call) {
                        self.lacking.borrow_mut().insert(call, trouble.clone());
                    }
                }
                ends if ends.ends() => self.end(call, &trouble),
                _ => self.lost.set(0),
            }
            return Err((call, trouble));
        }
    }

    fn end(&self, call: Call, trouble: &Trouble) {
        self.ended
            .borrow_mut()
            .get_or_insert_with(|| (call, trouble.clone()));
    }

    /// The answer kept at a path of the snapshot, else the one that is made now, which is then kept.
    pub(super) async fn at(
        &self,
        path: &str,
        make: impl Future<Output = Result<Value, Problem>>,
    ) -> Option<Value> {
        self.room.progress.planned(1);
        let value = if let Some(value) = kept(self.room.answers, path) {
            self.room.found.set(self.room.found.get() + 1);
            Some(value)
        } else {
            match make.await {
                Ok(value) => self.room.keep(path, &value).ok().map(|()| value),
                Err(problem) => {
                    self.gap(problem);
                    None
                }
            }
        };
        self.room.progress.done(1);
        value
    }

    /// [`Self::at`], below the account's folder.
    pub(super) async fn answer(
        &self,
        below: &str,
        make: impl Future<Output = Result<Value, Problem>>,
    ) -> Option<Value> {
        self.at(&self.path(below), make).await
    }

    /// Notes what is missing.
    pub(super) fn gap(&self, problem: Problem) {
        if !matches!(problem.1, Trouble::Stopped | Trouble::NoOrganization) {
            *self.gaps.borrow_mut().entry(problem).or_default() += 1;
        }
    }

    /// The user stopped the collection, or answers could not be kept.
    pub(super) fn stopped(&self) -> bool {
        matches!(&*self.ended.borrow(), Some((_, Trouble::Stopped)))
            || self.room.fault.borrow().is_some()
            || *self.room.stop.borrow()
    }

    /// What is missing, as the coverage says it.
    pub(super) fn coverage(&self, source: &str) -> Vec<Coverage> {
        let account = format!("aws/{}", self.account);
        let mut said = Vec::new();
        if let Some((call, ended)) = self.ended.borrow().as_ref() {
            let why = match ended {
                Trouble::Credentials(why) => Some(format!(
                    "the credentials were refused at {}: {why}; sign in again, then collect again",
                    call.permission()
                )),
                Trouble::Unreachable(why) => Some(format!(
                    "asking stopped at {}: {why}; check the network and the endpoint, then collect again",
                    call.permission()
                )),
                _ => None,
            };
            said.extend(
                why.map(|why| Coverage::new(source, account.as_str(), CoverageStatus::Failed, why)),
            );
        }
        for ((call, trouble), times) in self.gaps.borrow().iter() {
            let permission = call.permission();
            let lost = call.without();
            let some = self.worked.borrow().contains(call);
            let often = if some && *times > 0 {
                format!(" in {times} of its calls")
            } else {
                String::new()
            };
            let reason = match trouble {
                Trouble::Denied { .. } => format!(
                    "not permitted{often}: allow {permission} to whoever reads the account (docs/aws-permissions.md); {lost}"
                ),
                Trouble::Throttled => format!(
                    "AWS still asked for fewer calls after every attempt{often}: collect again, with a smaller --aws-concurrency; {lost}"
                ),
                Trouble::Unavailable(why) => format!("the server {why}{often}: {lost}"),
                Trouble::Missing => format!("it was gone when it was asked for{often}: {lost}"),
                Trouble::Unreachable(why) => format!("no answer{often}, {why}: {lost}"),
                Trouble::Credentials(_) | Trouble::Stopped | Trouble::NoOrganization => continue,
            };
            let status = match trouble {
                // What only the management account may read is missed nowhere else.
                Trouble::Denied { .. } | Trouble::Missing if call.of_organization() => {
                    CoverageStatus::Absent
                }
                _ => CoverageStatus::Partial,
            };
            said.push(Coverage::new(
                source,
                format!("{account}/{permission}"),
                status,
                reason,
            ));
        }
        said.sort();
        said.dedup();
        said
    }
}
