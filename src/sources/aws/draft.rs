//! One account while its exports are collected.

use super::fields::{days_before, is_key_id, partition_of};
use super::other::Other;
use super::report::Row;
use super::shape::{KeyUse, ListedKey};
use super::{SOURCE, keys, merge};
use crate::model::aws::{
    AwsAccount, AwsGroup, AwsOidcProvider, AwsPolicy, AwsRole, AwsRoot, AwsServiceUse, AwsTrail,
    AwsUser,
};
use crate::model::{Coverage, CoverageStatus, LastUse, Location};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Days for which AWS keeps the last use of roles and services.
const TRACKING_DAYS: i64 = 400;

/// Name, creation, expiry and issuer of a SAML provider.
type SamlDetails = (String, Option<Timestamp>, Option<Timestamp>, Option<String>);

/// What was collected of one account.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) account: AwsAccount,
    /// Whether users have a console password, by name.
    pub(super) passwords: BTreeMap<String, bool>,
    /// Whether users have an MFA device, by name.
    pub(super) devices: BTreeMap<String, bool>,
    /// Details of SAML providers: name, creation, expiry, issuer.
    pub(super) saml: Vec<SamlDetails>,
    partition: Option<String>,
    users: BTreeMap<String, AwsUser>,
    groups: BTreeMap<String, AwsGroup>,
    roles: BTreeMap<String, AwsRole>,
    policies: BTreeMap<String, AwsPolicy>,
    providers: BTreeMap<String, AwsOidcProvider>,
    /// ARNs of users and of roles by name, and of both by the form their ARN takes in a file name.
    user_names: BTreeMap<String, String>,
    role_names: BTreeMap<String, String>,
    file_names: BTreeMap<String, String>,
    rows: Vec<(Row, String)>,
    listed: BTreeMap<String, ListedKey>,
    listings: usize,
    /// One listing has keys of several users.
    merged_listing: bool,
    uses: BTreeMap<String, KeyUse>,
    services: BTreeMap<String, AwsServiceUse>,
    taken: Option<Timestamp>,
    generated: Option<Timestamp>,
    truncated: bool,
    last_page: bool,
}

impl Draft {
    pub(super) fn new(account: &str) -> Self {
        let mut draft = Self::default();
        account.clone_into(&mut draft.account.account_id);
        draft
    }

    /// The ARN, or the one an entity of that kind has in this account.
    fn arn(&mut self, arn: &str, kind: &str, path: &str, name: &str) -> String {
        if let Some(partition) = partition_of(arn) {
            self.partition = Some(partition.to_owned());
        }
        if !arn.is_empty() {
            return arn.to_owned();
        }
        let partition = self.partition.as_deref().unwrap_or("aws");
        let account = &self.account.account_id;
        let path = path.trim_matches('/');
        if path.is_empty() {
            format!("arn:{partition}:iam::{account}:{kind}/{name}")
        } else {
            format!("arn:{partition}:iam::{account}:{kind}/{path}/{name}")
        }
    }

    pub(super) fn add_user(&mut self, mut user: AwsUser) {
        user.arn = self.arn(&user.arn, "user", &user.path, &user.name);
        self.user_names.insert(user.name.clone(), user.arn.clone());
        self.file_names.insert(flat(&user.arn), user.arn.clone());
        match self.users.get_mut(&user.arn) {
            Some(known) => merge::user(known, user),
            None => {
                self.users.insert(user.arn.clone(), user);
            }
        }
    }

    pub(super) fn add_group(&mut self, mut group: AwsGroup) {
        group.arn = self.arn(&group.arn, "group", "", &group.name);
        match self.groups.get_mut(&group.arn) {
            Some(known) => merge::group(known, group),
            None => {
                self.groups.insert(group.arn.clone(), group);
            }
        }
    }

    pub(super) fn add_role(&mut self, mut role: AwsRole) {
        role.arn = self.arn(&role.arn, "role", &role.path, &role.name);
        self.role_names.insert(role.name.clone(), role.arn.clone());
        self.file_names.insert(flat(&role.arn), role.arn.clone());
        match self.roles.get_mut(&role.arn) {
            Some(known) => merge::role(known, role),
            None => {
                self.roles.insert(role.arn.clone(), role);
            }
        }
    }

    pub(super) fn add_policy(&mut self, mut policy: AwsPolicy) {
        policy.arn = self.arn(&policy.arn, "policy", "", &policy.name);
        match self.policies.get_mut(&policy.arn) {
            Some(known) => merge::policy(known, policy),
            None => {
                self.policies.insert(policy.arn.clone(), policy);
            }
        }
    }

    /// A page of authorization details was read.
    pub(super) fn saw_details(&mut self, truncated: Option<bool>) {
        self.account.parts.authorization_details = true;
        match truncated {
            Some(true) => self.truncated = true,
            Some(false) | None => self.last_page = true,
        }
    }

    pub(super) fn saw_roles(&mut self) {
        self.account.parts.roles = true;
    }

    pub(super) fn add_row(&mut self, row: Row, uri: &str, generated: Option<Timestamp>) {
        self.account.parts.credential_report = true;
        self.generated = self.generated.max(generated);
        self.rows.push((row, uri.to_owned()));
    }

    /// A provider; `None` where a listing said that there is none.
    pub(super) fn add_provider(&mut self, provider: Option<AwsOidcProvider>) {
        self.account.parts.oidc_providers = true;
        let Some(mut provider) = provider else {
            return;
        };
        let url = provider.url.clone();
        provider.arn = self.arn(&provider.arn, "oidc-provider", "", &url);
        let known = self
            .providers
            .entry(url)
            .or_insert_with(|| AwsOidcProvider {
                client_ids: Vec::new(),
                ..provider.clone()
            });
        known.client_ids.append(&mut provider.client_ids);
        known.client_ids.sort();
        known.client_ids.dedup();
    }

    pub(super) fn add_alias(&mut self, aliases: Vec<String>) {
        if let Some(alias) = aliases.into_iter().next() {
            self.account.alias = Some(alias);
        }
    }

    /// The account was read with the credentials of this ARN.
    pub(super) fn read_by(&mut self, caller: &str) {
        self.account.caller = Some(lasting(caller).to_owned()).filter(|arn| !arn.is_empty());
    }

    pub(super) fn has_user(&self, name: &str) -> bool {
        self.user_names.contains_key(name) || self.rows.iter().any(|(row, _)| row.user == name)
    }

    pub(super) fn add_keys(&mut self, keys: Vec<ListedKey>) {
        self.listings += 1;
        let users: BTreeSet<&str> = keys.iter().filter_map(|key| key.user.as_deref()).collect();
        self.merged_listing |= users.len() > 1;
        for key in keys {
            self.listed.entry(key.key_id.clone()).or_insert(key);
        }
    }

    /// The key an answer of `get-access-key-last-used` is about.
    pub(super) fn key_named(&self, used: &KeyUse) -> Option<String> {
        if let Some(name) = used
            .names
            .iter()
            .find(|name| self.listed.contains_key(*name))
        {
            return Some(name.clone());
        }
        let user = used.user.as_deref().filter(|user| self.has_user(user))?;
        if let Some(name) = used.names.iter().find(|name| is_key_id(name)) {
            return Some(name.clone());
        }
        let mut of_user = self
            .listed
            .values()
            .filter(|key| key.user.as_deref() == Some(user));
        match (of_user.next(), of_user.next()) {
            (Some(key), None) => Some(key.key_id.clone()),
            _ => None,
        }
    }

    pub(super) fn add_key_use(&mut self, used: KeyUse) {
        let Some(key_id) = self.key_named(&used) else {
            return;
        };
        self.account.parts.key_last_used = true;
        if !self.listed.contains_key(&key_id) {
            self.listed.insert(
                key_id.clone(),
                ListedKey {
                    user: used.user.clone(),
                    key_id: key_id.clone(),
                    active: None,
                    created_at: None,
                    location: place(String::new(), 1),
                },
            );
        }
        self.uses.insert(key_id, used);
    }

    /// ARN of the principal one of the names stands for; the folder says whether a bare name is a user's or a role's.
    pub(super) fn principal_named(&self, names: &[String], folder: Option<&str>) -> Option<&str> {
        let folder = folder.unwrap_or_default().to_ascii_lowercase();
        names.iter().find_map(|name| {
            let user = self.user_names.get(name);
            let role = self.role_names.get(name);
            let named = match folder.as_str() {
                "users" | "user" => user,
                "roles" | "role" => role,
                _ => match (user, role) {
                    (Some(arn), None) | (None, Some(arn)) => Some(arn),
                    _ => None,
                },
            };
            self.file_names
                .get(&flat(name))
                .or(named)
                .map(String::as_str)
        })
    }

    pub(super) fn add_services(
        &mut self,
        names: &[String],
        folder: Option<&str>,
        services: AwsServiceUse,
        completed: Option<Timestamp>,
    ) {
        let Some(arn) = self.principal_named(names, folder).map(str::to_owned) else {
            return;
        };
        self.account.parts.service_last_accessed = true;
        self.taken = self.taken.max(completed);
        let known = self.services.entry(arn).or_default();
        known.granted.extend(services.granted);
        known.actions.extend(services.actions);
        known.tracked.extend(services.tracked);
        known.asked_at = known.asked_at.max(services.asked_at);
        known.truncated |= services.truncated;
        for (service, at) in services.used {
            let last = known.used.entry(service).or_insert(at);
            *last = at.max(*last);
        }
        for list in [&mut known.granted, &mut known.actions, &mut known.tracked] {
            list.sort();
            list.dedup();
        }
    }

    /// Whether it has a trail that one of the names means.
    pub(super) fn has_trail(&self, names: &[String]) -> bool {
        self.account
            .trails
            .iter()
            .any(|trail| names.iter().any(|name| trail_named(trail, name)))
    }

    /// Trails and what is known of them.
    pub(super) fn add_other(&mut self, other: Other) {
        let account = &mut self.account;
        match other {
            Other::Trails(list) => {
                account.parts.trails = true;
                for one in list {
                    if !account.trails.iter().any(|known| known.arn == one.arn) {
                        account.trails.push(one);
                    }
                }
            }
            Other::Status(names, logging) => {
                for trail in &mut account.trails {
                    if names.iter().any(|name| trail_named(trail, name)) {
                        trail.logging = Some(trail.logging.unwrap_or_default() || logging);
                    }
                }
            }
            Other::Selectors(names, events) => {
                for trail in &mut account.trails {
                    if names.iter().any(|name| trail_named(trail, name)) {
                        trail.management = Some(events);
                    }
                }
            }
        }
    }

    /// The account, with everything joined and every location in it.
    pub(super) fn finish(mut self, coverage: &mut Vec<Coverage>) -> AwsAccount {
        self.account.collected_at = self.generated.or(self.taken);
        self.settle_beside();
        self.add_listed_users();
        self.join_keys(coverage);
        if self.truncated && !self.last_page {
            coverage.push(Coverage::new(
                SOURCE,
                format!("aws/{}", self.account.account_id),
                CoverageStatus::Partial,
                "the last page of the account authorization details says that more follows (IsTruncated): add the missing pages",
            ));
        }
        let mut account = self.account;
        let repository = format!("aws/{}", account.account_id);
        let settle = |location: &mut Location, logical: &str| {
            location.repository = Some(repository.clone());
            location.logical = Some(logical.to_owned());
        };
        let tracked = account
            .collected_at
            .map(|at| days_before(at, TRACKING_DAYS));
        for mut user in self.users.into_values() {
            settle(&mut user.location, &user.arn);
            for key in &mut user.keys {
                let logical = key.key_id.clone().unwrap_or_else(|| user.arn.clone());
                settle(&mut key.location, &logical);
            }
            user.services = self.services.remove(&user.arn);
            user.password = self.passwords.get(&user.name).copied().or(user.password);
            user.mfa = self.devices.get(&user.name).copied().or(user.mfa);
            account.users.push(user);
        }
        account.trails.sort_by(|a, b| a.arn.cmp(&b.arn));
        for mut group in self.groups.into_values() {
            settle(&mut group.location, &group.arn);
            account.groups.push(group);
        }
        for mut role in self.roles.into_values() {
            settle(&mut role.location, &role.arn);
            role.services = self.services.remove(&role.arn);
            role.last_use = match (role.last_use, tracked) {
                (LastUse::NeverSince(since), Some(tracked)) => {
                    LastUse::NeverSince(since.max(tracked))
                }
                // Neither the creation nor the time of the export is known: no period is proved.
                (LastUse::NeverSince(since), None) if since == Timestamp::UNIX_EPOCH => {
                    LastUse::Unknown
                }
                (known, _) => known,
            };
            account.roles.push(role);
        }
        for mut policy in self.policies.into_values() {
            settle(&mut policy.location, &policy.arn);
            account.policies.push(policy);
        }
        if let Some(root) = &mut account.root {
            settle(&mut root.location, &root.arn);
            for key in &mut root.keys {
                settle(&mut key.location, &root.arn);
            }
        }
        account.oidc_providers = self.providers.into_values().collect();
        account
    }

    /// Users only the report or a list of keys knows: created after, or deleted before, the details were exported.
    fn add_listed_users(&mut self) {
        let mut missing: Vec<AwsUser> = self
            .rows
            .iter()
            .filter(|(row, _)| !row.is_root() && !self.user_names.contains_key(&row.user))
            .map(|(row, uri)| AwsUser {
                created_at: row.created_at,
                ..bare(&row.user, &row.arn, place(uri.clone(), row.line))
            })
            .collect();
        missing.extend(
            self.listed
                .values()
                .filter_map(|key| Some((key.user.as_deref()?, &key.location)))
                .filter(|(user, _)| !self.has_user(user) && *user != "<root_account>")
                .map(|(user, location)| bare(user, "", location.clone())),
        );
        for user in missing {
            self.add_user(user);
        }
    }

    fn join_keys(&mut self, coverage: &mut Vec<Coverage>) {
        let mut listed: BTreeMap<String, Vec<ListedKey>> = BTreeMap::new();
        let mut nobody = 0;
        for (_, key) in std::mem::take(&mut self.listed) {
            match key.user.clone() {
                Some(user) => listed.entry(user).or_default().push(key),
                None => nobody += 1,
            }
        }
        if nobody > 0 {
            coverage.push(Coverage::new(
                SOURCE,
                format!("aws/{}", self.account.account_id),
                CoverageStatus::Partial,
                format!("{nobody} listed access keys name no user: call `list-access-keys --user-name` for each user"),
            ));
        }
        let mut all_have_ids = true;
        let rows = std::mem::take(&mut self.rows);
        let has_rows = !rows.is_empty();
        for (row, uri) in rows {
            let location = place(uri, row.line);
            if row.is_root() {
                let keys = keys::join(
                    listed.remove(&row.user).unwrap_or_default(),
                    row.keys,
                    &location,
                    &self.uses,
                );
                self.account.root = Some(AwsRoot {
                    arn: row.arn,
                    keys,
                    mfa: row.mfa,
                    password: row.password,
                    password_last_use: row.password_last_use,
                    location,
                });
                continue;
            }
            let Some(user) = self
                .user_names
                .get(&row.user)
                .and_then(|arn| self.users.get_mut(arn))
            else {
                continue;
            };
            let keys = keys::join(
                listed.remove(&row.user).unwrap_or_default(),
                row.keys,
                &location,
                &self.uses,
            );
            all_have_ids &= keys.iter().all(|key| key.key_id.is_some());
            user.keys.extend(keys);
            user.created_at = user.created_at.or(row.created_at);
            user.password = user.password.or(row.password);
            user.password_last_use = merge::last_use(user.password_last_use, row.password_last_use);
            user.mfa = user.mfa.or(row.mfa);
        }
        for (name, keys) in listed {
            let Some(user) = self
                .user_names
                .get(&name)
                .and_then(|arn| self.users.get_mut(arn))
            else {
                continue;
            };
            let location = user.location.clone();
            user.keys
                .extend(keys::join(keys, Vec::new(), &location, &self.uses));
        }
        self.account.parts.key_last_used |= has_rows;
        // Keys that are not listed prove nothing unless every user was asked for.
        self.account.parts.access_keys = self.listings > 0
            && if has_rows {
                all_have_ids
            } else {
                self.merged_listing || self.listings >= self.users.len()
            };
    }
}

/// Whether a name is a trail's ARN, its name, or its ARN as people write it into a file name.
fn trail_named(trail: &AwsTrail, name: &str) -> bool {
    let short = trail.arn.rsplit('/').next().unwrap_or_default();
    trail.arn == name || short == name || flat(&trail.arn) == flat(name)
}

/// The ARN of a caller without a session's name that SDKs make up anew each time: a word and the time.
fn lasting(caller: &str) -> &str {
    match caller.rsplit_once('/') {
        Some((role, session))
            if caller.contains(":assumed-role/")
                && session.rsplit('-').next().is_some_and(|end| {
                    end.len() >= 10 && end.bytes().all(|byte| byte.is_ascii_digit())
                }) =>
        {
            role
        }
        _ => caller,
    }
}

/// A principal of which nothing but the name is known.
fn bare(name: &str, arn: &str, location: Location) -> AwsUser {
    AwsUser {
        name: name.to_owned(),
        path: "/".to_owned(),
        arn: arn.to_owned(),
        unique_id: String::new(),
        created_at: None,
        groups: Vec::new(),
        inline: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        tags: BTreeMap::new(),
        keys: Vec::new(),
        password: None,
        password_last_use: LastUse::Unknown,
        mfa: None,
        services: None,
        location,
    }
}

fn place(uri: String, line: u32) -> Location {
    Location {
        repository: None,
        uri,
        line: Some(line),
        column: Some(1),
        logical: None,
    }
}

/// An ARN as people write it into a file name: letters and digits kept, everything else one dash.
fn flat(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
