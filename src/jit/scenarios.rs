//! The edge cases of the texts, each with logs and without: what is decided, for how long, and why.

use super::fixtures::*;
use crate::model::{
    AgentReach, Assessment, ConsumerClass, Credential, Disposition, Federation, Identity,
    IdentityKind, Mitigation, PlanItem, Rhythm, Storage, Ternary,
};

/// A user with a key, and what uses it.
fn keyed(
    user: Identity,
    consumer: Option<crate::model::Consumer>,
) -> (World, Identity, Credential) {
    let mut world = World::new("");
    let mut key = access_key(&user);
    key.storage = Storage::Environment;
    if let Some(mut consumer) = consumer {
        consumer.uses.credentials = vec![key.id.clone()];
        world.add_consumer(consumer);
    }
    world.add_identity(user.clone());
    world.add_credential(key.clone());
    (world, user, key)
}

fn blocked(assessment: &Assessment, id: &str) -> bool {
    assessment.blockers.iter().any(|blocker| blocker.id == id)
}

fn factor(assessment: &Assessment, code: &str) -> u8 {
    assessment
        .fit
        .factors
        .iter()
        .find(|factor| factor.code == code)
        .unwrap()
        .points
}

fn item(world: &World) -> PlanItem {
    world.plan().remove(0)
}

#[test]
fn a_nightly_batch_is_known_by_its_logs() {
    let (mut world, user, key) = keyed(with_privilege(user("nightly"), 3, true), None);
    let without = world.only();
    assert_eq!(without.disposition, Disposition::Review);
    assert!(blocked(&without, "consumer_unknown"));
    assert_eq!(without.task.bounded, Ternary::Unknown);
    logged(
        &mut world,
        seen(&user, Some(&key), Rhythm::CronLike, [720, 1020, 1200]),
    );
    let with = world.only();
    assert_eq!(with.consumer_class, ConsumerClass::Scheduled);
    assert_eq!(with.disposition, Disposition::PlanMigration);
    assert!(!blocked(&with, "consumer_unknown"));
    assert_eq!(with.task.bounded, Ternary::Yes);
    assert_eq!(with.task.stop_provable, Ternary::Yes);
    assert_eq!(factor(&with, "F2"), 20);
    // Seventeen minutes do not fit into fifteen: the next length on offer covers 95 of 100 runs.
    assert_eq!(with.ttl.seconds, Some(1200));
    assert!(
        with.ttl.evidence.contains("95 of 100 of 60 sessions"),
        "{}",
        with.ttl.evidence
    );
    assert!(with.lifetime_ratio.is_some());
}

#[test]
fn what_is_declared_with_an_end_and_never_rests_is_split_and_not_migrated() {
    let (mut world, user, key) =
        keyed(with_privilege(user("deployer"), 3, true), Some(job("site")));
    let declared = world.only();
    assert_eq!(declared.disposition, Disposition::MigrateNow);
    logged(
        &mut world,
        seen(
            &user,
            Some(&key),
            Rhythm::Continuous,
            [86_400, 86_400, 86_400],
        ),
    );
    let seen = world.only();
    assert_eq!(seen.consumer_class, ConsumerClass::Daemon);
    assert_eq!(seen.disposition, Disposition::Hybrid);
    assert_eq!(seen.mitigation, Mitigation::Partial);
    assert!(
        seen.fit.factors[1].evidence[0]
            .text
            .contains("has an end: ci"),
        "{:?}",
        seen.fit.factors[1]
    );
}

#[test]
fn a_hybrid_splits_what_was_used_into_two_sets() {
    let mut service = consumer(
        "Deployment orders/api",
        ConsumerClass::Daemon,
        "eks",
        "orders",
    );
    service.federation = Federation::Supported;
    let (mut world, user, key) = keyed(with_privilege(user("orders"), 3, true), Some(service));
    assert_eq!(item(&world).permissions, None);
    logged(
        &mut world,
        seen(
            &user,
            Some(&key),
            Rhythm::Continuous,
            [86_400, 86_400, 86_400],
        ),
    );
    let item = item(&world);
    assert_eq!(item.disposition, Disposition::Hybrid);
    let sets = item.permissions.unwrap();
    assert_eq!(sets.baseline[0].actions, ["ecs:DescribeServices"]);
    assert_eq!(sets.elevated[0].actions, ["s3:PutObject"]);
    assert_eq!(sets.elevated[0].resources, ["arn:aws:s3:::reports/a/*"]);
    assert!(
        sets.gaps
            .iter()
            .any(|gap| gap.contains("calls on data of s3")),
        "{:?}",
        sets.gaps
    );
    assert!(
        item.steps
            .iter()
            .any(|step| step.detail.contains("elevated s3:PutObject"))
    );
}

#[test]
fn privilege_shrinks_to_what_long_logs_show_and_not_to_what_short_ones_do() {
    let (mut world, user, key) = keyed(admin(user("deployer")), Some(job("site")));
    let unlogged = world.only();
    assert!(
        unlogged.risk_after.vector.contains("/P5/"),
        "{}",
        unlogged.risk_after.vector
    );
    logged(
        &mut world,
        seen(&user, Some(&key), Rhythm::Bursty, [300, 600, 900]),
    );
    let long = world.only();
    assert!(
        long.risk_after.vector.contains("/P3/"),
        "{}",
        long.risk_after.vector
    );
    assert!(long.risk_after.score < unlogged.risk_after.score);
    world.inventory.observed.windows[0].from = days_ago(5);
    assert!(world.only().risk_after.vector.contains("/P5/"));
}

#[test]
fn few_sessions_do_not_make_a_window() {
    let (mut world, user, key) =
        keyed(with_privilege(user("deployer"), 3, true), Some(job("site")));
    let mut activity = seen(&user, Some(&key), Rhythm::Unclear, [3000, 3500, 3500]);
    activity.sessions.count = 2;
    logged(&mut world, activity);
    let assessment = world.only();
    assert_eq!(assessment.ttl.seconds, Some(900));
    assert!(assessment.ttl.evidence.contains("timeout-minutes 15"));
}

#[test]
fn a_payment_job_is_in_the_first_wave_and_one_person_approves_before() {
    let mut identity = with_privilege(user("payments-settlement"), 3, true);
    identity.purpose = Some("settles card payments".into());
    let mut settle = job("payments");
    settle.schedule = Some("0 2 * * *".into());
    let (world, ..) = keyed(identity, Some(settle));
    let assessment = world.only();
    assert!(
        assessment.risk.vector.contains("/S3"),
        "{}",
        assessment.risk.vector
    );
    assert_eq!(assessment.disposition, Disposition::MigrateNow);
    let item = item(&world);
    assert_eq!((item.wave, item.approval.tier.as_str()), (1, "strict"));
    assert_eq!(item.approval.reason, "settles card payments");
}

#[test]
fn a_shared_administrator_is_compensated_and_never_called_done() {
    let mut identity = admin(user("ops"));
    identity.console_password = Some(true);
    let (world, ..) = keyed(identity, Some(job("site")));
    let assessment = world.only();
    assert!(blocked(&assessment, "shared_admin"));
    assert_eq!(assessment.disposition, Disposition::ShortenAndCompensate);
    assert_ne!(assessment.mitigation, Mitigation::Full);
    assert_eq!(item(&world).compensating_controls.len(), 3);
}

#[test]
fn a_long_running_agent_with_three_servers_keeps_an_identity_and_asks_for_the_rest() {
    let mut world = World::new("");
    let mut identity = Identity::named(
        "agent",
        IdentityKind::Agent,
        "ops/.mcp.json",
        "ops/.mcp.json",
        crate::model::Grade::B,
    );
    identity.owner = Some("research".into());
    identity.agent = Some(AgentReach {
        servers: vec!["git".into(), "cloud".into(), "tickets".into()],
        providers: vec!["github".into(), "aws".into(), "jira".into()],
        static_credentials: 1,
        ..AgentReach::default()
    });
    let holder = with_privilege(user("agent"), 3, true);
    let mut key = access_key(&holder);
    key.storage = Storage::Environment;
    let mut consumer = consumer(".mcp.json/cloud", ConsumerClass::Agent, "agent-host", "ops");
    consumer.identity = Some(identity.id.clone());
    consumer.uses.credentials = vec![key.id.clone()];
    world.add_identity(identity);
    world.add_identity(holder);
    world.add_consumer(consumer);
    world.add_credential(key);
    let assessment = world
        .assess()
        .into_iter()
        .find(|each| each.credential.is_some())
        .unwrap();
    assert_eq!(assessment.disposition, Disposition::Hybrid);
    assert!(blocked(&assessment, "no_intent_policy"));
    assert_eq!(assessment.mitigation, Mitigation::Partial);
    // Three systems that share no policy decision bound the task less than one.
    assert_eq!(factor(&assessment, "F2"), 8);
    assert!(
        assessment.fit.factors[1].evidence[0]
            .text
            .contains("3 systems"),
        "{:?}",
        assessment.fit.factors[1]
    );
    let keep = assessment
        .trace
        .iter()
        .find(|row| row.disposition == Disposition::KeepStanding);
    assert!(keep.is_none(), "an agent with writes is decided before");
    assert_eq!(assessment.ttl.seconds, Some(3600));
}

#[test]
fn sensitivity_follows_the_organisations_own_words() {
    for (config, level) in [
        ("", 2),
        ("[[sensitivity]]\naccount = \"1111*\"\nlevel = 3\n", 3),
        ("[[sensitivity]]\ntag = \"team=ledger\"\nlevel = 3\n", 3),
        ("[[sensitivity]]\ntag = \"team=other\"\nlevel = 3\n", 2),
        (
            "[[sensitivity]]\naccount = \"1111*\"\ntag = \"team=other\"\nlevel = 3\n",
            2,
        ),
        (
            "[[sensitivity]]\naccount = \"*\"\nlevel = 3\n[[sensitivity]]\ntag = \"team\"\nlevel = 0\n",
            0,
        ),
    ] {
        let mut world = World::new(config);
        let mut identity = with_privilege(role("worker", vec![github("repo:acme/*")]), 3, true);
        identity.tags.insert("Team".into(), "ledger".into());
        world.add_identity(identity);
        let vector = world.only().risk.vector;
        assert!(vector.contains(&format!("/S{level}")), "{config}: {vector}");
    }
}

#[test]
fn a_simulation_changes_what_is_tried_and_nothing_else() {
    let (world, ..) = keyed(with_privilege(user("deployer"), 3, true), Some(job("site")));
    let now = world.only();
    let targets = &world.targets;
    let (planned, tried) = super::compare(
        &world.context(),
        &now.id,
        targets.get("saas-scoped-token"),
        Some(7_776_000),
    )
    .unwrap();
    assert_eq!(planned, now);
    assert_eq!(tried.risk, now.risk);
    assert!(tried.risk_after.score > planned.risk_after.score);
    assert!(tried.fit.score < planned.fit.score);
    let (_, longer) = super::compare(&world.context(), &now.id, None, Some(14_400)).unwrap();
    assert_eq!(
        longer.ttl.seconds,
        Some(
            14_400.min(
                targets
                    .get("aws-github-oidc")
                    .unwrap()
                    .ttl
                    .as_ref()
                    .unwrap()
                    .max
            )
        )
    );
    assert!(longer.risk_after.score >= planned.risk_after.score);
}

#[test]
fn a_move_that_takes_nothing_away_is_none() {
    // A payment job on an exact subject that also reads secrets is just-in-time already.
    let mut path = github("repo:acme/pay:environment:production");
    path.coverage.session = true;
    path.coverage.resource = true;
    let mut exact = with_privilege(role("payments", vec![path]), 4, true);
    exact.privilege.secret_read = true;
    exact.max_session_seconds = Some(3600);
    let mut world = World::new("");
    world.add_identity(exact.clone());
    let kept = world.only();
    assert_eq!(
        kept.disposition,
        Disposition::KeepStanding,
        "{:?}",
        kept.trace
    );
    assert!(world.plan().is_empty());

    // Longer sessions than its task needs are shortened, and only that.
    exact.max_session_seconds = Some(43_200);
    let mut world = World::new("");
    world.add_identity(exact.clone());
    let long = world.only();
    assert_eq!(long.disposition, Disposition::KeepStanding);
    let item = item(&world);
    assert!(item.risk_after <= item.risk_before);
    let step = item
        .steps
        .iter()
        .find(|step| step.title == "Shorten")
        .unwrap();
    assert!(
        step.command
            .as_deref()
            .unwrap()
            .contains("--max-session-duration 3600")
    );

    // An administrator on an exact subject: nothing shows what of it is used, so nothing can be taken.
    exact = admin(exact);
    let mut world = World::new("");
    world.add_identity(exact);
    let wide = world.only();
    assert_eq!(wide.disposition, Disposition::Review);
    let said = format!("{:?}", wide.trace);
    assert!(said.contains("nothing shows what of it is used"), "{said}");
}

#[test]
fn a_timer_is_given_conditions_whoever_uses_it() {
    let mut path = trust(
        crate::model::PrincipalKind::Account,
        "arn:aws:iam::111122223333:root",
    );
    path.coverage = crate::model::ConditionCoverage::default();
    let mut world = World::new("");
    world.add_identity(admin(role("timer", vec![path])));
    let timer = world.only();
    assert!(blocked(&timer, "consumer_unknown"));
    assert_eq!(timer.disposition, Disposition::PlanMigration);
    assert_eq!(timer.mitigation, Mitigation::Partial);
    assert!(timer.risk_after.score < timer.risk.score);
    let said = format!("{:?}", timer.trace);
    assert!(said.contains("asks for nothing but time"), "{said}");
}

#[test]
fn vendors_are_known_by_tag_and_by_name() {
    for (name, tag, word) in [
        ("etl", Some(("Vendor", "Acme")), "Acme uses it"),
        ("datadog-metrics", None, "`datadog`, a vendor"),
    ] {
        let mut world = World::new("");
        let mut user = with_privilege(user(name), 3, true);
        if let Some((key, value)) = tag {
            user.tags.insert(key.into(), value.into());
        }
        world.add_credential(access_key(&user));
        world.add_identity(user);
        let one = world.only();
        assert_eq!(one.consumer_class, ConsumerClass::Vendor, "{name}");
        assert_eq!(one.target.as_deref(), Some("aws-vendor-role"));
        assert!(format!("{:?}", one.fit).contains(word), "{:?}", one.fit);
    }
}
