//! What is known of one item, by the names that templates have for it.

use super::text::{slug, tame};
use crate::jit::subject::Subject;
use crate::jit::ttl;
use crate::model::{Consumer, Disposition, IdentityKind, PlanItem, PrincipalKind};
use crate::plan::PlanContext;
use crate::plan::commands::Values;
use crate::plan::revocation::{self, Revocation};
use crate::rules::artefacts::{Artefacts, Trust};
use std::collections::{BTreeMap, BTreeSet};

/// Values of one item.
pub(super) struct Facts<'f> {
    pub(super) item: &'f PlanItem,
    /// Provider of credential or identity.
    pub(super) system: String,
    /// Type of the old credential.
    pub(super) credential: Option<&'f str>,
    /// The trust of its target.
    pub(super) trust: Option<&'f Trust>,
    /// Of the item as a whole.
    pub(super) values: BTreeMap<&'static str, String>,
    /// Of each consumer besides.
    pub(super) consumers: Vec<BTreeMap<&'static str, String>>,
    /// Principals of AWS that take the role, as logs or its trust name them.
    pub(super) callers: Vec<String>,
    /// Subjects of tokens that the role trusts today and that are exact.
    pub(super) subjects: Vec<(String, String)>,
    /// Issuers of OIDC providers that the account has.
    pub(super) issuers: Vec<String>,
    /// What was taken for granted.
    pub(super) assumed: Vec<String>,
    /// How the old credential comes back.
    pub(super) reactivate: Option<String>,
    /// How the access is ended.
    pub(super) revocation: Revocation,
    /// The credential of today goes on under the plan.
    pub(super) keeps_credential: bool,
}

impl<'f> Facts<'f> {
    pub(super) fn of(
        context: &PlanContext<'_>,
        subject: &'f Subject<'_>,
        item: &'f PlanItem,
        data: &'f Artefacts,
    ) -> Self {
        let identity = subject.identity;
        let system = subject
            .credential
            .map(|credential| credential.provider.as_str())
            .or_else(|| identity.map(|identity| identity.provider.as_str()))
            .unwrap_or_default();
        // What has the form of an AWS key and is none is no business of AWS.
        let system = match subject.kind() {
            "s3-compatible-key" => "s3",
            _ => system,
        }
        .to_owned();
        let commands = Values::of(subject, &item.ttl);
        let trusted: Vec<&str> = identity
            .into_iter()
            .flat_map(|identity| &identity.trust)
            .filter_map(|path| path.issuer.as_deref())
            .collect();
        let trust = data.trust(&item.mechanism, &system, &trusted);
        let reactivate = revocation::disabling(context, subject)
            .and_then(|entry| entry.reactivate.as_deref())
            .map(|command| commands.command(command));
        let stays = matches!(
            item.disposition,
            Disposition::ShortenAndCompensate | Disposition::BreakGlassIsolate
        );
        let issues = !stays && context.targets.get(&item.mechanism).is_some();
        let mut facts = Self {
            item,
            system,
            credential: subject.credential.map(|_| subject.kind()),
            trust,
            values: BTreeMap::new(),
            consumers: Vec::new(),
            callers: Vec::new(),
            subjects: Vec::new(),
            issuers: subject.issuers.iter().cloned().collect(),
            assumed: Vec::new(),
            reactivate,
            revocation: revocation::of(context, subject, issues, &commands),
            keeps_credential: subject.keeps_credential(),
        };
        facts.identity(subject);
        facts.task(&commands);
        facts.of_consumers(context, subject);
        facts.trusts(subject);
        facts.role();
        facts.elevated();
        facts.runtime();
        facts
    }

    fn put(&mut self, name: &'static str, value: &str) {
        let value = tame(value);
        if !value.is_empty() {
            self.values.entry(name).or_insert(value);
        }
    }

    fn identity(&mut self, subject: &Subject<'_>) {
        if let Some(account) = subject
            .account()
            .filter(|account| account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()))
        {
            self.put("account", account);
        }
        if let Some(id) = subject
            .credential
            .and_then(|credential| credential.public_id.as_deref())
        {
            self.put("key_id", id);
        }
        let region = subject
            .activity
            .iter()
            .flat_map(|activity| &activity.regions)
            .max_by_key(|region| region.count);
        if let Some(region) = region {
            self.put("region", &region.name);
        }
        let accounts = subject
            .consumers
            .iter()
            .flat_map(|consumer| &consumer.uses.native_ids)
            .find_map(|id| id.strip_prefix("system:serviceaccount:"));
        if let Some((namespace, name)) = accounts.and_then(|id| id.split_once(':')) {
            self.put("namespace", namespace);
            self.put("service_account", name);
        }
        let Some(identity) = subject.identity else {
            return;
        };
        self.put("name", &identity.name);
        match identity.kind {
            IdentityKind::IamUser => {
                self.put("user", &identity.name);
                if identity.native_id.starts_with("arn:") {
                    self.put("user_arn", &identity.native_id);
                }
            }
            IdentityKind::IamRole => {
                self.put("kept_role", "yes");
                self.put("role", &identity.name);
                if identity.native_id.starts_with("arn:") {
                    self.put("role_arn", &identity.native_id);
                }
            }
            IdentityKind::KubernetesServiceAccount => {
                let mut parts = identity.native_id.rsplit(':');
                if let (Some(name), Some(namespace)) = (parts.next(), parts.next()) {
                    self.put("service_account", name);
                    self.put("namespace", namespace);
                }
            }
            IdentityKind::GcpServiceAccount => {
                let email = [&identity.name, &identity.native_id]
                    .into_iter()
                    .find(|name| name.contains('@'));
                if let Some(email) = email {
                    let email = email.rsplit('/').next().unwrap_or(email).to_owned();
                    self.put("service_account_email", &email);
                    let project = email
                        .split_once('@')
                        .and_then(|(_, host)| host.strip_suffix(".iam.gserviceaccount.com"));
                    if let Some(project) = project {
                        self.put("gcp_project", project);
                    }
                }
            }
            IdentityKind::AzureServicePrincipal => {
                let id = identity.native_id.rsplit('/').next().unwrap_or_default();
                if id.len() == 36 && id.matches('-').count() == 4 {
                    self.put("client_id", id);
                }
            }
            _ => {}
        }
    }

    fn task(&mut self, commands: &Values) {
        let task = commands.text("{task}");
        self.put("task", &task);
        self.put("session_name", &slug(&task, 32));
        self.put("account_name", &slug(&format!("jit-{task}"), 30));
        self.put("pool", &slug(&format!("jit-{task}"), 32));
        self.put("pool_provider", &slug(&format!("run-{task}"), 32));
        let seconds = self.item.ttl.seconds.unwrap_or(3600);
        // What a role issues lies between a quarter of an hour and, for a task, an hour; longer tasks have their own limits.
        self.put("ttl_seconds", &seconds.clamp(900, 43_200).to_string());
        self.put("token_seconds", &seconds.clamp(600, 86_400).to_string());
        self.put("ttl", &ttl::human(seconds));
        if self.item.mechanism == "aws-pod-identity" {
            self.put("token_audience", "sts.amazonaws.com");
        }
    }

    fn of_consumers(&mut self, context: &PlanContext<'_>, subject: &Subject<'_>) {
        for consumer in &subject.consumers {
            let mut own = BTreeMap::new();
            self.place(context, consumer, &mut own);
            if consumer.runtime == "github-actions" {
                let environment = consumer
                    .environment
                    .as_deref()
                    .filter(|name| !name.contains(['$', '{', '*', '?']))
                    .map(tame);
                if let Some(name) = environment {
                    let encoded = name.replace('%', "%25").replace(':', "%3A");
                    own.insert("context", format!("environment:{encoded}"));
                    own.insert("environment", name);
                } else {
                    // A job that runs for several refs sends a subject for each.
                    for context in self.contexts(context, consumer) {
                        let mut own = own.clone();
                        own.insert("context", context);
                        own.insert("runtime", consumer.runtime.clone());
                        if !self.consumers.contains(&own) {
                            self.consumers.push(own);
                        }
                    }
                    continue;
                }
            }
            own.insert("runtime", consumer.runtime.clone());
            if !self.consumers.contains(&own) {
                self.consumers.push(own);
            }
        }
        self.consumers.sort();
        self.consumers.truncate(20);
        // What all consumers agree on is known of the item.
        let shared: Vec<(&'static str, String)> = self
            .consumers
            .first()
            .into_iter()
            .flatten()
            .filter(|(name, value)| {
                self.consumers
                    .iter()
                    .all(|other| other.get(*name) == Some(value))
            })
            .map(|(name, value)| (*name, value.clone()))
            .collect();
        for (name, value) in shared {
            self.values.entry(name).or_insert(value);
        }
    }

    /// What a GitHub job without an environment sends of the ref it runs for.
    fn contexts(&mut self, context: &PlanContext<'_>, consumer: &Consumer) -> Vec<String> {
        let default = consumer
            .repository
            .as_deref()
            .and_then(|repository| context.inventory.origins.get(repository))
            .and_then(|origin| origin.split_once('#'))
            .map(|(_, branch)| tame(branch));
        let open = "ref:refs/heads/__BRANCH__".to_owned();
        let head = vec!["HEAD".to_owned()];
        let refs = &consumer.uses.refs;
        let mut contexts = BTreeSet::new();
        for name in if refs.is_empty() { &head } else { refs } {
            let context = match (name.as_str(), &default) {
                ("HEAD", Some(branch)) => {
                    self.assumed.push(format!(
                        "{} runs for the default branch, which is {branch} by the clone",
                        tame(&consumer.name)
                    ));
                    format!("ref:refs/heads/{branch}")
                }
                ("HEAD", None) => open.clone(),
                // A subject that names every tag would not be exact.
                (tag, _) if tag.starts_with("refs/tags/") => {
                    "environment:__ENVIRONMENT__".to_owned()
                }
                (name, _) if name.contains(['*', '?', '+', '[', '$', '{']) => open.clone(),
                (name, _) => format!("ref:{}", tame(name)),
            };
            contexts.insert(context);
        }
        self.assumed.sort();
        self.assumed.dedup();
        contexts.into_iter().collect()
    }

    /// Where the repository of a consumer is kept.
    fn place(
        &mut self,
        context: &PlanContext<'_>,
        consumer: &Consumer,
        own: &mut BTreeMap<&'static str, String>,
    ) {
        let Some(repository) = consumer.repository.as_deref() else {
            return;
        };
        let Some(origin) = context.inventory.origins.get(repository) else {
            let name = tame(repository.rsplit('/').next().unwrap_or(repository));
            if consumer.runtime == "github-actions" {
                self.assumed.push(format!(
                    "the repository is called {name}, as its folder is: no remote was configured"
                ));
                self.assumed.sort();
                self.assumed.dedup();
            }
            own.insert("repository", name);
            return;
        };
        let (origin, branch) = match origin.split_once('#') {
            Some((origin, branch)) => (origin, Some(branch)),
            None => (origin.as_str(), None),
        };
        let Some((host, path)) = origin.split_once('/') else {
            return;
        };
        let by_branch = matches!(consumer.runtime.as_str(), "gitlab-ci" | "buildkite");
        if let Some(branch) = branch.filter(|_| by_branch) {
            own.insert("branch", tame(branch));
            self.assumed.push(format!(
                "{} runs for the default branch, which is {} by the clone",
                tame(&consumer.name),
                tame(branch)
            ));
            self.assumed.sort();
            self.assumed.dedup();
        }
        let (owner, name) = path.rsplit_once('/').unwrap_or(("", path));
        own.insert("repository", tame(name));
        match consumer.runtime.as_str() {
            "gitlab-ci" => {
                own.insert("gitlab_host", tame(host));
                own.insert("project", tame(path));
            }
            "bitbucket-pipelines" => {
                own.insert("workspace", tame(owner));
            }
            _ if !owner.is_empty() && !owner.contains('/') => {
                own.insert("owner", tame(owner));
            }
            _ => {}
        }
    }

    /// Who takes the role today.
    fn trusts(&mut self, subject: &Subject<'_>) {
        let mut callers: Vec<String> = subject
            .activity
            .iter()
            .flat_map(|activity| &activity.callers)
            .filter(|caller| caller.kind == "principal" && caller.name.starts_with("arn:"))
            .filter_map(|caller| principal(&caller.name))
            .collect();
        let identity = subject.identity;
        for path in identity.into_iter().flat_map(|identity| &identity.trust) {
            match path.principal_kind {
                PrincipalKind::Principal if path.principal.starts_with("arn:") => {
                    if path.external && super::trust::is_principal(&path.principal) {
                        self.put("vendor_arn", &path.principal);
                    }
                    callers.extend(principal(&path.principal));
                }
                PrincipalKind::Service => self.put("service", &path.principal),
                PrincipalKind::Oidc => {
                    let issuer = path.issuer.clone().unwrap_or_default();
                    if issuer.starts_with("oidc.eks.") {
                        self.put("cluster_issuer", &issuer);
                    }
                    for subject in &path.subjects {
                        if subject.contains(['*', '?']) {
                            let owner = subject
                                .strip_prefix("repo:")
                                .and_then(|rest| rest.split_once('/'))
                                .map(|(owner, _)| owner)
                                .filter(|owner| !owner.contains(['*', '?', '@']));
                            if let Some(owner) = owner {
                                self.put("owner", owner);
                            }
                        } else if let Some((namespace, name)) = subject
                            .strip_prefix("system:serviceaccount:")
                            .and_then(|rest| rest.split_once(':'))
                        {
                            self.put("namespace", namespace);
                            self.put("service_account", name);
                        } else {
                            self.subjects.push((issuer.clone(), tame(subject)));
                        }
                    }
                }
                _ => {}
            }
        }
        let sealed = self.item.mechanism == "break-glass-sealed";
        let user = identity.filter(|user| sealed && user.kind == IdentityKind::IamUser);
        callers.extend(user.map(|user| user.native_id.clone()));
        callers.sort();
        callers.dedup();
        callers.truncate(20);
        self.callers = callers.iter().map(|arn| tame(arn)).collect();
        self.subjects.sort();
        self.subjects.dedup();
        self.subjects.truncate(20);
    }

    /// Name and ARN of the role that the item sets up.
    fn role(&mut self) {
        let Some(trust) = self.trust else {
            return;
        };
        if self.keeps_role() {
            return;
        }
        // What is there already keeps its name; what comes has one of its own.
        self.values.remove("role");
        self.values.remove("role_arn");
        let name = match trust.role.as_str() {
            "⟦vendor_role⟧" => "⟦task⟧",
            // A user that is kept for emergencies takes a role of its own, with a second factor.
            "⟦role⟧" => "⟦task⟧-sealed",
            role => role,
        };
        let name = slug(&super::text::fill(name, &self.values, str::to_owned), 64);
        let account = self.values.get("account").map_or("__ACCOUNT__", |id| id);
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        self.values.insert("vendor_role", name.clone());
        self.values.insert("role", name);
        self.values.insert("role_arn", arn);
    }

    /// The role of the sessions that are asked for task by task, where the item makes one.
    fn elevated(&mut self) {
        let split = self.item.disposition == Disposition::Hybrid
            && self.trust.is_some()
            && self
                .item
                .permissions
                .as_ref()
                .is_some_and(|sets| !sets.elevated.is_empty());
        if let Some(role) = self.values.get("role").filter(|_| split) {
            let elevated = format!("{role}-elevated");
            self.values.insert("elevated_role", elevated);
        }
    }

    /// The item changes a role that is there.
    pub(super) fn keeps_role(&self) -> bool {
        let named = self.trust.map(|trust| trust.role.as_str());
        let sealed_user =
            self.item.mechanism == "break-glass-sealed" && self.values.contains_key("user");
        (named == Some("⟦role⟧") && !sealed_user)
            || (named == Some("⟦vendor_role⟧") && self.values.contains_key("kept_role"))
    }

    /// Issuer and subject of the runtime's token, for clouds that compare them as they are.
    fn runtime(&mut self) {
        let runtime = self.values.get("runtime").cloned().unwrap_or_default();
        let (issuer, subject) = match runtime.as_str() {
            "github-actions" => (
                "https://token.actions.githubusercontent.com",
                "repo:⟦owner⟧/⟦repository⟧:⟦context⟧",
            ),
            "gitlab-ci" => (
                "https://⟦gitlab_host⟧",
                "project_path:⟦project⟧:ref_type:branch:ref:⟦branch⟧",
            ),
            _ => return,
        };
        let fill = |template: &str| super::text::fill(template, &self.values, str::to_owned);
        let (issuer, subject) = (fill(issuer), fill(subject));
        self.values.insert("runtime_issuer", issuer);
        self.values.insert("runtime_subject", subject);
    }

    /// A template filled for this item.
    pub(super) fn fill(&self, template: &str, show: fn(&str) -> String) -> String {
        super::text::fill(template, &self.values, show)
    }

    /// A template filled for each consumer, once each.
    pub(super) fn each(&self, template: &str) -> Vec<String> {
        let mut all: Vec<String> = self
            .consumers
            .iter()
            .map(|own| {
                let mut values = self.values.clone();
                values.extend(own.clone());
                super::text::fill(template, &values, str::to_owned)
            })
            .collect();
        if all.is_empty() {
            all.push(self.fill(template, str::to_owned));
        }
        all.sort();
        all.dedup();
        all
    }
}

/// The role behind a session, else the principal itself; nothing for whole accounts and wildcards, nor for what is no ARN.
///
/// Logs tell which key signed a call behind the name of its user: the name alone is a principal.
fn principal(arn: &str) -> Option<String> {
    let arn = arn.split_whitespace().next()?;
    if arn.contains(['*', '?']) || arn.ends_with(":root") {
        return None;
    }
    let arn = match arn.split_once(":assumed-role/") {
        Some((head, rest)) => format!(
            "{}:role/{}",
            head.replacen(":sts:", ":iam:", 1),
            rest.split('/').next()?
        ),
        None => arn.to_owned(),
    };
    super::trust::is_principal(&arn).then_some(arn)
}

#[cfg(test)]
mod tests {
    use super::principal;

    #[test]
    fn who_takes_a_role_is_named_without_the_key_of_the_call() {
        let user = "arn:aws:iam::111122223333:user/jump";
        assert_eq!(principal(user).as_deref(), Some(user));
        assert_eq!(
            principal(&format!("{user} with KEY")).as_deref(),
            Some(user)
        );
        assert_eq!(
            principal("arn:aws:sts::111122223333:assumed-role/deploy/run-1").as_deref(),
            Some("arn:aws:iam::111122223333:role/deploy")
        );
        for none in ["arn:aws:iam::111122223333:root", "arn:x y", "", "jump"] {
            assert_eq!(principal(none), None, "{none}");
        }
    }
}
