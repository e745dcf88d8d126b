//! Who it is, what it holds and who uses it.

use super::super::trail;
use super::{MOST, Page};
use crate::model::{
    BreakGlass, Consumer, Credential, Fingerprint, Identity, Redacted, Sighting, Storage,
};
use crate::report::ReportError;
use crate::report::text::duration;

impl Page<'_, '_> {
    pub(super) fn identity(&mut self, identity: &Identity) -> Result<(), ReportError> {
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
        let observed = &self.index.report.observed;
        let seen = observed.of_identity(&identity.id).map(|use_| use_.last);
        self.field("last used", &self.use_of(identity.last_use, seen.max()))?;
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

    pub(super) fn credentials(&mut self, credentials: &[&Credential]) -> Result<(), ReportError> {
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
                credential.redacted.as_ref().map(Redacted::as_str),
            )?;
            self.maybe(
                "fingerprint",
                credential.fingerprint.as_ref().map(Fingerprint::as_str),
            )?;
            self.maybe("account", credential.account.as_deref())?;
            self.field("status", credential.status.as_str())?;
            if let Some(created) = credential.created_at {
                self.field("issued", &self.when(created))?;
            }
            let observed = &self.index.report.observed;
            let seen = observed.of_credential(&credential.id);
            let last_use = self.use_of(credential.last_use, seen.map(|use_| use_.last));
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
            self.field("kept", kept(credential.storage))?;
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

    pub(super) fn consumers(&mut self, consumers: &[&Consumer]) -> Result<(), ReportError> {
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
}

/// Where it is kept, in words.
const fn kept(storage: Storage) -> &'static str {
    match storage {
        Storage::NotSeen => "where this scan did not read",
        Storage::Vault => "in a secrets manager",
        Storage::CiStore => "in the secret store of a platform: CI, cluster or service",
        Storage::Environment => "in an environment variable",
        Storage::PlainFile => "in a plain file",
        Storage::History => "in git history",
        Storage::Committed => "committed",
        Storage::Public => "in public",
    }
}
