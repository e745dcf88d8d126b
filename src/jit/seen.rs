//! What logs show of a subject where nothing is declared, or where what is declared is not so.

use super::JitContext;
use super::subject::{Subject, unboundedness};
use crate::model::{Activity, ConsumerClass, Evidence, Grade, Rhythm};
use std::collections::BTreeSet;

impl<'a> Subject<'a> {
    /// The use that decides: the most calls.
    pub fn main_activity(&self) -> Option<&'a Activity> {
        self.activity
            .iter()
            .copied()
            .max_by_key(|activity| (activity.events, &activity.access_key))
    }

    /// Logs show how it is used, where nothing declares it or what is declared is not so.
    pub(super) fn classify_by_use(&mut self, context: &JitContext<'a>) {
        let rules = &context.scoring.task;
        if self.runtime == "unknown" {
            self.place_by_use(context);
        }
        let Some(activity) = self.main_activity() else {
            return;
        };
        let seen = || Evidence::new(Grade::A, super::task::in_words(activity));
        let unknown = self.class == ConsumerClass::Unknown;
        match activity.rhythm {
            Rhythm::Continuous if unknown => {
                self.class = ConsumerClass::Daemon;
                self.class_evidence = seen();
            }
            Rhythm::Continuous if self.class.bounded() => {
                let declared = self.class.as_str();
                self.class = ConsumerClass::Daemon;
                self.class_evidence = seen();
                self.class_evidence
                    .text
                    .push_str("; what is declared has an end: ");
                self.class_evidence.text.push_str(declared);
            }
            Rhythm::CronLike if unknown => {
                self.class = ConsumerClass::Scheduled;
                self.class_evidence = seen();
            }
            Rhythm::Bursty if unknown && activity.sessions.p95_seconds <= rules.bursty_seconds => {
                self.class = ConsumerClass::Batch;
                self.class_evidence = seen();
            }
            _ => {}
        }
    }

    /// Who starts its sessions tells where it runs, and sometimes what kind of work it is.
    fn place_by_use(&mut self, context: &JitContext<'a>) {
        let hints: Vec<_> = self
            .activity
            .iter()
            .flat_map(|activity| &activity.callers)
            .filter_map(|caller| {
                let name = match caller.kind.as_str() {
                    "service" => caller.name.as_str(),
                    "oidc" => caller.name.rsplit_once(" of ")?.1,
                    _ => return None,
                };
                Some((context.targets.runtime_of(name)?, caller))
            })
            .collect();
        let runtimes: BTreeSet<&str> = hints
            .iter()
            .map(|(hint, _)| hint.runtime.as_str())
            .collect();
        match runtimes.len() {
            0 => {}
            1 => {
                self.runtime = runtimes.first().copied().unwrap_or_default().to_owned();
            }
            _ => "several".clone_into(&mut self.runtime),
        }
        if let Some((hint, caller)) = hints
            .iter()
            .max_by_key(|(hint, _)| unboundedness(hint.class))
            && self.class == ConsumerClass::Unknown
            && hint.class != ConsumerClass::Unknown
        {
            self.class = hint.class;
            self.class_evidence = Evidence::new(
                Grade::A,
                format!(
                    "CloudTrail shows that {} starts its sessions: {}",
                    caller.name,
                    hint.class.as_str()
                ),
            );
        }
    }
}
