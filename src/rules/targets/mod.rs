//! The target catalogue: `rules/targets/*.toml`. What a credential found in a runtime can be replaced with, for how
//! long, how it is revoked and how a later scan proves the move.

mod proof;
#[cfg(test)]
mod tests;

pub use proof::Proof;

use super::RuleError;
use crate::model::ConsumerClass;

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Folder of the data below `rules/`.
const FOLDER: &str = "targets";

/// What the detection rules say of each type. Looked at only for a type that no entry of the catalogue names.
static BY_RULE: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        rule: Vec<Rule>,
    }
    /// As much of a rule as is asked for here.
    #[derive(Deserialize)]
    struct Rule {
        credential_type: String,
        target: String,
    }
    let files = super::folder::<File>("credentials").unwrap_or_default();
    let rules = files.into_iter().flat_map(|(_, file)| file.rule);
    rules
        .map(|rule| (rule.credential_type, rule.target))
        .collect()
});

/// What a mechanism rests on, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MechanismClass {
    /// The platform gives the workload an identity and refreshes it; nothing is stored.
    Ambient,
    /// The runtime proves what it is with a signed token and gets access in exchange.
    Federation,
    /// A broker mints credentials on request.
    Broker,
    /// The vendor issues tokens that expire.
    ExpiringToken,
    /// The secret stays static; it can only be changed often.
    RotateOnly,
    /// Nothing replaces it.
    None,
}

impl MechanismClass {
    /// Word used in data and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Federation => "federation",
            Self::Broker => "broker",
            Self::ExpiringToken => "expiring-token",
            Self::RotateOnly => "rotate-only",
            Self::None => "none",
        }
    }
}

/// How access through a mechanism ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// It expires, and an interface can end it earlier.
    TtlAndApi,
    /// It expires; nothing ends it earlier.
    Ttl,
    /// It does not expire; an interface ends it.
    Api,
    /// A person has to end it.
    Manual,
}

impl Revocation {
    /// Word used in data and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TtlAndApi => "ttl-and-api",
            Self::Ttl => "ttl",
            Self::Api => "api",
            Self::Manual => "manual",
        }
    }
}

/// Which subjects an entry is for, before type and runtime are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Situation {
    /// A machine's credential.
    #[default]
    Credential,
    /// An identity that holds no credential: its trust is what can be tightened.
    Identity,
    /// A person's credential.
    Human,
    /// A credential or role of another organisation.
    Vendor,
    /// An account's root user.
    Root,
    /// Emergency access.
    BreakGlass,
    /// A machine's credential that has to stay for now: what could take its place is out of reach.
    Kept,
    /// The same in the hands of another organisation, or of a system, that is declared to take nothing but a static key.
    KeptStatic,
}

impl Situation {
    /// The credential of today goes on, narrower.
    pub const fn stays(self) -> bool {
        matches!(self, Self::Kept | Self::KeptStatic)
    }
}

/// Who asks again when a lifetime ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// The platform, without the consumer noticing.
    Platform,
    /// The consumer.
    #[default]
    Client,
    /// Nobody: there is nothing to renew.
    None,
}

/// Limits of a lifetime, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtlLimits {
    /// Shortest the mechanism issues.
    pub min: u64,
    /// What it issues unasked.
    pub default: u64,
    /// Longest it issues.
    pub max: u64,
    /// What the limits are called: `STS minimum 15 min`.
    pub note: String,
}

/// One step of the cut-over that is particular to a mechanism.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    /// What to do.
    pub text: String,
    /// Command, with `{placeholders}`.
    pub command: Option<String>,
    /// What shows that the step is done, where a plan is carried on that was begun: all of it has to hold.
    #[serde(default)]
    pub settled_by: Vec<Proof>,
}

/// Size of the move.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffortText {
    /// `S`, `M` or `L`.
    pub size: String,
    /// Why.
    pub reason: String,
}

/// One row of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Stable id.
    pub id: String,
    /// Which subjects it is for.
    #[serde(default)]
    pub situation: Situation,
    /// The mechanism in words.
    pub title: String,
    /// Credential types it replaces, or identity kinds it tightens; a name may end in `*`.
    pub replaces: Vec<String>,
    /// Runtimes it works in; `*` for any.
    pub runtimes: Vec<String>,
    /// What it rests on.
    pub class: MechanismClass,
    /// Lifetime limits; absent when the platform decides or there is nothing to issue.
    pub ttl: Option<TtlLimits>,
    /// Who renews.
    #[serde(default)]
    pub refresh: Refresh,
    /// How access ends.
    pub revocation: Revocation,
    /// Issuer host of the OIDC provider it needs in the account.
    pub issuer: Option<String>,
    /// Context questions its conditions answer when set up as described: `subject`, `origin`, `session`, `resource`.
    pub answers: Vec<String>,
    /// Exposure that remains when set up as described.
    pub exposure_after: u8,
    /// Authorizes per session.
    #[serde(default = "yes")]
    pub session_authz: bool,
    /// Reaches nothing but the consumer's own repository.
    #[serde(default)]
    pub own_only: bool,
    /// Serves to publish, and not to install what is not public.
    #[serde(default)]
    pub publishes_only: bool,
    /// The issuer accepts nothing but a static secret, as of the entry's date.
    #[serde(default)]
    pub vendor_static: bool,
    /// What must be there first.
    pub prerequisites: Vec<String>,
    /// Creates identity and trust beside the old way.
    pub create: StepText,
    /// Grants the minimum.
    pub grant: StepText,
    /// Moves one consumer.
    pub switch: StepText,
    /// How access is ended, in words.
    pub revoke: String,
    /// How access is ended, as a command with `{placeholders}`.
    pub revoke_command: Option<String>,
    /// The same for a runtime, where it is another command there.
    #[serde(default)]
    pub revoke_for: BTreeMap<String, String>,
    /// What must fail once access has ended, with `{placeholders}`.
    pub negative_test: String,
    /// What surprises people.
    pub gotchas: Vec<String>,
    /// How a later scan sees that it is done.
    pub detect_done: String,
    /// What the scan looks at for that.
    pub done: Vec<Proof>,
    /// Size of the move.
    pub effort: EffortText,
    /// Facts that nobody has verified against a primary source.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Where the facts come from.
    pub source: String,
    /// Date of the facts.
    pub as_of: String,
}

const fn yes() -> bool {
    true
}

/// What a principal named in a trust policy says about who runs as the identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeHint {
    /// Service principal or issuer host; may start or end with `*`.
    pub principal: String,
    /// Runtime behind it.
    pub runtime: String,
    /// Class of work, where it tells.
    #[serde(default)]
    pub class: ConsumerClass,
}

/// How a credential type is switched off, and how that is checked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabling {
    /// Credential type; may end in `*`.
    pub credential: String,
    /// Issuer, where only one issuer's credentials of the type end this way; may end in `*`.
    pub provider: Option<String>,
    /// Deactivates without deleting, with `{placeholders}`.
    pub deactivate: Option<String>,
    /// Undoes the deactivation.
    pub reactivate: Option<String>,
    /// Deletes, in words, where there is no command.
    pub delete: Option<String>,
    /// Deletes, with `{placeholders}`.
    pub delete_command: Option<String>,
    /// Shows the last use.
    pub last_used: Option<String>,
    /// Fails when the credential no longer works.
    pub test: String,
    /// Where the commands and words come from; nobody has held those without a source against their issuer's documentation.
    pub source: Option<String>,
    /// Date of the source.
    pub as_of: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    target: Vec<Target>,
    #[serde(default)]
    runtime: Vec<RuntimeHint>,
    #[serde(default)]
    disable: Vec<Disabling>,
}

/// What is known of a subject when its target is chosen.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Which entries apply.
    pub situation: Situation,
    /// Issuer hosts of the OIDC providers of the account.
    pub issuers: BTreeSet<String>,
    /// What it reaches outside its consumer's own repository, where that shows.
    pub beyond: Option<String>,
    /// Its consumers install packages with it and publish none.
    pub only_installs: bool,
}

/// The target chosen, and why.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The entry; `None` when the catalogue has none.
    pub target: Option<&'a Target>,
    /// Why this one.
    pub reason: String,
    /// The entry is for exactly this runtime, not for any.
    pub exact_runtime: bool,
}

/// The whole catalogue.
#[derive(Clone, Debug)]
pub struct Targets {
    entries: Vec<Target>,
    runtimes: Vec<RuntimeHint>,
    disabling: Vec<Disabling>,
}

impl Target {
    /// Whether it works in a runtime: by that runtime's name (`Some(true)`), wherever it is (`Some(false)`), or not.
    pub fn runs_in(&self, runtime: &str) -> Option<bool> {
        let exact = self
            .runtimes
            .iter()
            .any(|name| matches(name, runtime) && name != "*");
        let any = self.runtimes.iter().any(|name| name == "*");
        (exact || any).then_some(exact)
    }
}

impl Targets {
    /// The catalogue as shipped.
    ///
    /// # Errors
    /// When the embedded data is not valid; a test rules that out for a release.
    pub fn builtin() -> Result<Self, RuleError> {
        let mut targets = Self {
            entries: Vec::new(),
            runtimes: Vec::new(),
            disabling: Vec::new(),
        };
        for (path, file) in super::folder::<File>(FOLDER)? {
            for target in &file.target {
                check(path, target)?;
            }
            targets.entries.extend(file.target);
            targets.runtimes.extend(file.runtime);
            targets.disabling.extend(file.disable);
        }
        let mut ids = BTreeSet::new();
        for target in &targets.entries {
            if !ids.insert(target.id.as_str()) {
                return Err(RuleError::invalid(
                    FOLDER,
                    format!("`{}` is there twice", target.id),
                ));
            }
        }
        Ok(targets)
    }

    /// Every entry, in file order.
    pub fn entries(&self) -> &[Target] {
        &self.entries
    }

    /// Every command that ends something, with its `{placeholders}`.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        let of_targets = self.entries.iter().flat_map(|target| {
            target
                .revoke_command
                .iter()
                .chain(target.revoke_for.values())
        });
        let of_credentials = self.disabling.iter().flat_map(|entry| {
            [&entry.deactivate, &entry.reactivate, &entry.delete_command]
                .into_iter()
                .flatten()
        });
        of_targets.chain(of_credentials).map(String::as_str)
    }

    /// One entry.
    pub fn get(&self, id: &str) -> Option<&Target> {
        self.entries.iter().find(|target| target.id == id)
    }

    /// Chooses the target for a credential type (or identity kind) in a runtime.
    ///
    /// Entries for exactly this runtime win over entries for any, more specific type names over less specific ones,
    /// better mechanism classes over worse ones, an issuer that the account already has over one it has not, and then
    /// the order of the files decides. A credential type that no entry names has the target of its detection rule.
    pub fn select(&self, kind: &str, runtime: &str, facts: &Facts) -> Choice<'_> {
        let best = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, target)| target.situation == facts.situation)
            .filter(|(_, target)| !(target.own_only && facts.beyond.is_some()))
            .filter(|(_, target)| !(target.publishes_only && facts.only_installs))
            .filter_map(|(index, target)| {
                let specific = target
                    .replaces
                    .iter()
                    .filter(|name| matches(name, kind))
                    .map(|name| name.trim_end_matches('*').len())
                    .max()?;
                let exact = target.runs_in(runtime)?;
                let configured = target
                    .issuer
                    .as_ref()
                    .is_some_and(|issuer| facts.issuers.contains(issuer));
                Some((
                    (
                        !exact,
                        usize::MAX - specific,
                        target.class,
                        !configured,
                        index,
                    ),
                    target,
                    exact,
                ))
            })
            .min_by_key(|(rank, _, _)| *rank);
        let of_rule = || {
            let id = BY_RULE.get(kind)?;
            self.get(id)
                .filter(|target| target.situation == facts.situation)
        };
        match best {
            // The entry is the last resort: it is for any type and any runtime.
            Some(((_, usize::MAX, ..), target, exact @ false)) => {
                let target = of_rule().unwrap_or(target);
                Choice {
                    target: Some(target),
                    reason: reason(target, kind, runtime, exact, facts),
                    exact_runtime: exact,
                }
            }
            Some((_, target, exact)) => Choice {
                target: Some(target),
                reason: reason(target, kind, runtime, exact, facts),
                exact_runtime: exact,
            },
            None => Choice {
                target: None,
                reason: format!("the catalogue has no mechanism for {kind} in {runtime}"),
                exact_runtime: false,
            },
        }
    }

    /// Runtime and class behind a service principal or issuer host.
    pub fn runtime_of(&self, principal: &str) -> Option<&RuntimeHint> {
        self.runtimes
            .iter()
            .find(|hint| matches(&hint.principal, principal))
    }

    /// How a credential of this type is switched off.
    pub fn disabling(&self, kind: &str, provider: &str) -> Option<&Disabling> {
        let of_issuer = |entry: &&Disabling| {
            let named = entry.provider.as_deref();
            named.is_none_or(|named| matches(named, provider))
        };
        self.disabling
            .iter()
            .filter(|entry| matches(&entry.credential, kind))
            .filter(of_issuer)
            .max_by_key(|entry| {
                let exact = !entry.credential.ends_with('*');
                let length = entry.credential.trim_end_matches('*').len();
                (entry.provider.is_some(), exact, length)
            })
    }
}

fn reason(target: &Target, kind: &str, runtime: &str, exact: bool, facts: &Facts) -> String {
    let place = if exact {
        format!("in {runtime}")
    } else if runtime == "unknown" {
        "where it runs is not known".to_owned()
    } else {
        format!("in {runtime}, by an entry for any runtime")
    };
    let have = match &target.issuer {
        Some(issuer) if facts.issuers.contains(issuer) => {
            format!("; the account already trusts {issuer}")
        }
        _ => String::new(),
    };
    let class = target.class.as_str();
    let does = match &facts.beyond {
        Some(what) => format!("; it {what}"),
        None if facts.only_installs => "; it installs packages and publishes none".to_owned(),
        None => String::new(),
    };
    format!(
        "{kind} {place}: best class on offer is {class}{have}{does} (as of {})",
        target.as_of
    )
}

/// Whether a name of the data, which may start or end with `*`, names this text.
pub fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (_, Some("")) => true,
        (_, Some(prefix)) => text.starts_with(prefix),
        (Some(suffix), None) => text.ends_with(suffix),
        (None, None) => pattern == text,
    }
}

/// Level of the first table entry that names this text most specifically.
pub fn lookup<T: Copy>(table: &BTreeMap<String, T>, text: &str) -> Option<T> {
    table
        .iter()
        .filter(|(pattern, _)| matches(pattern, text))
        .max_by_key(|(pattern, _)| pattern.trim_end_matches('*').len())
        .map(|(_, level)| *level)
}

fn check(path: &str, target: &Target) -> Result<(), RuleError> {
    let wrong = |what: &str| Err(RuleError::invalid(path, format!("`{}`: {what}", target.id)));
    if target.replaces.is_empty() || target.runtimes.is_empty() {
        return wrong("`replaces` and `runtimes` must not be empty");
    }
    if let Some(ttl) = &target.ttl
        && !(ttl.min <= ttl.default && ttl.default <= ttl.max && ttl.max > 0)
    {
        return wrong("`ttl` must have min ≤ default ≤ max");
    }
    if target.exposure_after > 5 {
        return wrong("`exposure_after` must lie between 0 and 5");
    }
    let known = ["subject", "origin", "session", "resource"];
    if !target
        .answers
        .iter()
        .all(|answer| known.contains(&answer.as_str()))
    {
        return wrong("`answers` may hold subject, origin, session, resource");
    }
    if target.done.is_empty() {
        return wrong("`done` must not be empty");
    }
    if !["S", "M", "L"].contains(&target.effort.size.as_str()) {
        return wrong("`effort.size` must be S, M or L");
    }
    let texts = [
        &target.revoke,
        &target.negative_test,
        &target.detect_done,
        &target.source,
    ];
    if texts.iter().any(|text| text.is_empty()) {
        return wrong("`revoke`, `negative_test`, `detect_done` and `source` must not be empty");
    }
    Ok(())
}
