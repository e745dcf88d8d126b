//! The page: facts first, then what is wrong, then what was judged, from what, and what to do.

use super::super::summary::Style;
use super::super::text::{duration, line, plural, wrap};
use super::super::{Index, ReportError, permissions};
use super::{Subject, trail, used};
use crate::model::{
    Assessment, BreakGlass, Consumer, Credential, Evidence, Finding, Grant, Identity, LastUse,
    PlanItem, Sighting, TrustPath, evidence::days_between,
};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::io::Write;

/// Most entries of one list.
const MOST: usize = 25;
/// Least columns a page is wrapped to.
const LEAST: usize = 40;

/// Writes the page about a subject, so many columns wide.
///
/// # Errors
/// When the output refuses.
pub fn page(
    index: &Index<'_>,
    subject: Subject<'_>,
    colour: bool,
    columns: usize,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut page = Page {
        index,
        style: Style(colour),
        columns: columns.max(LEAST),
        now: index.report.run.now,
        out,
    };
    match subject {
        Subject::Identity(identity) => {
            page.identity(identity)?;
            page.credentials(&index.credentials_of(identity))?;
            let held = index.credentials_held_by(identity);
            page.credentials(&held)?;
            page.access(identity)?;
            page.consumers(&index.consumers(&identity.consumers))?;
            let mut findings = index.findings_of_identity(&identity.id).to_vec();
            let mut assessments = index.assessments_of_identity(&identity.id).to_vec();
            for credential in held {
                findings.extend(index.findings_of_credential(&credential.id));
                assessments.extend(index.assessment_of_credential(&credential.id));
            }
            findings.sort_by(|a, b| {
                (Reverse(a.severity), &a.rule, &a.id).cmp(&(Reverse(b.severity), &b.rule, &b.id))
            });
            findings.dedup_by(|a, b| a.id == b.id);
            assessments.sort_by(|a, b| {
                (Reverse(a.risk.score), &a.id).cmp(&(Reverse(b.risk.score), &b.id))
            });
            assessments.dedup_by(|a, b| a.id == b.id);
            page.findings(&findings)?;
            for assessment in assessments {
                page.assessment(assessment)?;
            }
        }
        Subject::Credential(credential) => {
            page.credentials(&[credential])?;
            let identity = index.identity(credential.identity.as_ref());
            if let Some(identity) = identity {
                page.identity(identity)?;
                page.access(identity)?;
            }
            page.consumers(&index.consumers_for(Some(credential), identity))?;
            page.findings(index.findings_of_credential(&credential.id))?;
            if let Some(assessment) = index.assessment_of_credential(&credential.id) {
                page.assessment(assessment)?;
            }
        }
        Subject::Finding(finding) => {
            page.findings(&[finding])?;
            page.about(finding.credential.as_ref(), finding.identity.as_ref())?;
            if let Some(assessment) = index.assessment_of(finding) {
                page.assessment(assessment)?;
            }
        }
        Subject::Assessment(assessment) => {
            page.about(assessment.credential.as_ref(), assessment.identity.as_ref())?;
            page.assessment(assessment)?;
        }
    }
    Ok(out.flush()?)
}

struct Page<'a, 'o> {
    index: &'a Index<'a>,
    style: Style,
    columns: usize,
    now: Timestamp,
    out: &'o mut dyn Write,
}

impl Page<'_, '_> {
    fn about(
        &mut self,
        credential: Option<&crate::model::CredentialId>,
        identity: Option<&crate::model::IdentityId>,
    ) -> Result<(), ReportError> {
        let credential = self.index.credential(credential);
        if let Some(credential) = credential {
            self.credentials(&[credential])?;
        }
        let of_credential = credential.and_then(|each| each.identity.as_ref());
        let identity = self.index.identity(identity.or(of_credential));
        if let Some(identity) = identity {
            self.identity(identity)?;
            self.access(identity)?;
        }
        self.consumers(&self.index.consumers_for(credential, identity))
    }

    fn heading(&mut self, text: &str) -> Result<(), ReportError> {
        let text = self.style.heading(&line(text));
        Ok(writeln!(self.out, "{text}")?)
    }

    /// A paragraph, wrapped, with a hanging indent.
    fn say(&mut self, indent: usize, text: &str) -> Result<(), ReportError> {
        for (number, each) in wrap(text, self.columns - indent - 2).iter().enumerate() {
            let hang = if number == 0 { indent } else { indent + 2 };
            writeln!(self.out, "{:hang$}{each}", "")?;
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &str) -> Result<(), ReportError> {
        if value.is_empty() {
            return Ok(());
        }
        for (number, each) in wrap(value, self.columns - 18).iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            writeln!(self.out, "  {name:<16}{each}")?;
        }
        Ok(())
    }

    /// A field of several entries, each on lines of its own.
    fn list(&mut self, name: &str, entries: &[String]) -> Result<(), ReportError> {
        for (number, entry) in entries.iter().enumerate() {
            self.field(if number == 0 { name } else { "" }, entry)?;
        }
        Ok(())
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) -> Result<(), ReportError> {
        self.field(name, value.unwrap_or_default())
    }

    fn evidence(&mut self, indent: usize, evidence: &[Evidence]) -> Result<(), ReportError> {
        for each in evidence.iter().take(MOST) {
            self.say(indent, &format!("[{}] {}", each.grade.as_str(), each.text))?;
        }
        self.left_out(indent, evidence.len())
    }

    fn left_out(&mut self, indent: usize, total: usize) -> Result<(), ReportError> {
        if total > MOST {
            self.say(indent, &format!("and {} more in report.json", total - MOST))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReportError> {
        Ok(writeln!(self.out)?)
    }

    fn when(&self, at: Timestamp) -> String {
        let days = days_between(at, self.now);
        let day = at.strftime("%Y-%m-%d");
        match u64::try_from(days) {
            Ok(0) => format!("{day} (today)"),
            Ok(days) => format!("{day} ({} ago)", plural(days, "day", "days")),
            Err(_) => format!("{day} (in {})", plural(days.unsigned_abs(), "day", "days")),
        }
    }

    fn use_of(&self, last_use: LastUse) -> String {
        match last_use {
            LastUse::Unknown => "unknown: no telemetry".to_owned(),
            LastUse::NeverSince(since) => format!("never since {}", self.when(since)),
            LastUse::At(at) => self.when(at),
        }
    }

    fn identity(&mut self, identity: &Identity) -> Result<(), ReportError> {
        let kind = if identity.human { "person" } else { "machine" };
        self.heading(&format!(
            "Identity {} ({kind}, {})",
            identity.name,
            identity.kind.as_str()
        ))?;
        self.field("id", identity.id.as_str())?;
        self.field("called", &identity.native_id)?;
        self.maybe("account", identity.account.as_deref())?;
        self.field("environment", identity.environment.as_str())?;
        let owner = identity.owner.as_deref().map_or_else(
            || "nobody is named".to_owned(),
            |owner| format!("{owner} (from {})", identity.owner_source.as_str()),
        );
        self.field("owner", &owner)?;
        self.field(
            "purpose",
            identity.purpose.as_deref().unwrap_or("not stated"),
        )?;
        self.maybe("judged", identity.human_evidence.as_deref())?;
        if let Some(created) = identity.created_at {
            self.field("created", &self.when(created))?;
        }
        self.field("last used", &self.use_of(identity.last_use))?;
        if let Some(seconds) = identity.max_session_seconds {
            self.field("longest session", &duration(seconds))?;
        }
        self.maybe("boundary", identity.boundary.as_deref())?;
        match identity.break_glass {
            Some(BreakGlass::Declared) => self.field("break-glass", "declared")?,
            Some(BreakGlass::Suspected) => {
                self.field("break-glass", "suspected by its name; confirm it")?;
            }
            None => {}
        }
        if let Some(agent) = &identity.agent {
            self.field("tool servers", &agent.servers.join(", "))?;
            self.field("runs unasked", &agent.auto_approved.join(", "))?;
            self.field("reaches", &agent.providers.join(", "))?;
        }
        self.evidence(2, &identity.notes)?;
        self.end()
    }

    fn credentials(&mut self, credentials: &[&Credential]) -> Result<(), ReportError> {
        for credential in credentials.iter().take(MOST) {
            let name = credential
                .public_id
                .as_deref()
                .or(credential.reference.as_deref());
            let name = name.unwrap_or(credential.id.as_str());
            self.heading(&format!("Credential {} {name}", credential.kind))?;
            self.field("id", credential.id.as_str())?;
            self.maybe(
                "shown as",
                credential
                    .redacted
                    .as_ref()
                    .map(crate::model::Redacted::as_str),
            )?;
            self.maybe(
                "fingerprint",
                credential
                    .fingerprint
                    .as_ref()
                    .map(crate::model::Fingerprint::as_str),
            )?;
            self.maybe("account", credential.account.as_deref())?;
            self.field("status", credential.status.as_str())?;
            if let Some(created) = credential.created_at {
                self.field("issued", &self.when(created))?;
            }
            let last_use = self.use_of(credential.last_use);
            let service = credential.last_used_service.as_deref();
            let service = service.map_or_else(String::new, |service| format!(", for {service}"));
            self.field("last used", &format!("{last_use}{service}"))?;
            let expires = match (credential.expires_at, credential.expires_by_nature) {
                (Some(at), _) => self.when(at),
                (None, Some(false)) => "never".to_owned(),
                (None, Some(true)) => "by its nature; when is not known".to_owned(),
                (None, None) => "unknown".to_owned(),
            };
            self.field("expires", &expires)?;
            self.field(
                "real",
                &format!(
                    "{} confidence: {}",
                    credential.confidence.as_str(),
                    credential.confidence_reason
                ),
            )?;
            if let Some(join) = &credential.join {
                self.field(
                    "belongs to",
                    &format!("[{}] {}", join.grade.as_str(), join.text),
                )?;
            }
            self.field("kept", credential.storage.as_str())?;
            for (name, value) in trail::fields(credential, |at| self.when(at)) {
                self.field(name, &value)?;
            }
            for seen in credential.sightings.iter().take(MOST) {
                self.sighting(seen)?;
            }
            self.left_out(2, credential.sightings.len())?;
            self.end()?;
        }
        self.left_out(0, credentials.len())
    }

    fn sighting(&mut self, seen: &Sighting) -> Result<(), ReportError> {
        let mut text = vec![format!("seen at {}", seen.location().display())];
        if !seen.layers.is_empty() {
            text.push(format!(", inside {}", seen.layers.join(" > ")));
        }
        text.push(trail::whereabouts(seen, |at| self.when(at)));
        if let Some(commit) = &seen.commit {
            let short: String = commit.chars().take(12).collect();
            text.push(format!(", commit {short}"));
        }
        if let Some(author) = &seen.author {
            text.push(format!(" by {author}"));
        }
        if let Some(first) = seen.first_seen {
            text.push(format!(", since {}", self.when(first)));
        }
        text.push(format!(" (rule {})", seen.rule));
        self.say(2, &text.concat())?;
        if let Some(context) = &seen.context {
            self.say(6, context)?;
        }
        Ok(())
    }

    fn access(&mut self, identity: &Identity) -> Result<(), ReportError> {
        let privilege = &identity.privilege;
        let assumed = if privilege.assumed { ", assumed" } else { "" };
        let admin = if privilege.admin {
            ", administrator"
        } else {
            ""
        };
        let unknown =
            privilege.tier == 0 && privilege.evidence.is_empty() && identity.grants.is_empty();
        let tier = if unknown {
            "not known".to_owned()
        } else {
            format!("tier {} of 5{admin}{assumed}", privilege.tier)
        };
        self.heading(&format!("What it can do: {tier}"))?;
        self.evidence(2, &privilege.evidence)?;
        if privilege.upper_bound {
            self.say(
                2,
                "An upper bound: rules outside this scan may take some of it away.",
            )?;
        }
        for path in privilege.escalation.iter().take(MOST) {
            let depends = if path.depends_on.is_empty() {
                String::new()
            } else {
                format!(", if {}", path.depends_on.join(" and "))
            };
            self.say(
                2,
                &format!(
                    "to higher privilege by {} ({}): {}{depends}",
                    path.id,
                    path.actions.join(" + "),
                    path.note
                ),
            )?;
        }
        self.left_out(2, privilege.escalation.len())?;
        if let Some(usage) = &privilege.usage {
            for (indent, line) in used::lines(usage) {
                self.say(indent, &line)?;
            }
        }
        let grants = self.index.grants(&identity.grants);
        for grant in grants.iter().take(MOST) {
            self.grant(grant)?;
        }
        self.left_out(2, grants.len())?;
        self.end()?;
        if identity.trust.is_empty() {
            return Ok(());
        }
        let coverage = identity.condition_coverage();
        self.heading(&format!(
            "Who can become it (conditions cover {} of 4)",
            coverage.count()
        ))?;
        for path in identity.trust.iter().take(MOST) {
            self.trust(path)?;
        }
        self.left_out(2, identity.trust.len())?;
        self.end()
    }

    fn grant(&mut self, grant: &Grant) -> Result<(), ReportError> {
        self.say(
            2,
            &format!(
                "{} grant {} (tier {}): {} on {}",
                grant.source.as_str(),
                grant.name,
                grant.tier,
                some(&grant.actions, grant.actions_total as usize),
                some(&grant.resources, grant.resources.len()),
            ),
        )?;
        if !grant.conditions.is_empty() {
            self.say(6, &format!("if {}", grant.conditions.join(" and ")))?;
        }
        Ok(())
    }

    fn trust(&mut self, path: &TrustPath) -> Result<(), ReportError> {
        let mut text = vec![format!("{} by {}", path.principal, path.action)];
        if path.external {
            text.push(", from outside this scan".to_owned());
        }
        if let Some(vendor) = &path.vendor {
            text.push(format!(", account of {vendor}"));
        }
        self.say(2, &text.concat())?;
        let covered = [
            ("subject", path.coverage.subject),
            ("origin", path.coverage.origin),
            ("session", path.coverage.session),
            ("resource", path.coverage.resource),
        ];
        let words = |wanted: bool| {
            let chosen = covered.iter().filter(|(_, held)| *held == wanted);
            chosen.map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
        };
        self.say(
            6,
            &format!(
                "asks for: {}; does not ask for: {}",
                or_none(&words(true)),
                or_none(&words(false))
            ),
        )?;
        for (text, asked) in [
            ("ends at a time", path.coverage.time),
            ("asks for an environment", path.coverage.environment),
        ] {
            if asked {
                self.say(6, text)?;
            }
        }
        for condition in &path.conditions {
            self.say(6, condition)?;
        }
        Ok(())
    }

    fn consumers(&mut self, consumers: &[&Consumer]) -> Result<(), ReportError> {
        if consumers.is_empty() {
            return Ok(());
        }
        self.heading("Who uses it")?;
        for consumer in consumers.iter().take(MOST) {
            let mut text = vec![format!(
                "{} ({}, {})",
                consumer.name,
                consumer.class.as_str(),
                consumer.runtime
            )];
            if let Some(schedule) = &consumer.schedule {
                text.push(format!(", schedule {schedule}"));
            }
            if let Some(seconds) = consumer.timeout_seconds {
                text.push(format!(", at most {}", duration(seconds)));
            }
            if let Some(location) = &consumer.location {
                text.push(format!(", declared at {}", location.display()));
            }
            self.say(2, &text.concat())?;
            for risk in &consumer.risks {
                self.say(6, risk)?;
            }
        }
        self.left_out(2, consumers.len())?;
        self.end()
    }

    fn findings(&mut self, findings: &[&Finding]) -> Result<(), ReportError> {
        if findings.is_empty() {
            return Ok(());
        }
        self.heading("Findings")?;
        for finding in findings.iter().take(MOST) {
            let severity = self
                .style
                .severity(finding.severity, finding.severity.as_str());
            writeln!(
                self.out,
                "  {severity} {} {}",
                finding.rule,
                self.style.dim(finding.id.as_str())
            )?;
            self.say(4, &finding.message)?;
            self.evidence(6, &finding.evidence)?;
            for location in finding.locations.iter().take(5) {
                let named = location
                    .logical
                    .as_deref()
                    .map_or_else(String::new, |name| format!(" {name}"));
                self.say(6, &format!("at {}{named}", location.display()))?;
            }
            let frameworks: Vec<_> = finding
                .frameworks
                .iter()
                .map(|(name, ids)| format!("{name} {}", ids.join(", ")))
                .collect();
            if !frameworks.is_empty() {
                self.say(6, &frameworks.join("; "))?;
            }
        }
        self.left_out(2, findings.len())?;
        self.end()
    }

    fn assessment(&mut self, assessment: &Assessment) -> Result<(), ReportError> {
        let risk = &assessment.risk;
        self.heading(&format!(
            "Risk of {}: {} {} ({}; likelihood {} × impact {})",
            assessment.subject,
            risk.score,
            risk.band.as_str(),
            risk.vector,
            risk.likelihood,
            risk.impact
        ))?;
        for factor in &risk.factors {
            let star = if factor.assumed { "*" } else { "" };
            self.say(
                2,
                &format!("{}{}{star} {}", factor.code, factor.level, factor.name),
            )?;
            self.evidence(6, &factor.evidence)?;
        }
        for floor in &risk.floors {
            self.say(2, &format!("raised: {floor}"))?;
        }
        self.end()?;
        self.heading(&format!(
            "Fit for just-in-time access: {} of 100",
            assessment.fit.score
        ))?;
        for factor in &assessment.fit.factors {
            self.say(
                2,
                &format!(
                    "{} {} of {} {}",
                    factor.code, factor.points, factor.max, factor.name
                ),
            )?;
            self.evidence(6, &factor.evidence)?;
        }
        for blocker in &assessment.blockers {
            let grade = blocker.evidence.grade.as_str();
            self.say(
                2,
                &format!(
                    "blocked by {}: [{grade}] {}",
                    blocker.id, blocker.evidence.text
                ),
            )?;
        }
        self.end()?;
        self.decision(assessment)?;
        if let Some(item) = self.index.plan_of(assessment) {
            self.plan(item)?;
        }
        Ok(())
    }

    fn decision(&mut self, assessment: &Assessment) -> Result<(), ReportError> {
        self.heading(&format!(
            "Disposition: {} (weakest evidence: {})",
            assessment.disposition.title(),
            assessment.confidence.as_str()
        ))?;
        for row in &assessment.trace {
            let mark = if row.matched { "yes" } else { "no " };
            self.say(2, &format!("{mark} {}", row.disposition.title()))?;
            for condition in &row.conditions {
                self.say(
                    8,
                    &format!("{:<7} {}", condition.held.as_str(), condition.text),
                )?;
            }
        }
        if let Some(next) = assessment.follow_up {
            self.field("then", next.title())?;
        }
        self.field("target", assessment.target.as_deref().unwrap_or("none"))?;
        self.field("because", &assessment.target_reason)?;
        let lifetime = assessment.ttl.seconds.map_or_else(
            || "set by the platform, or nothing to issue".to_owned(),
            duration,
        );
        self.field(
            "lifetime",
            &format!("{lifetime}: {}", assessment.ttl.evidence),
        )?;
        for (name, value) in permissions::task(assessment) {
            self.field(name, &value)?;
        }
        let window = &assessment.exposure_window;
        self.field(
            "a stolen copy",
            &format!("works for {} today; {} after", window.before, window.after),
        )?;
        if let Some(ratio) = assessment.lifetime_ratio {
            self.field("outlives task", &format!("{ratio:.0} times"))?;
        }
        let ready = assessment.readiness;
        self.field(
            "by machines",
            &format!(
                "issued {}, observed {}, revoked {}",
                ready.issue.as_str(),
                ready.observe.as_str(),
                ready.revoke.as_str()
            ),
        )?;
        self.field(
            "may be claimed",
            &format!("{} mitigation", assessment.mitigation.as_str()),
        )?;
        let after = &assessment.risk_after;
        self.field(
            "risk after",
            &format!("{} {} ({})", after.score, after.band.as_str(), after.vector),
        )?;
        for text in &after.evidence {
            self.say(6, text)?;
        }
        self.end()
    }

    fn plan(&mut self, item: &PlanItem) -> Result<(), ReportError> {
        self.heading(&format!("Plan, wave {}: {}", item.wave, item.title))?;
        self.field("id", item.id.as_str())?;
        self.field("mechanism", &item.mechanism_title)?;
        let approval = &item.approval;
        self.field(
            "approval",
            &format!(
                "{} for {}, by {} ({}): {}",
                approval.system,
                approval.duration,
                approval.approver,
                approval.tier.as_str(),
                approval.reason
            ),
        )?;
        let triggers: Vec<_> = item
            .revocation_triggers
            .iter()
            .map(|each| each.as_str())
            .collect();
        self.field("ends on", &triggers.join(", "))?;
        self.list("needs first", &item.prerequisites)?;
        self.list("ask the owner", &item.open_questions)?;
        for (name, lines) in item.permissions.iter().flat_map(permissions::short) {
            self.list(name, &lines)?;
        }
        for step in &item.steps {
            self.say(
                2,
                &format!("{}. {}. {}", step.number, step.title, step.detail),
            )?;
            for command in step.command.iter().flat_map(|command| command.lines()) {
                writeln!(self.out, "       {}", line(command))?;
            }
        }
        self.field("must work", &item.acceptance_test)?;
        self.field("must fail", &item.negative_test)?;
        self.field("roll back", &item.rollback)?;
        self.field("done when", &item.detect_done)?;
        self.end()
    }
}

fn some(entries: &[String], total: usize) -> String {
    let shown: Vec<_> = entries.iter().take(4).map(String::as_str).collect();
    match total.saturating_sub(shown.len()) {
        0 if shown.is_empty() => "nothing".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
