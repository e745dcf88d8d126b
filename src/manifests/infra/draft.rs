//! The AWS account that code declares, put together from resources that name each other.

use super::super::clean::clean;
use super::names::{iam_arn, oidc_arn};
use super::policy::{self, Document};
use super::value::{Val, marked, shown, wholly_marked};
use crate::model::aws::{
    AwsAccount, AwsAttached, AwsGroup, AwsInlinePolicy, AwsOidcProvider, AwsParts, AwsPolicy,
    AwsRole, AwsUser,
};
use crate::model::{Credential, DeclaredPrincipal, DeclaredStack, LastUse, Location};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What can hold policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::manifests) enum Holder {
    Role,
    User,
    Group,
}

impl Holder {
    const fn section(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// Where something is declared.
#[derive(Clone)]
pub(in crate::manifests) struct Declared {
    pub(in crate::manifests) address: String,
    pub(in crate::manifests) location: Location,
    /// Whether it is made at all, or how often, hangs on this.
    pub(in crate::manifests) open: Option<String>,
}

/// A user, role or group as declared.
pub(in crate::manifests) struct Principal {
    pub(in crate::manifests) holder: Holder,
    /// Marked where unknown.
    pub(in crate::manifests) name: String,
    pub(in crate::manifests) path: Option<String>,
    pub(in crate::manifests) trust: Val,
    pub(in crate::manifests) description: Option<String>,
    pub(in crate::manifests) max_session: Option<u64>,
    pub(in crate::manifests) boundary: Option<String>,
    pub(in crate::manifests) tags: BTreeMap<String, String>,
}

impl Principal {
    /// One of which only the name is known.
    pub(in crate::manifests) fn named(holder: Holder, name: String) -> Self {
        Self {
            holder,
            name,
            path: None,
            trust: Val::Null,
            description: None,
            max_session: None,
            boundary: None,
            tags: BTreeMap::new(),
        }
    }
}

/// A principal with what was gathered of it.
struct Gathered {
    principal: Principal,
    /// Where it is declared; `None` while others only name it.
    declared: Option<Declared>,
    also: BTreeSet<Location>,
    unknown: BTreeSet<String>,
    inline: Vec<(String, Json)>,
    attached: BTreeSet<String>,
    groups: BTreeSet<String>,
    profiles: BTreeSet<String>,
    password: Option<bool>,
}

/// The account while it is put together. Names may hold marks: a name that is unknown is still the same everywhere.
pub(in crate::manifests) struct Draft {
    account: String,
    principals: BTreeMap<(Holder, String), Gathered>,
    policies: BTreeMap<String, (AwsPolicy, BTreeSet<String>)>,
    providers: BTreeMap<String, AwsOidcProvider>,
    keys: Vec<(Credential, String)>,
}

/// The name in a reference that may be a name or an ARN.
fn bare(reference: &str) -> &str {
    if reference.starts_with("arn:") {
        reference.rsplit('/').next().unwrap_or(reference)
    } else {
        reference
    }
}

impl Draft {
    pub(in crate::manifests) fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            principals: BTreeMap::new(),
            policies: BTreeMap::new(),
            providers: BTreeMap::new(),
            keys: Vec::new(),
        }
    }

    /// Nothing was declared.
    pub(in crate::manifests) fn is_empty(&self) -> bool {
        self.principals.is_empty() && self.providers.is_empty()
    }

    fn gathered(&mut self, holder: Holder, name: &str, location: &Location) -> &mut Gathered {
        let gathered = self
            .principals
            .entry((holder, name.to_owned()))
            .or_insert_with(|| Gathered {
                principal: Principal::named(holder, name.to_owned()),
                declared: None,
                also: BTreeSet::new(),
                unknown: BTreeSet::new(),
                inline: Vec::new(),
                attached: BTreeSet::new(),
                groups: BTreeSet::new(),
                profiles: BTreeSet::new(),
                password: None,
            });
        gathered.also.insert(location.clone());
        gathered
    }

    /// Adds a principal.
    pub(in crate::manifests) fn principal(&mut self, declared: Declared, mut principal: Principal) {
        let holder = principal.holder;
        let name = principal.name.clone();
        let trust = std::mem::replace(&mut principal.trust, Val::Null);
        let Document { json, unknown } = if holder == Holder::Role {
            policy::document(&trust)
        } else {
            Document {
                json: Json::Null,
                unknown: BTreeSet::new(),
            }
        };
        let gathered = self.gathered(holder, &name, &declared.location);
        if gathered.declared.is_some() {
            // Another block makes the same one: alternatives of which one is made.
            return;
        }
        gathered
            .unknown
            .extend(unknown.into_iter().map(|what| format!("trust: {what}")));
        if let Some(open) = &declared.open {
            gathered.unknown.insert(format!(
                "whether and how often it is made hangs on {}, which the code does not tell",
                clean(open)
            ));
        }
        principal.trust = Val::from_json(&json);
        gathered.principal = principal;
        gathered.declared = Some(declared);
    }

    /// Adds a policy written into a principal.
    pub(in crate::manifests) fn inline(
        &mut self,
        holder: Holder,
        target: &str,
        name: &str,
        document: &Val,
        location: &Location,
    ) {
        let Document { json, unknown } = policy::document(document);
        let gathered = self.gathered(holder, bare(target), location);
        gathered.unknown.extend(unknown);
        gathered.inline.push((clean(&shown(name)), json));
    }

    /// Adds a managed policy.
    pub(in crate::manifests) fn policy(
        &mut self,
        arn: &str,
        name: &str,
        document: &Val,
        location: &Location,
    ) {
        let Document { json, unknown } = policy::document(document);
        let arn = shown(arn);
        let policy = AwsPolicy {
            name: clean(&shown(name)),
            arn: arn.clone(),
            document: json,
            versions: 1,
            others: Vec::new(),
            updated_at: None,
            location: location.clone(),
        };
        self.policies.entry(arn).or_insert((policy, unknown));
    }

    /// Attaches a managed policy.
    pub(in crate::manifests) fn attach(
        &mut self,
        holder: Holder,
        target: &str,
        policy: &str,
        location: &Location,
    ) {
        let gathered = self.gathered(holder, bare(target), location);
        gathered.attached.insert(policy.to_owned());
    }

    /// Puts a user into a group.
    pub(in crate::manifests) fn member(&mut self, user: &str, group: &str, location: &Location) {
        let gathered = self.gathered(Holder::User, bare(user), location);
        gathered.groups.insert(bare(group).to_owned());
    }

    /// Lets instances carry a role.
    pub(in crate::manifests) fn profile(&mut self, name: &str, role: &str, location: &Location) {
        let gathered = self.gathered(Holder::Role, bare(role), location);
        gathered.profiles.insert(clean(&shown(name)));
    }

    /// Gives a user a console password.
    pub(in crate::manifests) fn password(&mut self, user: &str, location: &Location) {
        self.gathered(Holder::User, bare(user), location).password = Some(true);
    }

    /// Issues a credential of a user.
    pub(in crate::manifests) fn key(
        &mut self,
        user: &str,
        credential: Credential,
        location: &Location,
    ) {
        self.gathered(Holder::User, bare(user), location);
        self.keys.push((credential, bare(user).to_owned()));
    }

    /// Adds an OIDC provider.
    pub(in crate::manifests) fn provider(&mut self, url: &str, clients: Vec<String>) {
        let url = shown(url);
        let arn = oidc_arn(&self.account, &url);
        let host = url
            .strip_prefix("https://")
            .unwrap_or(&url)
            .trim_end_matches('/');
        let provider = AwsOidcProvider {
            arn: arn.clone(),
            url: clean(host),
            client_ids: clients,
        };
        self.providers.entry(arn).or_insert(provider);
    }

    /// The account, and the credentials issued in it with their holders.
    pub(in crate::manifests) fn finish(
        self,
        repository: &str,
        tool: &str,
        unit: &str,
    ) -> (DeclaredStack, Vec<(Credential, Option<String>)>) {
        let mut stack = DeclaredStack {
            repository: repository.to_owned(),
            tool: tool.to_owned(),
            unit: unit.to_owned(),
            account: AwsAccount {
                account_id: self.account.clone(),
                parts: AwsParts {
                    authorization_details: true,
                    ..AwsParts::default()
                },
                oidc_providers: self.providers.into_values().collect(),
                ..AwsAccount::default()
            },
            principals: BTreeMap::new(),
        };
        let mut arns: BTreeMap<String, String> = BTreeMap::new();
        let group_unknown: BTreeMap<String, BTreeSet<String>> = self
            .principals
            .iter()
            .filter(|((holder, _), _)| *holder == Holder::Group)
            .map(|((_, name), gathered)| (name.clone(), gathered.unknown_with(&self.policies)))
            .collect();
        for ((holder, name), gathered) in self.principals {
            let path = gathered.principal.path.as_deref().unwrap_or("/");
            let arn = shown(&iam_arn(&self.account, holder.section(), path, &name));
            if holder == Holder::User {
                arns.insert(name.clone(), arn.clone());
            }
            let mut unknown = gathered.unknown_with(&self.policies);
            for group in &gathered.groups {
                unknown.extend(group_unknown.get(group).into_iter().flatten().cloned());
            }
            stack
                .principals
                .insert(arn.clone(), gathered.told(&name, unknown));
            gathered.put(&mut stack.account, arn, &name);
        }
        let prefix = format!("arn:aws:iam::{}:", self.account);
        for role in &mut stack.account.roles {
            policy::settle(&mut role.trust, |section| {
                let arn = format!("{prefix}{section}");
                stack
                    .principals
                    .get(&arn)
                    .is_some_and(|told| !told.named_only)
                    .then_some(arn)
            });
        }
        stack.account.policies = self
            .policies
            .into_values()
            .map(|(policy, _)| policy)
            .collect();
        let keys = self.keys.into_iter().map(|(credential, user)| {
            let native = arns.get(&user).map(|arn| stack.native_id(arn));
            (credential, native)
        });
        let keys = keys.collect();
        (stack, keys)
    }
}

impl Gathered {
    /// What is unknown of it and of the policies attached to it.
    fn unknown_with(
        &self,
        policies: &BTreeMap<String, (AwsPolicy, BTreeSet<String>)>,
    ) -> BTreeSet<String> {
        let mut unknown = self.unknown.clone();
        for arn in &self.attached {
            if let Some((_, more)) = policies.get(&shown(arn)) {
                unknown.extend(more.iter().cloned());
            } else if marked(arn) {
                unknown.insert(format!(
                    "which policy is attached hangs on {}",
                    clean(&shown(arn))
                ));
            }
        }
        unknown
    }

    fn told(&self, name: &str, unknown: BTreeSet<String>) -> DeclaredPrincipal {
        let named = || format!("{} {}", self.principal.holder.section(), shown(name));
        let own = self.declared.as_ref().map(|declared| &declared.location);
        DeclaredPrincipal {
            address: clean(
                &self
                    .declared
                    .as_ref()
                    .map_or_else(named, |d| d.address.clone()),
            ),
            named_only: self.declared.is_none(),
            name_known: !marked(name),
            unknown: unknown.into_iter().map(|what| clean(&what)).collect(),
            also: self
                .also
                .iter()
                .filter(|place| Some(*place) != own)
                .cloned()
                .collect(),
        }
    }

    fn put(self, account: &mut AwsAccount, arn: String, name: &str) {
        let address = self
            .declared
            .as_ref()
            .map(|declared| declared.address.clone());
        // A name that is made up of nothing but what is unknown says less than the place in the code.
        let name = match address {
            Some(address) if wholly_marked(name) => clean(&address),
            _ => clean(&shown(name)),
        };
        let location = self
            .declared
            .map(|declared| declared.location)
            .or_else(|| self.also.iter().next().cloned())
            .unwrap_or_else(|| Location::file("", "", 1, 1));
        let inline: Vec<AwsInlinePolicy> = self
            .inline
            .into_iter()
            .map(|(name, document)| AwsInlinePolicy { name, document })
            .collect();
        let attached: Vec<AwsAttached> = self
            .attached
            .iter()
            .map(|arn| {
                let arn = shown(arn);
                AwsAttached {
                    name: clean(arn.rsplit('/').next().unwrap_or(&arn)),
                    arn,
                }
            })
            .collect();
        let principal = self.principal;
        let path = principal.path.unwrap_or_else(|| "/".to_owned());
        match principal.holder {
            Holder::Role => account.roles.push(AwsRole {
                name,
                path: shown(&path),
                arn,
                unique_id: String::new(),
                description: principal.description,
                created_at: None,
                trust: principal.trust.to_json(),
                inline,
                attached,
                boundary: principal.boundary.map(|arn| shown(&arn)),
                max_session_seconds: principal.max_session,
                last_use: LastUse::Unknown,
                instance_profiles: self.profiles.into_iter().collect(),
                tags: principal.tags,
                services: None,
                location,
            }),
            Holder::User => account.users.push(AwsUser {
                name,
                path: shown(&path),
                arn,
                unique_id: String::new(),
                created_at: None,
                groups: self
                    .groups
                    .iter()
                    .map(|group| clean(&shown(group)))
                    .collect(),
                inline,
                attached,
                boundary: principal.boundary.map(|arn| shown(&arn)),
                tags: principal.tags,
                keys: Vec::new(),
                password: self.password,
                password_last_use: LastUse::Unknown,
                mfa: None,
                services: None,
                location,
            }),
            Holder::Group => account.groups.push(AwsGroup {
                name,
                arn,
                inline,
                attached,
                location,
            }),
        }
    }
}
