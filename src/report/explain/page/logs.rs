//! What logs show of its use: when, how long, from where, with what.

use super::{MOST, Page};
use crate::model::{Activity, Counted, Credential, Identity};
use crate::report::ReportError;
use crate::report::charts::{sparkline, stacked};
use crate::report::text::{duration, line, plural, thousands};

/// Columns of a bar.
const BAR: usize = 24;
/// Names told of a list.
const NAMES: usize = 6;

impl Page<'_, '_> {
    pub(super) fn logs(&mut self, activity: &[&Activity]) -> Result<(), ReportError> {
        for use_ in activity.iter().take(MOST) {
            self.log(use_)?;
        }
        self.left_out(0, activity.len())
    }

    /// Of a credential its own use; where that is not told apart, that of its identity.
    pub(super) fn log_of(
        &mut self,
        credential: Option<&Credential>,
        identity: Option<&Identity>,
    ) -> Result<(), ReportError> {
        let observed = &self.index.report.observed;
        let own = credential.and_then(|each| observed.of_credential(&each.id));
        let activity: Vec<&Activity> = match (own, identity) {
            (Some(own), _) => vec![own],
            (None, Some(identity)) => observed.of_identity(&identity.id).collect(),
            (None, None) => Vec::new(),
        };
        self.logs(&activity)
    }

    fn log(&mut self, activity: &Activity) -> Result<(), ReportError> {
        let with = match &activity.access_key {
            Some(key) => format!(" with {key}"),
            None => " with temporary credentials or the console".to_owned(),
        };
        self.heading(&format!("What {} shows{with}", activity.source))?;
        let calls = thousands(activity.events);
        let failed = thousands(activity.failed);
        self.field(
            "calls",
            &format!(
                "{calls}, {failed} failed, from {} to {}",
                self.when(activity.first),
                self.when(activity.last)
            ),
        )?;
        let sessions = &activity.sessions;
        let count = plural(u64::from(sessions.count), "session", "sessions");
        self.field(
            "sessions",
            &format!(
                "{count}; half last up to {}, 95 of 100 up to {}, the longest {}; a new one begins after {} of silence",
                duration(sessions.p50_seconds),
                duration(sessions.p95_seconds),
                duration(sessions.max_seconds),
                duration(sessions.gap_seconds)
            ),
        )?;
        let rhythm = activity.rhythm.as_str();
        self.field("rhythm", &format!("{rhythm}: {}", activity.rhythm_evidence))?;
        self.chart("hours, UTC", &activity.hours, "0", "23")?;
        self.chart("days", &activity.weekdays, "Mon", "Sun")?;
        self.field("networks", &counted(&activity.networks))?;
        self.field("regions", &counted(&activity.regions))?;
        self.field("programs", &counted(&activity.user_agents))?;
        let started: Vec<String> = activity
            .callers
            .iter()
            .map(|caller| format!("{} {} ({})", caller.kind, caller.name, caller.count))
            .collect();
        self.list("started by", started.get(..NAMES).unwrap_or(&started))?;
        self.actions(activity)?;
        self.field("errors", &counted(&activity.errors))?;
        self.evidence(2, &activity.by_hand)?;
        self.list("not told", &activity.left_out)?;
        self.end()
    }

    fn chart(
        &mut self,
        name: &str,
        figures: &[u64],
        first: &str,
        last: &str,
    ) -> Result<(), ReportError> {
        if figures.iter().all(|figure| *figure == 0) {
            return Ok(());
        }
        let drawn = sparkline(figures.iter().copied());
        Ok(writeln!(self.out, "  {name:<16}{first} │{drawn}│ {last}")?)
    }

    /// The actions called most, as bars of what worked and what failed.
    fn actions(&mut self, activity: &Activity) -> Result<(), ReportError> {
        let mut actions: Vec<_> = activity.actions.iter().collect();
        actions.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.action.cmp(&b.action)));
        let Some(most) = actions.first().map(|first| first.count.max(1)) else {
            return Ok(());
        };
        writeln!(self.out, "  actions         █ worked  ░ failed")?;
        for action in actions.iter().take(MOST) {
            let worked = action.count.saturating_sub(action.failed);
            let columns = u128::from(action.count) * BAR as u128 / u128::from(most);
            let columns = usize::try_from(columns).unwrap_or(BAR).max(2);
            let bar = stacked(&[(worked, '█'), (action.failed, '░')], columns);
            let resources = match action.resources.as_slice() {
                [] => String::new(),
                [only] if !action.more_resources => format!(" on {only}"),
                some => {
                    let more = if action.more_resources { "over " } else { "" };
                    format!(
                        " on {more}{}",
                        plural(some.len() as u64, "resource", "resources")
                    )
                }
            };
            let called = line(&format!("{}{resources}", action.action)).into_owned();
            let count = thousands(action.count);
            writeln!(self.out, "    {bar:<BAR$} {count:>7} {called}")?;
        }
        self.left_out(4, actions.len())
    }
}

fn counted(list: &[Counted]) -> String {
    let mut names: Vec<String> = list
        .iter()
        .take(NAMES)
        .map(|each| format!("{} ({})", each.name, thousands(each.count)))
        .collect();
    if list.len() > NAMES {
        names.push(format!("{} more", list.len() - NAMES));
    }
    names.join(", ")
}
