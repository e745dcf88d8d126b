//! What the organisation's own numbers and exceptions do, and what of use, reach and trust the judgement says.

use super::fixtures::{
    ACCOUNT, World, access_key, admin, days_ago, github, job, logged, now, role, seen, trust, user,
    with_privilege,
};
use crate::model::consumer::{ONLY_INSTALLS, REACHES_BEYOND};
use crate::model::{Disposition, Evidence, Grade, LogWindow, PrincipalKind, Rhythm, Storage};

#[test]
fn an_exception_too_far_ahead_does_not_count() {
    let reader = |until: &str| {
        let mut world = World::new(&format!(
            "[[identity]]\nmatch = \"*docs\"\nenvironment = \"development\"\n\
             exception_owner = \"web\"\nexception_expires = {until}\n"
        ));
        let user = with_privilege(user("docs"), 1, false);
        let key = access_key(&user);
        world.add_identity(user);
        world.add_credential(key);
        world.only()
    };
    assert_eq!(reader("2027-06-01").disposition, Disposition::KeepStanding);
    let far = reader("2099-01-01");
    assert_ne!(far.disposition, Disposition::KeepStanding);
    assert!(format!("{:?}", far.trace).contains("more than 366 d ahead"));
}

#[test]
fn a_service_that_may_do_much_is_not_kept_for_being_a_service() {
    let task = |tier: u8, service: &str| {
        let mut world = World::new("");
        let mut path = trust(PrincipalKind::Service, service);
        path.coverage.subject = true;
        let mut role = with_privilege(role("task", vec![path]), tier, true);
        role.max_session_seconds = Some(3600);
        world.add_identity(role);
        world.only()
    };
    let service = "ecs-tasks.amazonaws.com";
    assert_eq!(task(2, service).disposition, Disposition::KeepStanding);
    for tier in [3, 4] {
        let wide = task(tier, service);
        assert_eq!(wide.disposition, Disposition::Review, "{:?}", wide.trace);
        assert!(format!("{:?}", wide.trace).contains("nothing shows what of it is used"));
    }
    // Conditions alone do not excuse reach into every secret.
    let mut path = github("repo:acme/pay:environment:production");
    path.coverage.session = true;
    let mut wide = with_privilege(role("pay", vec![path]), 4, true);
    wide.max_session_seconds = Some(3600);
    let mut world = World::new("");
    world.add_identity(wide);
    assert_ne!(world.only().disposition, Disposition::KeepStanding);
}

#[test]
fn lengths_that_are_allowed_are_the_only_ones_proposed_or_it_is_said_why_not() {
    let ttl = |allowed: &str| {
        let mut world = World::new(&format!("[scoring.ttl]\nallowed_seconds = {allowed}\n"));
        let user = with_privilege(user("ci"), 3, true);
        let mut key = access_key(&user);
        key.storage = Storage::CiStore;
        let mut one = job("site");
        one.uses.credentials = vec![key.id.clone()];
        world.add_consumer(one);
        world.add_identity(user);
        world.add_credential(key);
        world.only().ttl
    };
    let longer = ttl("[1800]");
    assert_eq!(longer.seconds, Some(1800), "{}", longer.evidence);
    let none = ttl("[86400]");
    assert_eq!(none.seconds, Some(900));
    assert!(
        none.evidence.contains("allows only 1 d") && none.evidence.contains("nobody has allowed"),
        "{}",
        none.evidence
    );
    assert!(!ttl("[900]").evidence.contains("allowed_seconds"));
}

#[test]
fn an_administrator_reaches_other_accounts_where_one_lets_it_in() {
    let mut boss = admin(user("boss"));
    boss.privilege.cross_account = true;
    let key = access_key(&boss);
    let mut world = World::new("");
    world.add_identity(boss.clone());
    world.add_credential(key);
    let blast = |world: &World| {
        let all = world.assess();
        let one = all.iter().find(|one| one.credential.is_some()).unwrap();
        one.risk.factors[5].clone()
    };
    assert_eq!(blast(&world).level, 1, "{:?}", blast(&world));
    let mut other = role(
        "audit",
        vec![trust(PrincipalKind::Principal, &boss.native_id)],
    );
    other.native_id = "arn:aws:iam::222233334444:role/audit".into();
    other.account = Some("222233334444".into());
    world.add_identity(other);
    let reached = blast(&world);
    assert_eq!(reached.level, 2);
    assert!(
        reached.evidence[0].text.contains("lets it in"),
        "{reached:?}"
    );
}

#[test]
fn an_administrator_that_several_hold_or_everybody_reads_reaches_further() {
    let blast = |repositories: &[&str], storage: Storage| {
        let boss = admin(user("boss"));
        let mut key = access_key(&boss);
        key.storage = storage;
        let mut world = World::new("");
        for repository in repositories {
            let mut one = job(repository);
            one.uses.credentials = vec![key.id.clone()];
            world.add_consumer(one);
        }
        if storage == Storage::Public {
            key = super::fixtures::committed(key, storage, "leak");
        }
        world.add_identity(boss);
        world.add_credential(key);
        world.only().risk.factors[5].level
    };
    assert_eq!(blast(&["one"], Storage::CiStore), 1);
    assert_eq!(blast(&["one", "two"], Storage::CiStore), 2);
    assert_eq!(blast(&[], Storage::Public), 2);
}

#[test]
fn privilege_that_stays_says_what_the_logs_show_of_it() {
    let why = |days: i64| {
        let user = with_privilege(user("ci"), 3, true);
        let mut key = access_key(&user);
        key.storage = Storage::CiStore;
        let mut one = job("site");
        one.uses.credentials = vec![key.id.clone()];
        let mut world = World::new("");
        world.add_consumer(one);
        world.add_identity(user.clone());
        world.add_credential(key.clone());
        let mut activity = seen(&user, Some(&key), Rhythm::CronLike, [60, 60, 60]);
        for used in &mut activity.actions {
            used.kind = crate::model::ActionKind::Write;
            used.resources.clear();
        }
        logged(&mut world, activity);
        world.inventory.observed.windows = vec![LogWindow {
            account: ACCOUNT.into(),
            from: days_ago(days),
            to: now(),
            ..world.inventory.observed.windows[0].clone()
        }];
        world.only().risk_after.evidence.join("\n")
    };
    assert!(why(45).contains("of that tier"), "{}", why(45));
    assert!(why(5).contains("fewer than the 30 d"), "{}", why(5));
    assert!(!why(45).contains("no evidence of use") && !why(5).contains("no evidence of use"));
}

#[test]
fn what_a_secret_is_used_for_decides_what_can_take_its_place() {
    let target = |kind: &str, name: &str, said: &str| {
        let mut token = super::fixtures::credential(kind, kind.split('-').next().unwrap());
        token.reference = Some(name.into());
        token.storage = Storage::CiStore;
        let mut one = job("site");
        one.evidence.push(Evidence::new(Grade::B, said));
        one.uses.credentials = vec![token.id.clone()];
        let mut world = World::new("");
        world.add_consumer(one);
        world.add_credential(token);
        let only = world.only();
        assert_ne!(only.disposition, Disposition::Review, "{:?}", only.trace);
        assert!(only.risk_after.score < only.risk.score);
        (only.target.unwrap(), only.target_reason)
    };
    let (inside, _) = target("github-pat", "BOT", "runs");
    assert_eq!(inside, "github-job-token");
    let (beyond, reason) = target(
        "github-pat",
        "BOT",
        &format!("{REACHES_BEYOND}BOT: acme/docs (a command)"),
    );
    assert_eq!(beyond, "github-app-token");
    assert!(reason.contains("acme/docs"), "{reason}");
    // What another secret reaches says nothing of this one.
    let (inside, _) = target(
        "github-pat",
        "BOT",
        &format!("{REACHES_BEYOND}BOTH: acme/docs"),
    );
    assert_eq!(inside, "github-job-token");
    let (publishes, _) = target("npm-token", "NPM", "runs");
    assert_eq!(publishes, "npm-trusted-publishing");
    let (installs, _) = target("npm-token", "NPM", &format!("{ONLY_INSTALLS}A, NPM"));
    assert_eq!(installs, "npm-expiring-token");
}
