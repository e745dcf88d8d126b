//! Which account every export belongs to, and the accounts that result.
//!
//! An ARN tells its account. What has none is placed by what stands nearest to it: an account id around it in the JSON,
//! 12 digits in the file's name, then folder by folder upwards a `get-caller-identity`, a folder named by 12 digits, or
//! the one account whose ARNs stand in that folder.

use super::access::Access;
use super::draft::Draft;
use super::fields::{account_of, is_account};
use super::files::Source;
use super::organization::Organizations;
use super::other::Other;
use super::resources;
use super::shape::{Found, KeyUse, Piece};
use super::{FileFound, SOURCE};
use crate::model::aws::{AwsAccount, AwsResource, AwsResourceGrant};
use crate::model::{Coverage, CoverageStatus, Location};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of accounts before the exports are placed.
#[derive(Default)]
struct Hints {
    /// Account ids of ARNs, by folder and every folder above.
    arns: BTreeMap<Vec<String>, BTreeSet<String>>,
    /// Callers, by the folder they stand in.
    callers: BTreeMap<Vec<String>, BTreeSet<String>>,
}

impl Hints {
    fn of(files: &[FileFound]) -> Self {
        let mut hints = Self::default();
        for file in files {
            for found in &file.found {
                if let Piece::Caller(account, _) = &found.piece {
                    hints
                        .callers
                        .entry(file.source.folders.clone())
                        .or_default()
                        .insert(account.clone());
                }
                let accounts: BTreeSet<String> = arns(&found.piece)
                    .filter_map(account_of)
                    .map(str::to_owned)
                    .collect();
                if accounts.is_empty() {
                    continue;
                }
                for depth in 0..=file.source.folders.len() {
                    let folder = file.source.folders.iter().take(depth).cloned().collect();
                    hints
                        .arns
                        .entry(folder)
                        .or_default()
                        .extend(accounts.iter().cloned());
                }
            }
        }
        hints
    }

    fn account(&self, found: &Found, source: &Source) -> Option<String> {
        if let Some(account) = &found.account {
            return Some(account.clone());
        }
        // One export of several entities belongs to the account its own ARNs name.
        let own: BTreeSet<&str> = arns(&found.piece).filter_map(account_of).collect();
        if let (1, Some(account)) = (own.len(), own.first()) {
            return Some((*account).to_owned());
        }
        if let Some(account) = digits(&source.stem) {
            return Some(account);
        }
        for depth in (0..=source.folders.len()).rev() {
            let folder = source.folders.get(..depth).unwrap_or_default();
            if let Some(account) = only(self.callers.get(folder)) {
                return Some(account);
            }
            if let Some(account) = folder.last().and_then(|name| digits(name)) {
                return Some(account);
            }
            if let Some(account) = only(self.arns.get(folder)) {
                return Some(account);
            }
        }
        None
    }
}

/// The one entry of a set.
fn only(set: Option<&BTreeSet<String>>) -> Option<String> {
    set.filter(|set| set.len() == 1)
        .and_then(|set| set.first().cloned())
}

/// An account id that is, or stands separately in, a name.
fn digits(name: &str) -> Option<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|part| is_account(part))
        .map(str::to_owned)
}

/// ARNs of the entities of an export.
fn arns(piece: &Piece) -> Box<dyn Iterator<Item = &str> + '_> {
    match piece {
        Piece::Details {
            users,
            groups,
            roles,
            policies,
            ..
        } => Box::new(
            users
                .iter()
                .map(|user| user.arn.as_str())
                .chain(groups.iter().map(|group| group.arn.as_str()))
                .chain(roles.iter().map(|role| role.arn.as_str()))
                .chain(policies.iter().map(|policy| policy.arn.as_str())),
        ),
        Piece::Roles(roles) => Box::new(roles.iter().map(|role| role.arn.as_str())),
        Piece::Users(users) => Box::new(users.iter().map(|user| user.arn.as_str())),
        Piece::Report { rows, .. } => Box::new(rows.iter().map(|row| row.arn.as_str())),
        Piece::Providers(providers) => {
            Box::new(providers.iter().map(|provider| provider.arn.as_str()))
        }
        Piece::ServiceUse { names, .. } => Box::new(names.iter().map(String::as_str)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Exports that only make sense once the entities of every account are known.
struct Later {
    /// Order among them.
    turn: u8,
    account: Option<String>,
    source: Source,
    piece: Piece,
}

/// When an export has its turn, if not at once: policies of AWS for accounts not named, keys and callers, uses of keys,
/// services.
fn turn(piece: &Piece, placed: bool) -> Option<u8> {
    match piece {
        Piece::Details { .. } if !placed && arns(piece).all(|arn| account_of(arn).is_none()) => {
            Some(0)
        }
        Piece::Keys(_) | Piece::Caller(..) => Some(1),
        Piece::KeyUse(_) => Some(2),
        Piece::ServiceUse { .. } => Some(3),
        Piece::Other(Other::Status(..) | Other::Selectors(..)) => Some(5),
        Piece::Other(_) => Some(4),
        _ => None,
    }
}

/// Builds the accounts.
pub(super) fn assemble(files: Vec<FileFound>, coverage: &mut Vec<Coverage>) -> Vec<AwsAccount> {
    let hints = Hints::of(&files);
    let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
    let mut later = Vec::new();
    let mut placed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut organizations = Organizations::default();
    let mut resources = Vec::new();
    let mut access = Vec::new();
    for file in files {
        for mut found in file.found {
            let account = hints.account(&found, &file.source);
            let source = file.source.clone();
            match found.piece {
                Piece::Organization(facts) => {
                    for fact in facts {
                        organizations.add(fact);
                    }
                    continue;
                }
                Piece::Resource {
                    named,
                    names,
                    document,
                } => {
                    resources.push(Standing {
                        account,
                        source,
                        named,
                        names,
                        document,
                    });
                    continue;
                }
                Piece::Access(one) => {
                    access.push((account, source, one));
                    continue;
                }
                other => found.piece = other,
            }
            if let Some(turn) = turn(&found.piece, account.is_some()) {
                later.push(Later {
                    turn,
                    account,
                    source,
                    piece: found.piece,
                });
                continue;
            }
            let touched = entities(&mut drafts, account.as_deref(), &source, found.piece);
            placed
                .entry(file.source.uri.clone())
                .or_default()
                .extend(touched);
        }
    }
    later.sort_by_key(|item| item.turn);
    for item in later {
        let uri = item.source.uri.clone();
        match evidence(&mut drafts, item) {
            Ok(accounts) => placed.entry(uri).or_default().extend(accounts),
            Err(reason) => {
                coverage.push(Coverage::new(SOURCE, uri, CoverageStatus::Partial, reason));
            }
        }
    }
    // Coverage names the account of every file that has exactly one.
    for entry in coverage.iter_mut() {
        if let Some(account) = only(placed.get(&entry.unit)) {
            entry.unit = format!("aws/{account}/{}", entry.unit);
        }
    }
    let mut accounts: Vec<AwsAccount> = drafts
        .into_values()
        .map(|draft| draft.finish(coverage))
        .collect();
    for resource in resources {
        if let Err((uri, reason)) = resource.settle(&mut accounts) {
            coverage.push(Coverage::new(SOURCE, uri, CoverageStatus::Partial, reason));
        }
    }
    for (account, source, one) in access {
        if let Err((uri, reason)) = settle(account, &source, one, &mut accounts) {
            coverage.push(Coverage::new(SOURCE, uri, CoverageStatus::Partial, reason));
        }
    }
    for account in &mut accounts {
        account.public_access_blocks.sort();
        account
            .public_access_blocks
            .dedup_by(|a, b| a.bucket == b.bucket);
        account.resource_grants.sort_by(|a, b| {
            let key = |grant: &AwsResourceGrant| (grant.arn.clone(), grant.statement.to_string());
            key(a).cmp(&key(b))
        });
        account
            .resource_grants
            .dedup_by(|a, b| a.arn == b.arn && a.statement == b.statement);
        account.resources.sort_by(|a, b| a.arn.cmp(&b.arn));
        account.resources.dedup_by(|a, b| a.arn == b.arn);
        organizations.place(account, coverage);
    }
    accounts
}

/// Puts what is given at resources into its account; the error is a unit and a reason for the coverage.
fn settle(
    account: Option<String>,
    source: &Source,
    access: Access,
    accounts: &mut [AwsAccount],
) -> Result<(), (String, &'static str)> {
    let id = access.arn().and_then(account_of).map(str::to_owned);
    let account = match id.or(account) {
        Some(id) => accounts.iter_mut().find(|known| known.account_id == id),
        None => None,
    };
    let Some(account) = account else {
        return Err((
            source.uri.clone(),
            "cannot tell the account of this resource: put the file into a folder named by the account id",
        ));
    };
    let AwsAccount {
        account_id,
        public_access_blocks,
        resource_grants,
        ..
    } = account;
    access.settle(source, account_id, public_access_blocks, resource_grants);
    Ok(())
}

/// A resource's policy whose account is to be found.
struct Standing {
    account: Option<String>,
    source: Source,
    named: Option<String>,
    names: Vec<String>,
    document: Value,
}

impl Standing {
    /// Puts the policy into its account; the error is a unit and a reason for the coverage.
    fn settle(self, accounts: &mut Vec<AwsAccount>) -> Result<(), (String, &'static str)> {
        let folder = self.source.folders.last().map(String::as_str);
        let uri = self.source.uri;
        let Some(arn) = resources::place(
            self.named,
            &self.names,
            folder,
            &self.source.stem,
            &self.document,
        ) else {
            return Err((
                uri,
                "cannot tell which resource this policy stands at: put its ARN beside it as `ResourceArn`, or into the \
                 file's name",
            ));
        };
        let Some(id) = account_of(&arn).map(str::to_owned).or(self.account) else {
            return Err((
                uri,
                "cannot tell the account of this resource: put the file into a folder named by the account id",
            ));
        };
        let location = Location {
            repository: Some(format!("aws/{id}")),
            uri,
            line: None,
            column: None,
            logical: Some(arn.clone()),
        };
        let resource = AwsResource {
            arn,
            policy: self.document,
            location,
        };
        match accounts.iter_mut().find(|account| account.account_id == id) {
            Some(account) => account.resources.push(resource),
            None => accounts.push(AwsAccount {
                account_id: id,
                resources: vec![resource],
                ..AwsAccount::default()
            }),
        }
        Ok(())
    }
}

fn draft<'a>(drafts: &'a mut BTreeMap<String, Draft>, account: &str) -> &'a mut Draft {
    drafts
        .entry(account.to_owned())
        .or_insert_with(|| Draft::new(account))
}

/// Name of an account nobody names: one for each folder, so that two of them do not run together.
fn unknown(source: &Source) -> String {
    let below: Vec<&str> = source.folders.iter().skip(1).map(String::as_str).collect();
    if below.is_empty() {
        "unknown".to_owned()
    } else {
        format!("unknown-{}", below.join("-"))
    }
}

/// Puts the entities of an export into their accounts; returns the accounts touched.
fn entities(
    drafts: &mut BTreeMap<String, Draft>,
    account: Option<&str>,
    source: &Source,
    piece: Piece,
) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    let mut place = |arn: &str| {
        let id = account_of(arn)
            .map(str::to_owned)
            .or_else(|| account.map(str::to_owned))
            .unwrap_or_else(|| unknown(source));
        touched.insert(id.clone());
        id
    };
    match piece {
        Piece::Details {
            users,
            groups,
            roles,
            policies,
            truncated,
        } => {
            for user in users {
                let id = place(&user.arn);
                draft(drafts, &id).add_user(user);
            }
            for group in groups {
                let id = place(&group.arn);
                draft(drafts, &id).add_group(group);
            }
            for role in roles {
                let id = place(&role.arn);
                draft(drafts, &id).add_role(role);
            }
            let (owned, of_aws): (Vec<_>, Vec<_>) = policies
                .into_iter()
                .partition(|policy| account_of(&policy.arn).is_some());
            for policy in owned {
                let id = place(&policy.arn);
                draft(drafts, &id).add_policy(policy);
            }
            // Policies of AWS are the same everywhere: those of a page go to every account of the page, and those of a
            // page without an account to every account there is.
            if touched.is_empty() {
                match account {
                    Some(account) => {
                        touched.insert(account.to_owned());
                    }
                    None => touched.extend(drafts.keys().cloned()),
                }
                if touched.is_empty() {
                    touched.insert(unknown(source));
                }
            }
            for id in &touched {
                let draft = draft(drafts, id);
                draft.saw_details(truncated);
                for policy in &of_aws {
                    draft.add_policy(policy.clone());
                }
            }
        }
        Piece::Roles(roles) => {
            for role in roles {
                let id = place(&role.arn);
                let draft = draft(drafts, &id);
                draft.saw_roles();
                draft.add_role(role);
            }
        }
        Piece::Users(users) => {
            for user in users {
                let id = place(&user.arn);
                draft(drafts, &id).add_user(user);
            }
        }
        Piece::Report { rows, generated } => {
            for row in rows {
                let id = place(&row.arn);
                draft(drafts, &id).add_row(row, &source.uri, generated);
            }
        }
        Piece::Providers(providers) => {
            if providers.is_empty() {
                let id = place("");
                draft(drafts, &id).add_provider(None);
            }
            for provider in providers {
                let id = place(&provider.arn);
                draft(drafts, &id).add_provider(Some(provider));
            }
        }
        Piece::Aliases(aliases) => {
            let id = place("");
            draft(drafts, &id).add_alias(aliases);
        }
        Piece::Caller(account, arn) => {
            if let Some(draft) = drafts.get_mut(&account) {
                draft.read_by(&arn);
            }
            touched.insert(account);
        }
        Piece::Beside(facts) => {
            let id = place("");
            let draft = draft(drafts, &id);
            for fact in facts {
                draft.add_beside(fact, &source.stem);
            }
        }
        Piece::Keys(_)
        | Piece::KeyUse(_)
        | Piece::ServiceUse { .. }
        | Piece::Other(_)
        | Piece::Organization(_)
        | Piece::Resource { .. }
        | Piece::Access(_)
        | Piece::Nothing(_) => {}
    }
    touched
}

/// Attaches evidence on keys and services; the error is a reason for the coverage.
fn evidence(drafts: &mut BTreeMap<String, Draft>, item: Later) -> Result<BTreeSet<String>, String> {
    let Later {
        turn: _,
        account,
        source,
        piece,
    } = item;
    match piece {
        Piece::Keys(keys) => {
            let users: BTreeSet<&str> = keys.iter().filter_map(|key| key.user.as_deref()).collect();
            let id = account
                .or_else(|| holding(drafts, |draft| users.iter().all(|name| draft.has_user(name))))
                .ok_or("cannot tell the account of these access keys: put the file into a folder named by the account id")?;
            draft(drafts, &id).add_keys(keys);
            Ok(BTreeSet::from([id]))
        }
        Piece::KeyUse(mut used) => {
            used.names.push(source.stem);
            let known = |draft: &Draft| draft.key_named(&used).is_some();
            let id = account
                .filter(|id| drafts.get(id).is_some_and(known))
                .or_else(|| holding(drafts, known))
                .ok_or_else(|| unplaced_key(&used))?;
            draft(drafts, &id).add_key_use(used);
            Ok(BTreeSet::from([id]))
        }
        Piece::ServiceUse {
            mut names,
            services,
            completed,
            finished,
        } => {
            if !finished {
                return Err(
                    "the job had not finished: run `get-service-last-accessed-details` again and wait for JobStatus COMPLETED"
                        .to_owned(),
                );
            }
            names.push(source.stem);
            let folder = source.folders.last().map(String::as_str);
            let known = |draft: &Draft| draft.principal_named(&names, folder).is_some();
            let id = account
                .filter(|id| drafts.get(id).is_some_and(known))
                .or_else(|| holding(drafts, known))
                .ok_or("cannot tell the principal: name the file users/<UserName>.json or roles/<RoleName>.json")?;
            draft(drafts, &id).add_services(&names, folder, services, completed);
            Ok(BTreeSet::from([id]))
        }
        Piece::Other(mut other) => {
            if let Other::Status(names, _) | Other::Selectors(names, _) = &mut other {
                names.push(source.stem);
                let names = names.clone();
                let known: Vec<String> = drafts
                    .iter()
                    .filter(|(id, draft)| {
                        draft.has_trail(&names) && account.as_ref().is_none_or(|own| own == *id)
                    })
                    .map(|(id, _)| id.clone())
                    .collect();
                let [id] = known.as_slice() else {
                    return Err(
                        "cannot tell the trail: name the file <TrailName>.json, and give `aws cloudtrail describe-trails` as well"
                            .to_owned(),
                    );
                };
                draft(drafts, id).add_other(other);
                return Ok(BTreeSet::from([id.clone()]));
            }
            let id = account
                .or_else(|| {
                    other
                        .arns()
                        .into_iter()
                        .find_map(account_of)
                        .map(str::to_owned)
                })
                .ok_or(
                    "cannot tell the account: put the file into a folder named by the account id",
                )?;
            draft(drafts, &id).add_other(other);
            Ok(BTreeSet::from([id]))
        }
        other => Ok(entities(drafts, account.as_deref(), &source, other)),
    }
}

fn unplaced_key(used: &KeyUse) -> String {
    match &used.user {
        Some(_) => "cannot tell which access key this is of: name the file <AccessKeyId>.json",
        None => "names neither key nor user: name the file <AccessKeyId>.json",
    }
    .to_owned()
}

/// The one account for which `holds` is true.
fn holding(drafts: &BTreeMap<String, Draft>, holds: impl Fn(&Draft) -> bool) -> Option<String> {
    let mut matching = drafts.iter().filter(|(_, draft)| holds(draft));
    match (matching.next(), matching.next()) {
        (Some((id, _)), None) => Some(id.clone()),
        _ => None,
    }
}
