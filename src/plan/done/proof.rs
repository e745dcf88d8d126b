//! The single things that have to hold, each with what it is judged by.

use super::ended;
use super::later::Later;
use crate::model::{
    Consumer, Credential, CredentialStatus, Disposition, Federation, Grade, Identity, IdentityKind,
    LastUse, Planned, PrincipalKind, Ternary,
};
use crate::rules::targets::{Proof, Targets};
use jiff::ToSpan;
use std::collections::BTreeSet;

/// Longest session that counts as short, in seconds.
const SHORT: u64 = 3_600;
/// Days within which something that expires has to end.
const EXPIRES_DAYS: i64 = 90;

/// What has to hold for an item: that of its mechanism, or of the procedure where nothing migrates.
pub(super) fn proofs(planned: &Planned, targets: &Targets) -> Vec<Proof> {
    use Proof::{Ended, Gone, IdentityGone, NotHeld, NotNamed, NotShared, Renewed};
    if let Some(target) = targets.get(&planned.progress.mechanism) {
        return target.done.clone();
    }
    match (planned.progress.disposition, &planned.credential) {
        (Disposition::RevokeNow, Some(_)) => vec![Ended, NotHeld],
        (Disposition::Decommission, Some(_)) => vec![Gone, NotHeld, NotNamed],
        (Disposition::Decommission, None) => vec![IdentityGone],
        (Disposition::SplitFirst, _) => vec![NotShared],
        (Disposition::KeepStanding, Some(_)) => vec![Renewed],
        // What only waits for evidence is over when judgement no longer asks for any.
        _ => Vec::new(),
    }
}

/// What a later report shows of an item.
pub(super) struct Seen<'a> {
    pub(super) planned: &'a Planned,
    pub(super) credential: Option<&'a Credential>,
    pub(super) identity: Option<&'a Identity>,
    pub(super) later: &'a Later<'a>,
}

impl Seen<'_> {
    /// Whether everything holds, with a line for each.
    pub(super) fn all(&self, proofs: &[Proof]) -> (bool, Vec<String>) {
        let judged: Vec<(Proof, Ternary, String)> = proofs
            .iter()
            .map(|proof| {
                let (held, text) = self.one(*proof);
                (*proof, held, text)
            })
            .collect();
        // What a scan cannot see does not hold a finished move open, but for whether the old credential still works.
        let proven = judged.iter().all(|(proof, held, _)| match held {
            Ternary::Yes => true,
            Ternary::No => false,
            Ternary::Unknown => !matches!(proof, Proof::Gone | Proof::Ended),
        });
        let mut lines: Vec<String> = judged
            .into_iter()
            .map(|(_, held, text)| format!("{}: {text}", held.as_str()))
            .chain(proofs.is_empty().then(|| self.judged()))
            .collect();
        lines.dedup();
        (proven, lines)
    }

    /// What holds, and the lines of what does not.
    pub(super) fn apart(&self, proofs: &[Proof]) -> (Vec<Proof>, Vec<String>) {
        let (mut holds, mut left) = (Vec::new(), Vec::new());
        for proof in proofs {
            match self.one(*proof) {
                (Ternary::Yes, _) => holds.push(*proof),
                (Ternary::No, text) => left.push(text),
                (Ternary::Unknown, text) => left.push(format!("not known: {text}")),
            }
        }
        (holds, left)
    }

    fn one(&self, proof: Proof) -> (Ternary, String) {
        match proof {
            Proof::Gone | Proof::Ended | Proof::NotHeld | Proof::Expires | Proof::Renewed => {
                self.of_credential(proof)
            }
            Proof::NotNamed => self.not_named(),
            Proof::NotShared => self.not_shared(),
            Proof::Federated => self.federated(),
            _ => self.of_identity(proof),
        }
    }

    fn of_credential(&self, proof: Proof) -> (Ternary, String) {
        if self.planned.credential.is_none() {
            return held(true, "it has no credential");
        }
        let Some(credential) = self.credential else {
            return held(true, "the credential is no longer in the inventory");
        };
        let now = self.later.view.run.now;
        let over = credential.expires_at.is_some_and(|at| at <= now);
        match proof {
            Proof::NotHeld => {
                let places: Vec<String> = credential
                    .sightings
                    .iter()
                    .filter(|sighting| sighting.at_head)
                    .map(|sighting| sighting.location().display())
                    .collect();
                match places.as_slice() {
                    [] => held(true, "no current file holds it"),
                    [only] => held(false, format!("{only} holds it")),
                    [first, ..] => held(
                        false,
                        format!("{} current files hold it, such as {first}", places.len()),
                    ),
                }
            }
            Proof::Expires => {
                let limit = now.checked_add((EXPIRES_DAYS * 24).hours()).unwrap_or(now);
                match credential.expires_at {
                    Some(at) => held(
                        at <= limit,
                        format!("it ends on {}", at.strftime("%Y-%m-%d")),
                    ),
                    None => (Ternary::No, "no expiry is known of it".to_owned()),
                }
            }
            Proof::Renewed => match credential.created_at {
                Some(at) => held(
                    at > self.planned.progress.planned_at,
                    format!("it was issued on {}", at.strftime("%Y-%m-%d")),
                ),
                None => (Ternary::No, "the same credential is still there".to_owned()),
            },
            _ if over => held(true, "it is past its expiry"),
            _ => match credential.status {
                CredentialStatus::Inactive if proof == Proof::Ended => held(
                    true,
                    format!("it is known to be inactive{}", last_use(credential)),
                ),
                // A key of an account whose users are all listed and have no such key is not switched off: it is no more.
                CredentialStatus::Inactive if self.is_unlisted(credential) => held(
                    true,
                    format!("the account lists no such key{}", last_use(credential)),
                ),
                CredentialStatus::Inactive => held(
                    false,
                    format!(
                        "the issuer shows it inactive{}: it waits to be deleted",
                        last_use(credential)
                    ),
                ),
                CredentialStatus::Active => held(
                    false,
                    format!("the issuer shows it active{}", last_use(credential)),
                ),
                CredentialStatus::Unknown => (
                    Ternary::Unknown,
                    "whether the issuer still accepts it is not in the input".to_owned(),
                ),
            },
        }
    }

    /// Whether the account that a key belongs to was read and does not have it: the account proves it, not a list of its keys.
    fn is_unlisted(&self, credential: &Credential) -> bool {
        let holder = self.later.identity(credential.identity.as_ref());
        let kinds = [
            IdentityKind::AwsAccount,
            IdentityKind::IamUser,
            IdentityKind::AwsRoot,
        ];
        let proven = credential.join.as_ref().map(|join| join.grade) == Some(Grade::A);
        credential.grade > Grade::A
            && proven
            && holder.is_some_and(|holder| kinds.contains(&holder.kind))
    }

    fn not_named(&self) -> (Ternary, String) {
        let Some(id) = &self.planned.credential else {
            return held(true, "it has no credential");
        };
        let named: Vec<&str> = self
            .later
            .using_credential(id)
            .map(|consumer| consumer.name.as_str())
            .collect();
        match named.as_slice() {
            [] => held(true, "no consumer names it"),
            [only] => held(false, format!("{only} still names it")),
            [first, ..] => held(
                false,
                format!("{} consumers still name it, such as {first}", named.len()),
            ),
        }
    }

    fn not_shared(&self) -> (Ternary, String) {
        let (credential, identity) = (&self.planned.credential, &self.planned.identity);
        let later = self.later;
        let using: Vec<&Consumer> = match (credential, identity) {
            (Some(id), _) => later.using_credential(id).collect(),
            (None, Some(id)) => later.using_identity(id).collect(),
            (None, None) => Vec::new(),
        };
        let paths: BTreeSet<&str> = using
            .into_iter()
            .filter_map(|consumer| consumer.repository.as_deref())
            .collect();
        let left: BTreeSet<&str> = self
            .planned
            .users
            .iter()
            .filter_map(|(_, repository)| repository.as_deref())
            .filter(|repository| !paths.contains(repository))
            .collect();
        let left = match left.len() {
            0 => String::new(),
            1..=3 => {
                let list: Vec<&str> = left.into_iter().collect();
                format!(", and no longer {}", list.join(", "))
            }
            many => format!(", and {many} no longer do"),
        };
        match paths.iter().collect::<Vec<_>>().as_slice() {
            // Nobody seen is not nobody: whoever kept a copy shares it still, until it has ended.
            [] => match self.over() {
                Ternary::Yes => held(true, format!("no repository uses it{left}; it has ended")),
                _ => held(
                    false,
                    format!("no repository uses it{left}; nothing shows that it has ended"),
                ),
            },
            [only] => held(true, format!("one repository uses it: {only}{left}")),
            many => held(false, format!("{} repositories use it{left}", many.len())),
        }
    }

    /// Whether what was shared no longer works.
    fn over(&self) -> Ternary {
        if self.planned.credential.is_some() {
            return self.of_credential(Proof::Ended).0;
        }
        let gone = self.identity.is_none_or(Identity::is_deleted);
        held(gone, "").0
    }

    fn federated(&self) -> (Ternary, String) {
        let mut unknown = None;
        let mut configured = None;
        for (name, repository) in &self.planned.users {
            let consumer = self.later.called(name, repository.as_deref());
            match consumer.map(|consumer| (consumer.federation, &consumer.uses.identities)) {
                None => {}
                Some((Federation::Configured, _)) => configured = Some(name),
                Some((_, roles)) if !roles.is_empty() => configured = Some(name),
                Some((Federation::Unknown, _)) => unknown = Some(name),
                // A job that no longer touches the provider has nothing to prove.
                Some(_) if self.credential.is_none() => unknown = Some(name),
                Some(_) => return held(false, format!("{name} cannot prove what it is yet")),
            }
        }
        match (unknown, configured) {
            (Some(name), _) => (
                Ternary::Unknown,
                format!("whether {name} proves what it is was not seen"),
            ),
            (None, Some(name)) => held(true, format!("{name} proves what it is")),
            (None, None) => held(true, "no consumer is left that used it"),
        }
    }

    fn of_identity(&self, proof: Proof) -> (Ternary, String) {
        let Some(identity) = self.identity else {
            return match (&self.planned.identity, self.credential) {
                (None, Some(_)) => (Ternary::Unknown, "whose it is was not seen".to_owned()),
                _ => held(true, "the identity is no longer in the inventory"),
            };
        };
        let name = &identity.name;
        let ways = &identity.trust;
        match proof {
            Proof::IdentityGone if identity.is_deleted() => {
                held(true, format!("the account no longer lists {name}"))
            }
            Proof::IdentityGone => held(false, format!("{name} is still there")),
            Proof::NoOtherKey => {
                let now = self.later.view.run.now;
                let others = self
                    .later
                    .credentials_of(&identity.id)
                    .iter()
                    .filter(|other| Some(&other.id) != self.planned.credential.as_ref())
                    .filter(|other| !ended(other, now))
                    .count();
                held(
                    others == 0,
                    format!("{name} has {others} other credentials"),
                )
            }
            Proof::NoPassword => match identity.console_password {
                Some(has) => held(
                    !has,
                    format!(
                        "{name} has {} console password",
                        if has { "a" } else { "no" }
                    ),
                ),
                None => (
                    Ternary::Unknown,
                    "whether it has a console password is not in the input".to_owned(),
                ),
            },
            Proof::TrustExact => {
                let loose = ways.iter().find(|way| {
                    !way.coverage.subject
                        || matches!(
                            way.principal_kind,
                            PrincipalKind::Anyone | PrincipalKind::Account
                        )
                });
                match loose {
                    None => held(true, "every way in names who may"),
                    Some(way) => held(
                        false,
                        format!("the trust of {} does not name who may", way.principal),
                    ),
                }
            }
            Proof::TrustConditioned => {
                let loose = ways
                    .iter()
                    .find(|way| !(way.coverage.session || way.coverage.origin));
                match loose {
                    None => held(true, "every way in asks for session or origin"),
                    Some(way) => held(
                        false,
                        format!(
                            "the trust of {} asks for neither session nor origin",
                            way.principal
                        ),
                    ),
                }
            }
            Proof::ExternalId => {
                let loose = ways.iter().find(|way| way.external && !way.external_id);
                match loose {
                    None => held(true, "every outside party has to show an external id"),
                    Some(way) => held(false, format!("{} needs no external id", way.principal)),
                }
            }
            Proof::Mfa => {
                let asked = identity.mfa == Some(true)
                    || !ways.is_empty() && ways.iter().all(|way| way.mfa);
                held(
                    asked,
                    format!(
                        "a second factor is {}asked for",
                        if asked { "" } else { "not " }
                    ),
                )
            }
            Proof::SessionShort => match identity.session_limit() {
                Some(seconds) => held(
                    seconds <= SHORT,
                    format!("a session lasts up to {} min", seconds / 60),
                ),
                None => (
                    Ternary::Unknown,
                    "its longest session is not in the input".to_owned(),
                ),
            },
            Proof::NoBlanket => {
                let p = &identity.privilege;
                let wide = p.admin || !p.blanket_policies.is_empty() || !p.full_services.is_empty();
                held(
                    !wide,
                    format!(
                        "it holds {}",
                        if wide {
                            "administration, a blanket policy or whole services"
                        } else {
                            "no blanket policy and no whole service"
                        }
                    ),
                )
            }
            Proof::ToolsBounded => {
                let any = identity
                    .agent
                    .as_ref()
                    .is_some_and(|agent| agent.auto_approved.iter().any(|tool| tool.contains('*')));
                held(
                    !any,
                    if any {
                        "tools run unasked whatever they are"
                    } else {
                        "no tool runs unasked whatever it is"
                    },
                )
            }
            _ => self.risk(),
        }
    }

    /// What judgement says of it now.
    fn judged(&self) -> String {
        let now = self.later.assessment(&self.planned.assessment);
        match now {
            Some(now) => format!(
                "it is judged: {}, risk {}",
                now.disposition.title().to_lowercase(),
                now.risk.score
            ),
            None => "it is no longer in the inventory".to_owned(),
        }
    }

    /// Judged again, its risk is what the plan said.
    fn risk(&self) -> (Ternary, String) {
        let now = self.later.assessment(&self.planned.assessment);
        let goal = self.planned.risk_after.max(4);
        match now {
            None => held(true, "nothing of it calls for judgement any more"),
            Some(now) => held(
                now.risk.score <= goal,
                format!(
                    "its risk is {} (was {}, planned {}), disposition {}",
                    now.risk.score,
                    self.planned.progress.risk_before,
                    self.planned.risk_after,
                    now.disposition.as_str()
                ),
            ),
        }
    }
}

fn last_use(credential: &Credential) -> String {
    match credential.last_use {
        LastUse::At(at) => format!(", last used on {}", at.strftime("%Y-%m-%d")),
        LastUse::NeverSince(_) => ", never used".to_owned(),
        LastUse::Unknown => String::new(),
    }
}

fn held(holds: bool, text: impl Into<String>) -> (Ternary, String) {
    let held = if holds { Ternary::Yes } else { Ternary::No };
    (held, text.into())
}
