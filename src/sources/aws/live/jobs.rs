//! What AWS compiles before it answers: the credential report, and what every principal used.

use super::asker::{Asker, Problem};
use super::call::Call;
use super::convert;
use super::trouble::Trouble;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType, ReportStateType};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// AWS compiles a credential report every four hours at most; one that was kept is as good for so long.
const REPORT_HOURS: i64 = 4;
/// Longest that is waited for a job.
const PATIENCE: Duration = Duration::from_mins(20);
/// Longest pause between two looks at a job.
const SLOWEST: Duration = Duration::from_secs(15);
/// Entries of one page.
const PAGE: i32 = 1000;
/// Most pages of one answer.
const MAX_PAGES: usize = 1000;

/// Pauses between looks at a job, each longer than the one before, until patience ends.
struct Pauses {
    next: Duration,
    spent: Duration,
}

impl Pauses {
    fn new() -> Self {
        Self {
            next: Duration::from_millis(250),
            spent: Duration::ZERO,
        }
    }

    /// Waits; `false` when it was waited long enough.
    async fn wait(&mut self, asker: &Asker<'_>) -> bool {
        if self.spent >= PATIENCE {
            return false;
        }
        asker.room.pause(self.next).await;
        self.spent += self.next;
        self.next = (self.next * 8 / 5).min(SLOWEST);
        true
    }
}

/// The credential report: made if AWS has none of the last four hours, waited for, kept.
pub(super) async fn credential_report(asker: &Asker<'_>) {
    const FILE: &str = "credential-report.json";
    let path = asker.path(FILE);
    let kept = super::answers::kept(asker.room.answers, &path);
    let aged = kept.as_ref().is_some_and(|report| {
        let made = report.get("GeneratedTime").and_then(Value::as_str);
        let made = made.and_then(|text| text.parse::<Timestamp>().ok());
        made.is_none_or(|made| {
            asker.room.now.duration_since(made) > SignedDuration::from_hours(REPORT_HOURS)
        })
    });
    if aged {
        if let Ok(report) = make_report(asker).await
            && asker.room.keep(&path, &report).is_ok()
        {
            asker.room.progress.planned(1);
            asker.room.progress.done(1);
        }
        return;
    }
    asker.answer(FILE, make_report(asker)).await;
}

async fn make_report(asker: &Asker<'_>) -> Result<Value, Problem> {
    let made = generate(asker).await;
    let got = asker
        .ask(Call::GetCredentialReport, || {
            asker.iam.get_credential_report().send()
        })
        .await;
    match (got, made) {
        (Ok(report), _) => Ok(convert::credential_report(&report)),
        // A report that is not there because it may not be made.
        (Err((_, Trouble::Unavailable(_) | Trouble::Missing)), Err(problem)) => Err(problem),
        (Err(problem), made) => {
            if let Err(made) = made {
                asker.gap(made);
            }
            Err(problem)
        }
    }
}

async fn generate(asker: &Asker<'_>) -> Result<(), Problem> {
    let call = Call::GenerateCredentialReport;
    let mut pauses = Pauses::new();
    loop {
        let answer = asker
            .ask(call, || asker.iam.generate_credential_report().send())
            .await?;
        if answer.state() == Some(&ReportStateType::Complete) {
            return Ok(());
        }
        if !pauses.wait(asker).await {
            let minutes = PATIENCE.as_secs() / 60;
            return Err((
                call,
                Trouble::Unavailable(format!("had no report after {minutes} minutes")),
            ));
        }
    }
}

/// What a principal used, at the level of actions: a job of AWS that is started, looked at with growing pauses, and read.
pub(super) async fn last_accessed(asker: &Asker<'_>, arn: &str) -> Result<Value, Problem> {
    let call = Call::GetServiceLastAccessedDetails;
    let job = asker
        .ask(Call::GenerateServiceLastAccessedDetails, || {
            asker
                .iam
                .generate_service_last_accessed_details()
                .arn(arn)
                .granularity(AccessAdvisorUsageGranularityType::ActionLevel)
                .send()
        })
        .await?;
    let Some(job) = job.job_id() else {
        return Err((
            Call::GenerateServiceLastAccessedDetails,
            Trouble::Unavailable("named no job".to_owned()),
        ));
    };
    let mut pauses = Pauses::new();
    let mut marker: Option<String> = None;
    let mut services = Vec::new();
    let mut pages = 0;
    loop {
        let page = asker
            .ask(call, || {
                asker
                    .iam
                    .get_service_last_accessed_details()
                    .job_id(job)
                    .max_items(PAGE)
                    .set_marker(marker.clone())
                    .send()
            })
            .await?;
        match page.job_status() {
            JobStatusType::Completed => {
                services.extend_from_slice(page.services_last_accessed());
                pages += 1;
                let next = page.marker().map(str::to_owned);
                if page.is_truncated() && next.is_some() && next != marker && pages < MAX_PAGES {
                    marker = next;
                    continue;
                }
                return Ok(convert::last_accessed(
                    arn,
                    Some(page.job_completion_date()),
                    &services,
                ));
            }
            JobStatusType::Failed => {
                return Err((
                    call,
                    Trouble::Unavailable("could not do the job".to_owned()),
                ));
            }
            _ => {
                if !pauses.wait(asker).await {
                    let minutes = PATIENCE.as_secs() / 60;
                    return Err((
                        call,
                        Trouble::Unavailable(format!(
                            "had not done the job after {minutes} minutes"
                        )),
                    ));
                }
            }
        }
    }
}
