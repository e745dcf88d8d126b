//! Who shares an identity where nothing declares it: people beside machines, or several places at a time.

use super::JitContext;
use super::subject::Subject;
use crate::model::{
    Activity, ConsumerClass, Credential, CredentialStatus, Evidence, Grade, Identity, IdentityKind,
    LastUse, PrincipalKind, Rhythm,
};
use std::collections::{BTreeMap, BTreeSet};

/// Signs in logs that people work as a machine's identity; nothing where the identity is a person's.
pub(super) fn people_in_logs(subject: &Subject<'_>) -> Option<Evidence> {
    let identity = subject.identity?;
    let of_machine = match identity.kind {
        IdentityKind::IamUser => true,
        // What only people become is theirs; what a machine works with as well is shared.
        IdentityKind::IamRole => {
            !subject.consumers.is_empty()
                || subject.whole.iter().any(|activity| {
                    matches!(activity.rhythm, Rhythm::CronLike | Rhythm::Continuous)
                })
        }
        _ => false,
    };
    if subject.human() || subject.class == ConsumerClass::Human || !of_machine {
        return None;
    }
    by_hand(&subject.whole)
}

/// What only people do, of all that was seen of an identity.
fn by_hand(activities: &[&Activity]) -> Option<Evidence> {
    activities
        .iter()
        .flat_map(|activity| &activity.by_hand)
        .find(|sign| sign.grade == Grade::A)
        .cloned()
}

/// Several people, or people and machines, behind one administrator.
pub(super) fn administrator(
    context: &JitContext<'_>,
    subject: &Subject<'_>,
    paths: usize,
) -> Option<Evidence> {
    let identity = subject
        .identity
        .filter(|identity| identity.privilege.admin)?;
    let share = |grade, who: String| {
        let text = format!("{who} share an administrator");
        Some(Evidence::new(grade, text))
    };
    if !subject.human() && identity.console_password == Some(true) {
        return share(Grade::B, "people and machines".into());
    }
    if let Some(sign) = people_in_logs(subject) {
        let text = format!("people and machines ({})", sign.text);
        return share(sign.grade, text);
    }
    if paths >= 2 {
        return share(Grade::B, "several paths".into());
    }
    if let Some(text) = places(context, subject) {
        return share(Grade::A, text);
    }
    if let Some(text) = ways_in(context, identity) {
        return share(Grade::A, text);
    }
    if let Some(text) = let_in(context, identity) {
        return share(identity.grade, text);
    }
    None
}

/// Calls from several networks with several kinds of programs, some of them at once, where no consumer that was seen
/// accounts for them. What comes from one place after another may be one person on the move.
fn places(context: &JitContext<'_>, subject: &Subject<'_>) -> Option<String> {
    let rules = &context.scoring.shared;
    if subject
        .consumers
        .iter()
        .any(|consumer| consumer.class != ConsumerClass::Human)
    {
        return None;
    }
    let mut networks: BTreeMap<&str, u64> = BTreeMap::new();
    let mut programs: BTreeSet<&str> = BTreeSet::new();
    let overlap = subject.whole.iter().filter_map(|one| one.overlap_hours);
    let overlap = overlap.fold(0_u32, u32::saturating_add);
    for activity in &subject.whole {
        for network in &activity.networks {
            // Services that call on its behalf are no places of its own.
            if network.name.contains('/') {
                *networks.entry(&network.name).or_default() += network.count;
            }
        }
        let own = activity.user_agents.iter().map(|one| one.name.as_str());
        programs.extend(own.filter(|name| !name.ends_with(".amazonaws.com")));
    }
    programs.remove("AWS Internal");
    programs.remove("");
    let all: u64 = networks.values().sum();
    let places = networks
        .values()
        .filter(|count| count.saturating_mul(100) >= all.saturating_mul(rules.network_percent))
        .count();
    let keys = two_keys(&subject.whole);
    let shared = places >= rules.networks
        && programs.len() >= rules.programs
        && (keys || overlap >= rules.overlap_hours);
    shared.then(|| {
        let programs: Vec<&str> = programs.into_iter().take(4).collect();
        let how = if overlap >= rules.overlap_hours {
            format!("in {overlap} hours from more than one")
        } else {
            "with two keys in different places".to_owned()
        };
        format!(
            "those who call from {places} networks, {how}, with {}",
            programs.join(", ")
        )
    })
}

/// Two keys that were in use over the same days and never from the same network.
fn two_keys(activities: &[&Activity]) -> bool {
    let keys = || activities.iter().filter(|one| one.access_key.is_some());
    let names = |one: &Activity| -> BTreeSet<String> {
        let networks = one.networks.iter().filter(|each| each.name.contains('/'));
        networks.map(|each| each.name.clone()).collect()
    };
    keys().any(|one| {
        keys().any(|other| {
            let (here, there) = (names(one), names(other));
            one.access_key < other.access_key
                && one.first.max(other.first) < one.last.min(other.last)
                && !here.is_empty()
                && !there.is_empty()
                && here.is_disjoint(&there)
        })
    })
}

/// A password beside two keys, all of them in use: more than one person needs.
fn ways_in(context: &JitContext<'_>, identity: &Identity) -> Option<String> {
    let t = &context.scoring.thresholds;
    let in_use = |credential: &&Credential| {
        credential.status == CredentialStatus::Active
            && matches!(credential.last_use, LastUse::At(_))
            && credential
                .last_use
                .idle_days(context.now)
                .is_some_and(|days| days < t.idle_days)
    };
    let keys = context
        .inventory
        .credentials_of(&identity.credentials)
        .filter(in_use)
        .count();
    (identity.console_password == Some(true) && keys >= 2)
        .then(|| format!("the holders of a console password and {keys} keys in use"))
}

/// Several users of which at least one is a person's may become a role.
fn let_in(context: &JitContext<'_>, identity: &Identity) -> Option<String> {
    let inventory = context.inventory;
    let named: BTreeSet<&str> = identity
        .trust
        .iter()
        .filter(|path| path.principal_kind == PrincipalKind::Principal && !path.external)
        .map(|path| path.principal.as_str())
        .collect();
    let users: Vec<&Identity> = named
        .into_iter()
        .filter_map(|arn| inventory.identities.get(&Identity::id_of("aws", arn)))
        .filter(|one| one.kind == IdentityKind::IamUser && !one.is_deleted())
        .collect();
    let person = |user: &Identity| {
        user.human || user.console_password == Some(true) || {
            let seen: Vec<&Activity> = inventory.observed.of_identity(&user.id).collect();
            by_hand(&seen).is_some()
        }
    };
    if users.len() < 2 || !users.iter().any(|user| person(user)) {
        return None;
    }
    let names: Vec<&str> = users
        .iter()
        .take(3)
        .map(|user| user.name.as_str())
        .collect();
    let more = match users.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "the users {}{more}, whom its trust policy lets in,",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{World, access_key, admin, logged, role, seen, trust, user};
    use crate::model::{
        Assessment, Counted, Credential, Disposition, Evidence, Grade, Identity, Mitigation,
        PrincipalKind, Rhythm,
    };

    fn counted(names: &[&str]) -> Vec<Counted> {
        names
            .iter()
            .map(|name| Counted {
                name: (*name).into(),
                count: 100,
            })
            .collect()
    }

    /// An administrator with a key that logs show in use from these networks with these programs.
    fn used(of: &Identity, networks: &[&str], programs: &[&str], sign: Option<&str>) -> World {
        let mut world = World::new("");
        let key: Credential = access_key(of);
        world.add_identity(of.clone());
        world.add_credential(key.clone());
        let mut activity = seen(of, Some(&key), Rhythm::Bursty, [600, 900, 1200]);
        activity.networks = counted(networks);
        activity.overlap_hours = Some(12);
        activity.user_agents = counted(programs);
        activity.by_hand = sign
            .map(|text| Evidence::new(Grade::A, text))
            .into_iter()
            .collect();
        logged(&mut world, activity);
        world
    }

    fn why(one: &Assessment) -> Option<&str> {
        let blocker = one.blockers.iter().find(|each| each.id == "shared_admin")?;
        Some(&blocker.evidence.text)
    }

    const NETWORKS: [&str; 4] = [
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "100.64.9.0/24",
    ];

    #[test]
    fn logs_show_that_an_administrator_is_shared() {
        let mut person = admin(user("ann"));
        person.human = true;
        person.console_password = Some(true);
        let programs = ["browser", "aws-cli", "Terraform"];
        let one = used(&person, &NETWORKS, &programs, Some("9 sign-ins")).only();
        assert_eq!(
            why(&one),
            Some(
                "those who call from 4 networks, in 12 hours from more than one, with Terraform, aws-cli, browser share an administrator"
            )
        );
        assert_eq!(one.disposition, Disposition::ShortenAndCompensate);
        assert_ne!(one.mitigation, Mitigation::Full);
        // One person in two places, and a machine whose programs are few, share nothing.
        let one = used(&person, &NETWORKS[..2], &programs, Some("9 sign-ins")).only();
        assert_eq!(why(&one), None);
        let machine = admin(user("machine"));
        let one = used(&machine, &NETWORKS, &["Terraform"], None).only();
        assert_eq!(why(&one), None);
        // Rights below administration are shared as well, and that is no administrator.
        let mut small = person.clone();
        small.privilege.admin = false;
        let one = used(&small, &NETWORKS, &programs, Some("9 sign-ins")).only();
        assert_eq!(why(&one), None);
    }

    #[test]
    fn one_person_on_the_move_shares_nothing_and_the_numbers_are_settings() {
        let mut person = admin(user("ann"));
        person.human = true;
        let programs = ["browser", "aws-cli", "Terraform"];
        let judged = |overlap: Option<u32>, settings: &str| {
            let mut world = used(&person, &NETWORKS, &programs, None);
            for activity in &mut world.inventory.observed.activity {
                activity.overlap_hours = overlap;
            }
            world.scoring = World::new(settings).scoring;
            world.only()
        };
        assert_eq!(why(&judged(Some(0), "")), None);
        assert_eq!(why(&judged(Some(4), "")), None);
        assert_eq!(why(&judged(None, "")), None, "nobody counted");
        assert!(why(&judged(Some(5), "")).is_some());
        assert!(why(&judged(Some(4), "[scoring.shared]\noverlap_hours = 4\n")).is_some());
        assert_eq!(
            why(&judged(Some(5), "[scoring.shared]\nnetworks = 5\n")),
            None
        );
        assert_eq!(
            why(&judged(Some(5), "[scoring.shared]\nprograms = 4\n")),
            None
        );
    }

    #[test]
    fn a_machine_that_people_work_as_is_shared_and_kept_badly() {
        let machine = admin(user("machine"));
        let sign = Some("156 calls from a browser");
        let one = used(&machine, &NETWORKS[..1], &["browser", "aws-cli"], sign).only();
        assert_eq!(
            why(&one),
            Some("people and machines (156 calls from a browser) share an administrator")
        );
        let hygiene = one.risk.factors.iter().find(|each| each.code == "H");
        let hygiene = hygiene.unwrap();
        assert_eq!(hygiene.level, 1);
        assert_eq!(hygiene.evidence[0].grade, Grade::A);
        let quiet = used(&machine, &NETWORKS[..1], &["aws-cli"], None).only();
        assert!(quiet.risk.vector.contains("/H0"), "{}", quiet.risk.vector);
        let mut person = machine;
        person.human = true;
        let own = used(&person, &NETWORKS[..1], &["browser"], sign).only();
        assert!(own.risk.vector.contains("/H0"), "{}", own.risk.vector);
    }

    #[test]
    fn a_password_and_two_keys_in_use_are_more_than_one_persons() {
        let mut person = admin(user("ann"));
        person.human = true;
        person.console_password = Some(true);
        let world = |keys: usize| {
            let mut world = World::new("");
            world.add_identity(person.clone());
            for number in 0..keys {
                let mut key = access_key(&person);
                key.id = crate::model::CredentialId::of(&[&number.to_string()]);
                world.add_credential(key);
            }
            world.assess()
        };
        assert!(world(1).iter().all(|one| why(one).is_none()));
        assert!(world(2).iter().all(|one| why(one).is_some()));
    }

    #[test]
    fn a_role_that_people_and_others_become_is_shared() {
        let world = |names: &[&str], person: bool| {
            let mut world = World::new("");
            let users: Vec<Identity> = names.iter().map(|name| user(name)).collect();
            let ways = users
                .iter()
                .map(|user| trust(PrincipalKind::Principal, &user.native_id))
                .collect();
            let role = admin(role("ops", ways));
            for mut user in users {
                user.human = person;
                world.add_identity(user);
            }
            world.add_identity(role.clone());
            let all = world.assess();
            all.into_iter()
                .find(|one| one.identity.as_ref() == Some(&role.id))
                .unwrap()
        };
        let one = world(&["ann", "bob", "eve"], true);
        assert_eq!(
            why(&one),
            Some("the users ann, bob, eve, whom its trust policy lets in, share an administrator")
        );
        assert_ne!(one.mitigation, Mitigation::Full);
        let exposure = &one.risk.factors.iter().find(|f| f.code == "E").unwrap();
        assert_eq!(
            exposure.evidence[0].text,
            "only arn:aws:iam::111122223333:user/ann, arn:aws:iam::111122223333:user/bob and \
             arn:aws:iam::111122223333:user/eve may become it"
        );
        assert_eq!(why(&world(&["ann"], true)), None);
        assert_eq!(why(&world(&["one", "two"], false)), None);
    }
}
