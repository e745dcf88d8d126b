//! The whole story of one identity as a tree: what it is, what lets in as it, what it may do, who uses it, where its
//! secrets were seen, what is wrong, what to do.

use super::summary::{COLUMNS, Style};
use super::text::{duration, line, plural, wrap};
use super::{Index, ReportError, select};
use crate::model::{
    Assessment, Consumer, Credential, Finding, Grant, Identity, LastUse, Location,
    evidence::days_between,
};
use jiff::Timestamp;
use std::io::Write;

/// Most children of one branch.
const MOST: usize = 40;

/// A branch of the tree.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn leaf(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            below: Vec::new(),
        }
    }

    fn new(text: impl Into<String>, below: Vec<Self>) -> Self {
        Self {
            text: text.into(),
            below,
        }
    }

    /// A group with its number of members; nothing when there are none.
    fn group(name: &str, mut below: Vec<Self>) -> Option<Self> {
        let count = below.len();
        if below.len() > MOST {
            below.truncate(MOST);
            below.push(Self::leaf(format!(
                "and {} more in report.json",
                count - MOST
            )));
        }
        (count > 0).then(|| Self::new(format!("{name} ({count})"), below))
    }
}

/// Writes the story of an identity.
///
/// # Errors
/// When the output refuses.
pub fn story(
    index: &Index<'_>,
    identity: &Identity,
    colour: bool,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let teller = Teller {
        index,
        now: index.report.run.now,
    };
    let style = Style(colour);
    writeln!(out, "{}", style.heading(&line(&identity.native_id)))?;
    let branches = teller.identity(identity);
    let count = branches.len();
    for (number, branch) in branches.iter().enumerate() {
        write(branch, "", number + 1 == count, out)?;
    }
    Ok(out.flush()?)
}

fn write(
    branch: &Branch,
    before: &str,
    last: bool,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let (own, deeper) = if last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    };
    let columns = COLUMNS.saturating_sub(before.chars().count() + 3).max(30);
    // A text that goes on is under its own branch, and beside what is still to come.
    let hang = if branch.below.is_empty() {
        "  "
    } else {
        "│ "
    };
    for (number, text) in wrap(&line(&branch.text), columns).iter().enumerate() {
        if number == 0 {
            writeln!(out, "{before}{own}{text}")?;
        } else {
            writeln!(out, "{before}{deeper}{hang}{text}")?;
        }
    }
    let count = branch.below.len();
    for (number, child) in branch.below.iter().enumerate() {
        write(
            child,
            &format!("{before}{deeper}"),
            number + 1 == count,
            out,
        )?;
    }
    Ok(())
}

struct Teller<'a> {
    index: &'a Index<'a>,
    now: Timestamp,
}

impl Teller<'_> {
    fn when(&self, at: Timestamp) -> String {
        let days = days_between(at, self.now);
        let day = at.strftime("%Y-%m-%d");
        match u64::try_from(days) {
            Ok(0) => format!("{day} (today)"),
            Ok(days) => format!("{day} ({} ago)", plural(days, "day", "days")),
            Err(_) => format!("{day} (in {})", plural(days.unsigned_abs(), "day", "days")),
        }
    }

    fn used(&self, last: LastUse) -> Option<String> {
        match last {
            LastUse::Unknown => None,
            LastUse::NeverSince(at) => Some(format!("never used since {}", self.when(at))),
            LastUse::At(at) => Some(format!("last used {}", self.when(at))),
        }
    }

    fn identity(&self, identity: &Identity) -> Vec<Branch> {
        let subject = select::of_identity(self.index, identity);
        let consumers = self.index.consumers(&identity.consumers);
        let own = self.index.credentials_of(identity);
        let held = self.index.credentials_held_by(identity);
        let mut out = vec![self.what(identity), Self::owner(identity)];
        out.extend(Branch::group(
            "credentials that let in as it",
            own.iter().map(|each| self.credential(each)).collect(),
        ));
        out.extend(Branch::group(
            "credentials it holds",
            held.iter().map(|each| self.credential(each)).collect(),
        ));
        out.push(self.may(identity));
        out.extend(Branch::group(
            "ways to become it",
            identity
                .trust
                .iter()
                .map(|path| {
                    let mut conditions = path.conditions.join("; ");
                    if conditions.is_empty() {
                        "without conditions".clone_into(&mut conditions);
                    }
                    Branch::new(
                        format!("{} by {}", path.principal, path.action),
                        vec![Branch::leaf(conditions)],
                    )
                })
                .collect(),
        ));
        out.extend(Branch::group(
            "consumers",
            consumers.iter().map(|each| self.consumer(each)).collect(),
        ));
        out.extend(Branch::group(
            "findings",
            subject.findings.iter().map(|each| finding(each)).collect(),
        ));
        out.push(
            Branch::group(
                "disposition",
                subject
                    .assessments
                    .iter()
                    .map(|each| self.judged(each))
                    .collect(),
            )
            .unwrap_or_else(|| {
                Branch::leaf("disposition: not judged; nothing it holds or may do is known")
            }),
        );
        out
    }

    fn what(&self, identity: &Identity) -> Branch {
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: Option<String>| {
            facts.extend(
                value
                    .filter(|text| !text.is_empty())
                    .map(|text| Branch::leaf(format!("{name}: {text}"))),
            );
        };
        fact("id", Some(identity.id.as_str().to_owned()));
        fact("account", identity.account.clone());
        fact(
            "environment",
            Some(identity.environment.as_str().to_owned()),
        );
        fact("judged", identity.human_evidence.clone());
        fact("created", identity.created_at.map(|at| self.when(at)));
        fact("use", self.used(identity.last_use));
        fact(
            "longest session",
            identity.max_session_seconds.map(duration),
        );
        fact("boundary", identity.boundary.clone());
        fact("declared at", Some(listed(&identity.locations, exact)));
        fact(
            "evidence",
            Some(format!("grade {}", identity.grade.as_str())),
        );
        for (key, value) in &identity.tags {
            fact("tag", Some(format!("{key} = {value}")));
        }
        if let Some(agent) = &identity.agent {
            fact("tool servers", Some(agent.servers.join(", ")));
            fact("runs unasked", Some(agent.auto_approved.join(", ")));
            fact("reaches", Some(agent.providers.join(", ")));
        }
        for note in &identity.notes {
            fact(
                "note",
                Some(format!("[{}] {}", note.grade.as_str(), note.text)),
            );
        }
        let kind = if identity.human { "person" } else { "machine" };
        Branch::new(
            format!(
                "{} {} ({kind}, {})",
                identity.kind.as_str(),
                identity.name,
                identity.provider
            ),
            facts,
        )
    }

    fn owner(identity: &Identity) -> Branch {
        let purpose = identity.purpose.as_deref().unwrap_or("not stated");
        Branch::new(
            identity.owner.as_deref().map_or_else(
                || "owner: nobody is named".to_owned(),
                |owner| format!("owner: {owner} (from {})", identity.owner_source.as_str()),
            ),
            vec![Branch::leaf(format!("purpose: {purpose}"))],
        )
    }

    fn credential(&self, credential: &Credential) -> Branch {
        let name = credential
            .public_id
            .as_deref()
            .or(credential.reference.as_deref())
            .or(credential
                .redacted
                .as_ref()
                .map(crate::model::Redacted::as_str))
            .unwrap_or(credential.id.as_str());
        let mut below = Vec::new();
        let mut state = format!(
            "{}, kept: {}",
            credential.status.as_str(),
            credential.storage.as_str()
        );
        if let Some(at) = credential.created_at {
            state = format!("{state}, issued {}", self.when(at));
        }
        match (credential.expires_at, credential.expires_by_nature) {
            (Some(at), _) => state = format!("{state}, ends {}", self.when(at)),
            (None, Some(false)) => state.push_str(", never ends by itself"),
            (None, _) => {}
        }
        if let Some(used) = self.used(credential.last_use) {
            state = format!("{state}, {used}");
        }
        below.push(Branch::leaf(state));
        if let Some(join) = &credential.join {
            below.push(Branch::leaf(format!(
                "joined: [{}] {}",
                join.grade.as_str(),
                join.text
            )));
        }
        below.extend(Branch::group(
            "sightings",
            credential
                .sightings
                .iter()
                .map(|sighting| {
                    let mut text = sighting.location().display();
                    text.push_str(if sighting.at_head {
                        ", there now"
                    } else {
                        ", in the history"
                    });
                    if let Some(author) = &sighting.author {
                        text = format!("{text}, brought in by {author}");
                    }
                    if let Some(at) = sighting.first_seen {
                        text = format!("{text} on {}", at.strftime("%Y-%m-%d"));
                    }
                    Branch::leaf(text)
                })
                .collect(),
        ));
        let users = self.index.consumers(&credential.consumers);
        below.extend(Branch::group(
            "used by",
            users
                .iter()
                .map(|each| Branch::leaf(format!("{} ({})", each.name, each.runtime)))
                .collect(),
        ));
        Branch::new(format!("{} {name}", credential.kind), below)
    }

    fn may(&self, identity: &Identity) -> Branch {
        let privilege = &identity.privilege;
        let mut below: Vec<Branch> = privilege
            .evidence
            .iter()
            .map(|each| Branch::leaf(format!("[{}] {}", each.grade.as_str(), each.text)))
            .collect();
        for path in &privilege.escalation {
            below.push(Branch::leaf(format!(
                "leads further by {}: {}",
                path.actions.join(", "),
                path.note
            )));
        }
        let grants = self.index.grants(&identity.grants);
        below.extend(Branch::group(
            "grants",
            grants.iter().map(|each| grant(each)).collect(),
        ));
        let known = if privilege.assumed || (below.is_empty() && privilege.tier == 0) {
            "not known"
        } else {
            match privilege.tier {
                0 => "nothing",
                1 => "lists and reads metadata",
                2 => "reads data, or writes to one resource",
                3 => "writes at service level",
                4 => "escalates, reads secret stores or publishes",
                _ => "administers",
            }
        };
        Branch::new(format!("may: {known} (tier {})", privilege.tier), below)
    }

    fn consumer(&self, consumer: &Consumer) -> Branch {
        let mut below = Vec::new();
        let mut run = vec![format!(
            "{} on {}",
            consumer.class.as_str(),
            consumer.runtime
        )];
        run.extend(
            consumer
                .schedule
                .as_ref()
                .map(|cron| format!("runs at {cron}")),
        );
        run.extend(
            consumer
                .timeout_seconds
                .map(|seconds| format!("at most {}", duration(seconds))),
        );
        run.extend(
            consumer
                .environment
                .as_ref()
                .map(|name| format!("environment {name}")),
        );
        below.push(Branch::leaf(run.join(", ")));
        for risk in &consumer.risks {
            below.push(Branch::leaf(format!("risk: {risk}")));
        }
        for each in &consumer.evidence {
            below.push(Branch::leaf(format!(
                "[{}] {}",
                each.grade.as_str(),
                each.text
            )));
        }
        for id in &consumer.uses.identities {
            if let Some(identity) = self.index.identity(Some(id)) {
                below.push(Branch::leaf(format!("uses {}", identity.native_id)));
            }
        }
        let place = consumer
            .location
            .as_ref()
            .map_or_else(String::new, |at| format!(" at {}", at.display()));
        Branch::new(format!("{}{place}", consumer.name), below)
    }

    fn judged(&self, assessment: &Assessment) -> Branch {
        let mut below = Vec::new();
        for blocker in &assessment.blockers {
            below.push(Branch::leaf(format!(
                "in the way: {} ([{}] {})",
                blocker.id,
                blocker.evidence.grade.as_str(),
                blocker.evidence.text
            )));
        }
        if let Some(item) = self.index.plan_of(assessment) {
            below.push(Branch::leaf(format!(
                "plan item {} in wave {}",
                item.id.as_str(),
                item.wave
            )));
        }
        Branch::new(
            format!(
                "{}: risk {} ({}), fit {}, {}",
                assessment.disposition.as_str(),
                assessment.risk.score,
                assessment.risk.band.as_str(),
                assessment.fit.score,
                assessment.risk.vector
            ),
            below,
        )
    }
}

fn grant(grant: &Grant) -> Branch {
    let mut below = Vec::new();
    if !grant.actions.is_empty() {
        let more = if usize::try_from(grant.actions_total)
            .is_ok_and(|total| total > grant.actions.len())
        {
            format!(
                " and {} more",
                grant.actions_total as usize - grant.actions.len()
            )
        } else {
            String::new()
        };
        below.push(Branch::leaf(format!("{}{more}", grant.actions.join(", "))));
    }
    if !grant.resources.is_empty() {
        below.push(Branch::leaf(format!("on {}", grant.resources.join(", "))));
    }
    if !grant.conditions.is_empty() {
        below.push(Branch::leaf(format!("if {}", grant.conditions.join("; "))));
    }
    if let Some(at) = &grant.location {
        below.push(Branch::leaf(format!("at {}", at.display())));
    }
    Branch::new(
        format!(
            "{} {} (tier {})",
            grant.source.as_str(),
            grant.name,
            grant.tier
        ),
        below,
    )
}

fn finding(finding: &Finding) -> Branch {
    let state = if finding.ignored.is_some() {
        " (ignored)"
    } else {
        ""
    };
    Branch::new(
        format!(
            "{} {}: {}{state}",
            finding.severity, finding.rule, finding.title
        ),
        vec![Branch::leaf(format!("at {}", places(&finding.locations)))],
    )
}

fn places(locations: &[Location]) -> String {
    listed(locations, Location::display)
}

/// A place with its column.
fn exact(location: &Location) -> String {
    match (location.line, location.column) {
        (Some(_), Some(column)) => format!("{}:{column}", location.display()),
        _ => location.display(),
    }
}

fn listed(locations: &[Location], shown: fn(&Location) -> String) -> String {
    let all: Vec<String> = locations.iter().take(5).map(shown).collect();
    let more = if locations.len() > 5 {
        format!(" and {} more", locations.len() - 5)
    } else {
        String::new()
    };
    format!("{}{more}", all.join(", "))
}
