//! What is judged: one credential, or one identity without any, with everything known around it.

use super::JitContext;
use super::index::{Index, unlisted};
use crate::model::{
    Activity, Assessment, BreakGlass, Consumer, ConsumerClass, Credential, Disposition,
    Environment, Evidence, Grade, Identity, IdentityKind,
};
use crate::rules::config::Annotation;
use crate::rules::targets::{Choice, Facts, MechanismClass, Situation, Target, Targets};
use std::collections::BTreeSet;

/// One subject of judgement.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The credential; `None` when an identity without one is judged.
    pub credential: Option<&'a Credential>,
    /// The identity, if known.
    pub identity: Option<&'a Identity>,
    /// Who uses it.
    pub consumers: Vec<&'a Consumer>,
    /// The least bounded class among them.
    pub class: ConsumerClass,
    /// How the class is known.
    pub class_evidence: Evidence,
    /// Where it runs; `unknown`, `several` or a runtime's name.
    pub runtime: String,
    /// Names that annotations are looked up by.
    pub names: Vec<&'a str>,
    /// Owner, if any source names one.
    pub owner: Option<String>,
    /// Deployment environment.
    pub environment: Environment,
    /// How the environment is known; `None` when it is not.
    pub environment_evidence: Option<Evidence>,
    /// Which entries of the catalogue apply.
    pub situation: Situation,
    /// The target chosen.
    pub choice: Choice<'a>,
    /// Its use as logs show it.
    pub activity: Vec<&'a Activity>,
    /// All use of its identity, with whichever credential.
    pub whole: Vec<&'a Activity>,
    /// An identity of another account whose trust lets it in.
    pub lets_in: Option<&'a Identity>,
    /// Its target is one that is tried, not the one chosen.
    pub tried: bool,
    /// Issuers of OIDC providers of its account, or of every account when its own is not known.
    pub issuers: BTreeSet<String>,
    config: &'a crate::rules::config::Config,
}

/// Every subject of an inventory, in the order of their ids: credentials first.
pub fn subjects<'a>(context: &JitContext<'a>) -> Vec<Subject<'a>> {
    let index = Index::new(context);
    let credentials = context
        .inventory
        .credentials
        .values()
        // A key that is gone and that only logs remember leaves nothing to do.
        .filter(|credential| !unlisted(credential) || !credential.sightings.is_empty())
        .map(|credential| Subject::of_credential(context, &index, credential));
    let identities = context
        .inventory
        .identities
        .values()
        .filter(|identity| judged(&index, identity))
        .map(|identity| Subject::of_identity(context, &index, identity));
    let all = credentials.chain(identities);
    all.map(|subject| Subject {
        lets_in: subject.identity.and_then(|one| index.lets_in(one)),
        ..subject
    })
    .collect()
}

/// Whether an identity is judged by itself: a machine that has access and no credential that is judged in its place.
fn judged(index: &Index<'_>, identity: &Identity) -> bool {
    let kind = !matches!(
        identity.kind,
        IdentityKind::AwsRoot
            | IdentityKind::ServiceLinkedRole
            | IdentityKind::AwsAccount
            | IdentityKind::Unresolved
    );
    let access = !identity.grants.is_empty()
        || !identity.trust.is_empty()
        || identity.privilege.tier > 0
        || index.activity.contains_key(&identity.id)
        || identity
            .agent
            .as_ref()
            .is_some_and(|agent| !agent.servers.is_empty());
    let stands_for_credential =
        matches!(identity.kind, IdentityKind::Agent | IdentityKind::McpServer)
            && index
                .of_identity(&identity.id)
                .iter()
                .any(|consumer| !consumer.uses.credentials.is_empty());
    kind && access
        && !identity.is_deleted()
        && !identity.human
        && !index.with_credentials.contains(&identity.id)
        && !stands_for_credential
}

impl<'a> Subject<'a> {
    fn of_credential(
        context: &JitContext<'a>,
        index: &Index<'a>,
        credential: &'a Credential,
    ) -> Self {
        let identity = context.inventory.identity_of(credential);
        let mut consumers = index.of_credential(&credential.id).to_vec();
        if consumers.is_empty()
            && let Some(identity) = identity
            && identity.credentials.len() <= 1
        {
            consumers = index.of_identity(&identity.id).to_vec();
        }
        let mut names = vec![credential.id.as_str()];
        names.extend(credential.public_id.as_deref());
        names.extend(credential.reference.as_deref());
        let activity = index.used(Some(credential), identity);
        let whole = index.used(None, identity);
        Self::build(
            context,
            Some(credential),
            identity,
            consumers,
            [activity, whole],
            names,
        )
    }

    fn of_identity(context: &JitContext<'a>, index: &Index<'a>, identity: &'a Identity) -> Self {
        let consumers = index.of_identity(&identity.id).to_vec();
        let activity = index.used(None, Some(identity));
        Self::build(
            context,
            None,
            Some(identity),
            consumers,
            [activity.clone(), activity],
            Vec::new(),
        )
    }

    fn build(
        context: &JitContext<'a>,
        credential: Option<&'a Credential>,
        identity: Option<&'a Identity>,
        consumers: Vec<&'a Consumer>,
        [activity, whole]: [Vec<&'a Activity>; 2],
        mut names: Vec<&'a str>,
    ) -> Self {
        if let Some(identity) = identity {
            names.extend([
                identity.native_id.as_str(),
                identity.name.as_str(),
                identity.id.as_str(),
            ]);
        }
        let mut subject = Self {
            credential,
            identity,
            consumers,
            class: ConsumerClass::Unknown,
            class_evidence: Evidence::new(Grade::D, "nothing is known of what uses it"),
            runtime: "unknown".to_owned(),
            names,
            owner: None,
            environment: Environment::Unknown,
            environment_evidence: None,
            situation: Situation::Credential,
            choice: Choice {
                target: None,
                reason: String::new(),
                exact_runtime: false,
            },
            activity,
            whole,
            lets_in: None,
            tried: false,
            issuers: issuers(context, credential, identity),
            config: context.config,
        };
        subject.classify(context);
        subject.own(context);
        subject.place(context);
        subject.situation = subject.situate();
        subject.choice = context.targets.select(
            subject.kind(),
            &subject.runtime,
            &Facts {
                situation: subject.situation,
                issuers: subject.issuers.clone(),
                beyond: subject.beyond(),
                only_installs: subject.only_installs(),
            },
        );
        if let Some(store) = subject.other_store() {
            let reason = format!("; it opens {store}, which is not AWS");
            subject.choice.reason.push_str(&reason);
        }
        subject.keep_static(context);
        subject
    }

    /// What is said to take nothing but a static key goes on with the one it has, narrower; where it would go is named.
    fn keep_static(&mut self, context: &JitContext<'a>) {
        if self.credential.is_none() || self.annotated(|note| note.vendor_static) != Some(true) {
            return;
        }
        let better = self
            .choice
            .target
            .filter(|target| target.class < MechanismClass::RotateOnly);
        let facts = Facts {
            situation: Situation::KeptStatic,
            ..Facts::default()
        };
        let kept = context.targets.select(self.kind(), &self.runtime, &facts);
        let (Some(better), Some(target)) = (better, kept.target) else {
            return;
        };
        self.choice.reason = format!(
            "declared to take nothing but a static key; when that changes: {} ({}, as of {})",
            better.title, better.id, better.as_of
        );
        self.choice.target = Some(target);
        self.choice.exact_runtime = false;
        if !self.whole.is_empty() {
            self.activity.clone_from(&self.whole);
        }
    }

    /// The same where its credential has to stay: what its lifetime, its risk after the plan and its steps are about is the
    /// credential, and what could take its place is named. Nothing where what was chosen leaves it in place anyway.
    pub(super) fn kept(&self, targets: &'a Targets, stands: Disposition) -> Option<Self> {
        self.credential?;
        // A token that lives for days is renewed like what stays; one that lives for hours is not.
        let lasts = |target: &Target| target.ttl.as_ref().is_some_and(|ttl| ttl.max >= 86_400);
        let better = self.choice.target.filter(|target| {
            target.class < MechanismClass::ExpiringToken
                || target.class == MechanismClass::ExpiringToken && !lasts(target)
        })?;
        if stands != Disposition::ShortenAndCompensate || self.root_key() || self.tried {
            return None;
        }
        let facts = Facts {
            situation: Situation::Kept,
            ..Facts::default()
        };
        let target = targets.select(self.kind(), &self.runtime, &facts).target?;
        let reason = format!(
            "it stays for now; once nothing stands in the way: {} ({}, as of {})",
            better.title, better.id, better.as_of
        );
        Some(self.clone().with(target, &reason))
    }

    /// The subject with the mechanism that its assessment is about.
    pub(crate) fn settled(self, targets: &'a Targets, judged: &Assessment) -> Self {
        match judged.target.as_deref().and_then(|id| targets.get(id)) {
            Some(target) => self.with(target, &judged.target_reason),
            None => self,
        }
    }

    /// The subject with this mechanism.
    pub(crate) fn with(mut self, target: &'a Target, reason: &str) -> Self {
        if self.choice.target.map(|chosen| &chosen.id) != Some(&target.id) {
            self.choice.target = Some(target);
            reason.clone_into(&mut self.choice.reason);
            self.choice.exact_runtime = false;
        }
        // What narrows the holder of a credential that stays is about all of the holder's use.
        if target.situation.stays() && !self.whole.is_empty() {
            self.activity.clone_from(&self.whole);
        }
        self
    }

    /// Why the mechanism that is tried is none for it.
    pub(super) fn misfit(&self) -> Option<String> {
        let target = self.choice.target.filter(|_| self.tried)?;
        let kind = self.kind();
        let fits = |name: &String| crate::rules::targets::matches(name, kind);
        if !target.replaces.iter().any(fits) {
            return Some(format!(
                "{} is for {}, not for {kind}",
                target.id,
                target.replaces.join(", ")
            ));
        }
        let runs = match self.runtime.as_str() {
            _ if target.runs_in(&self.runtime).is_some() => return None,
            "unknown" => "where it runs is not known".to_owned(),
            "several" => "it runs in several places".to_owned(),
            runtime => format!("it runs in {runtime}"),
        };
        Some(format!(
            "{} works in {}, and {runs}: the workload has to move there first",
            target.id,
            target.runtimes.join(", ")
        ))
    }

    /// Whether its credential goes on under the plan: nothing takes its place.
    pub fn keeps_credential(&self) -> bool {
        self.credential.is_some()
            && self
                .choice
                .target
                .is_some_and(|target| target.situation.stays())
    }

    /// Credential type or identity kind, the word the catalogue knows it by.
    pub fn kind(&self) -> &'a str {
        match (self.credential, self.identity) {
            (Some(_), _) if self.other_store().is_some() => "s3-compatible-key",
            (Some(credential), _) => &credential.kind,
            (None, Some(identity)) => identity.kind.as_str(),
            (None, None) => "unknown",
        }
    }

    /// What people call it.
    pub fn name(&self) -> String {
        let who = self.identity.map(|identity| identity.name.as_str());
        let Some(credential) = self.credential else {
            return who.unwrap_or("unknown").to_owned();
        };
        let what = credential
            .public_id
            .as_deref()
            .or(credential.reference.as_deref())
            .unwrap_or(credential.id.as_str());
        match who {
            Some(who) => format!("{} {what} of {who}", credential.kind),
            None => format!("{} {what}", credential.kind),
        }
    }

    /// The last annotation that answers a question about this subject.
    pub fn annotated<T>(&self, field: impl Fn(&Annotation) -> Option<T>) -> Option<T> {
        self.config.annotated(&self.names, field)
    }

    /// An access key of an account's root user.
    pub fn root_key(&self) -> bool {
        self.credential.is_some()
            && self
                .identity
                .is_some_and(|identity| identity.kind == IdentityKind::AwsRoot)
    }

    /// Declared or suspected emergency access.
    pub fn break_glass(&self) -> Option<BreakGlass> {
        match self.annotated(|note| note.break_glass) {
            Some(true) => Some(BreakGlass::Declared),
            Some(false) => None,
            None => self.identity.and_then(|identity| identity.break_glass),
        }
    }

    /// A person signs in with it.
    pub fn human(&self) -> bool {
        self.annotated(|note| note.human)
            .unwrap_or_else(|| self.identity.is_some_and(|identity| identity.human))
    }

    /// An AI agent uses it.
    pub fn agent(&self) -> bool {
        self.class == ConsumerClass::Agent
            || self
                .consumers
                .iter()
                .any(|c| c.class == ConsumerClass::Agent)
            || self.identity.is_some_and(|identity| {
                matches!(identity.kind, IdentityKind::Agent | IdentityKind::McpServer)
            })
    }

    /// Identities of agents that use it, and the subject's own.
    pub fn agent_identities(&self, context: &JitContext<'a>) -> Vec<&'a Identity> {
        let mut found: Vec<_> = self.identity.into_iter().collect();
        found.extend(self.consumers.iter().filter_map(|consumer| {
            context
                .inventory
                .identities
                .get(consumer.identity.as_ref()?)
        }));
        found.retain(|identity| identity.agent.is_some());
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.dedup_by(|a, b| a.id == b.id);
        found
    }

    /// Distinct pipelines, services and repositories that use it or hold a copy: each is a path of its own.
    pub fn paths(&self) -> BTreeSet<String> {
        let mut paths: BTreeSet<String> = self
            .consumers
            .iter()
            .map(|consumer| {
                let unit = match consumer.class {
                    // Jobs of one workflow file are one path.
                    ConsumerClass::Ci => consumer.name.split('/').next().unwrap_or_default(),
                    _ => consumer.name.as_str(),
                };
                match &consumer.repository {
                    Some(repository) => format!("{repository}: {unit}"),
                    None => format!("{}: {unit}", consumer.runtime),
                }
            })
            .collect();
        let named: BTreeSet<&str> = self
            .consumers
            .iter()
            .filter_map(|consumer| consumer.repository.as_deref())
            .collect();
        if let Some(credential) = self.credential {
            paths.extend(
                credential
                    .sightings
                    .iter()
                    .filter(|seen| seen.at_head && !named.contains(seen.repository.as_str()))
                    .map(|seen| format!("{}: copy in a file", seen.repository)),
            );
        }
        paths
    }

    fn classify(&mut self, context: &JitContext<'a>) {
        let runtimes: BTreeSet<&str> = self
            .consumers
            .iter()
            .map(|consumer| consumer.runtime.as_str())
            .filter(|runtime| !runtime.is_empty())
            .collect();
        if let Some(consumer) = self.consumers.iter().max_by_key(|c| unboundedness(c.class)) {
            self.class = consumer.class;
            self.class_evidence = consumer.evidence.first().cloned().unwrap_or_else(|| {
                Evidence::new(
                    Grade::B,
                    format!(
                        "{} is declared as {}",
                        consumer.name,
                        consumer.class.as_str()
                    ),
                )
            });
            self.runtime = match runtimes.len() {
                0 => "unknown".to_owned(),
                1 => runtimes.first().copied().unwrap_or_default().to_owned(),
                _ => "several".to_owned(),
            };
        }
        if let Some(identity) = self.identity {
            if self.class == ConsumerClass::Unknown
                && identity.consumer_class != ConsumerClass::Unknown
            {
                self.class = identity.consumer_class;
                self.class_evidence = Evidence::new(
                    identity.grade,
                    format!(
                        "{} is known as {}",
                        identity.name,
                        identity.consumer_class.as_str()
                    ),
                );
            }
            if self.consumers.is_empty() {
                self.classify_by_trust(context, identity);
                self.classify_by_vendor(identity);
            }
            if self.runtime == "unknown" {
                let runtime = match identity.kind {
                    IdentityKind::KubernetesServiceAccount | IdentityKind::Workload => "kubernetes",
                    IdentityKind::CiJob if identity.provider == "github" => "github-actions",
                    IdentityKind::CiJob if identity.provider == "gitlab" => "gitlab-ci",
                    IdentityKind::Agent | IdentityKind::McpServer => "agent-host",
                    _ => "unknown",
                };
                runtime.clone_into(&mut self.runtime);
            }
        }
        self.classify_by_use(context);
        if self.human() {
            self.class = ConsumerClass::Human;
            "laptop".clone_into(&mut self.runtime);
            let why = self
                .identity
                .and_then(|identity| identity.human_evidence.clone())
                .unwrap_or_else(|| "declared in the configuration".to_owned());
            self.class_evidence = Evidence::new(Grade::B, format!("a person uses it: {why}"));
        }
        if self.class == ConsumerClass::Agent && self.runtime == "unknown" {
            "agent-host".clone_into(&mut self.runtime);
        }
    }

    fn own(&mut self, context: &JitContext<'a>) {
        let repository = self
            .repositories()
            .into_iter()
            .find_map(|name| context.config.repository(name, |note| note.owner.clone()));
        let account = self
            .account()
            .and_then(|account| context.config.account.get(account)?.owner.clone());
        self.owner = self
            .annotated(|note| note.owner.clone())
            .or_else(|| self.identity.and_then(|identity| identity.owner.clone()))
            .or_else(|| {
                // The owner of the only consumer answers for what it uses.
                match self.consumers.as_slice() {
                    [only] => context
                        .inventory
                        .identities
                        .get(only.identity.as_ref()?)?
                        .owner
                        .clone(),
                    _ => None,
                }
            })
            .or(account)
            .or(repository);
    }

    /// Repositories of its consumers and sightings.
    pub fn repositories(&self) -> BTreeSet<&'a str> {
        let mut names: BTreeSet<&str> = self
            .consumers
            .iter()
            .filter_map(|consumer| consumer.repository.as_deref())
            .collect();
        if let Some(credential) = self.credential {
            names.extend(
                credential
                    .sightings
                    .iter()
                    .map(|seen| seen.repository.as_str()),
            );
        }
        names
    }

    /// Account it belongs to.
    pub fn account(&self) -> Option<&'a str> {
        self.identity
            .and_then(|identity| identity.account.as_deref())
            .or_else(|| {
                self.credential
                    .and_then(|credential| credential.account.as_deref())
            })
    }

    fn place(&mut self, context: &JitContext<'a>) {
        let annotated = self.annotated(|note| note.environment).map(|environment| {
            (
                environment,
                Evidence::new(Grade::B, "declared in the configuration"),
            )
        });
        let identity = self
            .identity
            .filter(|identity| identity.environment != Environment::Unknown)
            .map(|identity| {
                let text = format!("{} is {}", identity.name, identity.environment.as_str());
                (identity.environment, Evidence::new(identity.grade, text))
            });
        let account = self.account().and_then(|account| {
            let environment = context.config.account.get(account)?.environment?;
            let text = format!("account {account} is declared {}", environment.as_str());
            Some((environment, Evidence::new(Grade::B, text)))
        });
        let consumer = self
            .consumer_environments(context)
            .pop_last()
            .map(|environment| {
                let text = format!("a consumer names {}", environment.as_str());
                (environment, Evidence::new(Grade::B, text))
            });
        let repository = self.repositories().into_iter().find_map(|name| {
            let environment = context.config.repository(name, |note| note.environment)?;
            let text = format!("repository {name} is declared {}", environment.as_str());
            Some((environment, Evidence::new(Grade::B, text)))
        });
        if let Some((environment, evidence)) = annotated
            .or(identity)
            .or(account)
            .or(consumer)
            .or(repository)
        {
            self.environment = environment;
            self.environment_evidence = Some(evidence);
        }
    }

    /// Environments its consumers name, as far as the words are known.
    pub fn consumer_environments(&self, context: &JitContext<'_>) -> BTreeSet<Environment> {
        let rules = &context.scoring.sensitivity;
        self.consumers
            .iter()
            .filter_map(|consumer| consumer.environment.as_deref())
            .filter_map(|text| {
                let words = words(text);
                let has = |list: &[String]| list.iter().any(|word| words.contains(word));
                if has(&rules.production_words) {
                    Some(Environment::Production)
                } else if has(&rules.staging_words) {
                    Some(Environment::Staging)
                } else if has(&rules.development_words) {
                    Some(Environment::Development)
                } else {
                    None
                }
            })
            .collect()
    }

    fn situate(&self) -> Situation {
        if self.root_key() {
            Situation::Root
        } else if self.break_glass() == Some(BreakGlass::Declared) {
            Situation::BreakGlass
        } else if self.human() {
            Situation::Human
        } else if self.class == ConsumerClass::Vendor {
            Situation::Vendor
        } else if self.credential.is_some() {
            Situation::Credential
        } else {
            Situation::Identity
        }
    }
}

/// Words of a name: lower-case runs of letters and digits.
pub fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Order of classes from the most to the least bounded.
pub(super) const fn unboundedness(class: ConsumerClass) -> u8 {
    match class {
        ConsumerClass::Ci => 0,
        ConsumerClass::Scheduled => 1,
        ConsumerClass::Batch => 2,
        ConsumerClass::Function => 3,
        ConsumerClass::Human => 4,
        ConsumerClass::IncidentResponse => 5,
        ConsumerClass::Agent => 6,
        ConsumerClass::Vendor => 7,
        ConsumerClass::RequestDriven => 8,
        ConsumerClass::Unknown => 9,
        ConsumerClass::Daemon => 10,
    }
}

fn issuers(
    context: &JitContext<'_>,
    credential: Option<&Credential>,
    identity: Option<&Identity>,
) -> BTreeSet<String> {
    let account = identity
        .and_then(|identity| identity.account.as_ref())
        .or_else(|| credential.and_then(|credential| credential.account.as_ref()));
    let all = &context.inventory.oidc_issuers;
    match account {
        Some(account) => all.get(account).into_iter().flatten().cloned().collect(),
        None => all.values().flatten().cloned().collect(),
    }
}
