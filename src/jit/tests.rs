//! The stories the product has to tell, each with the reason it gives.

use super::fixtures::*;
use crate::model::{
    AgentReach, Assessment, BreakGlass, Confidence, ConsumerClass, CredentialStatus, Disposition,
    Environment, Federation, Grade, Identity, IdentityKind, LastUse, Mitigation, PrincipalKind,
    Storage, Ternary,
};

fn vector(assessment: &Assessment) -> &str {
    &assessment.risk.vector
}

/// Which conditions of the row that decided did not hold would be a contradiction.
fn deciding(assessment: &Assessment) -> &crate::model::DispositionTrace {
    let last = assessment.trace.last().unwrap();
    assert!(last.matched && last.disposition == assessment.disposition);
    assert!(
        assessment
            .trace
            .iter()
            .rev()
            .skip(1)
            .all(|row| !row.matched)
    );
    last
}

fn leaked_admin() -> World {
    let mut world = World::new("");
    let user = admin(user("deployer"));
    let mut key = committed(access_key(&user), Storage::History, "site");
    let mut job = job("site");
    job.uses.credentials = vec![key.id.clone()];
    key.consumers = vec![job.id.clone()];
    world.add_identity(user);
    world.add_consumer(job);
    world.add_credential(key);
    world
}

#[test]
fn a_key_in_history_joined_to_a_live_administrator_is_revoked_then_migrated() {
    let assessment = leaked_admin().only();
    assert_eq!(assessment.disposition, Disposition::RevokeNow);
    assert_eq!(assessment.follow_up, Some(Disposition::MigrateNow));
    assert_eq!(vector(&assessment), "NHI:1/E4/T3/H0/P5/S2/B1");
    assert_eq!(
        (assessment.risk.score, assessment.risk.band.as_str()),
        (64, "critical")
    );
    assert_eq!(assessment.risk.floors.len(), 1);
    assert_eq!(assessment.target.as_deref(), Some("aws-github-oidc"));
    assert_eq!(assessment.confidence, Grade::B);
    assert_eq!(
        assessment.exposure_window.before,
        "since 2025-10-04, no expiry"
    );
    assert_eq!(assessment.exposure_window.after, "15 min");
    assert_eq!(
        assessment.lifetime_ratio.map(|ratio| ratio as u64),
        Some(40_000)
    );
    assert!(
        assessment.risk_after.score < 16,
        "{:?}",
        assessment.risk_after
    );
    assert_eq!(deciding(&assessment).conditions.len(), 5);
}

#[test]
fn liveness_that_nobody_knows_counts_as_live_and_says_so() {
    let mut world = World::new("");
    let mut token = committed(
        credential("github-pat", "github"),
        Storage::Committed,
        "site",
    );
    token.default_tier = Some(3);
    world.add_credential(token);
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::RevokeNow);
    assert!(
        deciding(&assessment)
            .conditions
            .iter()
            .any(|c| c.text.contains("treated as live"))
    );
}

#[test]
fn a_guess_alone_revokes_nothing() {
    let mut world = World::new("");
    let mut secret = committed(
        credential("generic-secret", "unknown"),
        Storage::Committed,
        "site",
    );
    secret.confidence = Confidence::Low;
    secret.expires_by_nature = None;
    world.add_credential(secret);
    assert_eq!(world.only().disposition, Disposition::Review);
}

#[test]
fn a_committed_key_known_inactive_is_not_revoked_again() {
    let mut world = leaked_admin();
    for key in world.inventory.credentials.values_mut() {
        key.status = CredentialStatus::Inactive;
    }
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::Decommission);
    assert!(vector(&assessment).contains("/P0/"));
    assert!(assessment.risk.score < 36);
}

#[test]
fn a_ci_job_with_a_static_key_migrates_now() {
    let mut world = World::new("");
    let mut key = credential("aws-access-key", "aws");
    key.reference = Some("secrets.AWS_ACCESS_KEY_ID".into());
    key.storage = Storage::CiStore;
    key.grade = Grade::C;
    key.default_tier = Some(3);
    let mut job = job("site");
    job.uses.credentials = vec![key.id.clone()];
    world.add_consumer(job);
    world.add_credential(key);
    let assessment = world.only();
    assert_eq!(
        assessment.disposition,
        Disposition::MigrateNow,
        "{:#?}",
        assessment.trace
    );
    assert_eq!(assessment.ttl.seconds, Some(900));
    assert!(
        assessment
            .ttl
            .evidence
            .contains("timeout-minutes 15 of deploy.yml/deploy")
    );
    assert!(assessment.ttl.evidence.contains("STS minimum 15 min"));
    assert!(vector(&assessment).contains("/T3*/"));
    assert!(assessment.risk_after.score < assessment.risk.score);
    assert_eq!(assessment.mitigation, Mitigation::Full);
}

fn agent(storage: Storage, config: &str) -> World {
    let mut world = World::new(config);
    let mut identity = Identity::named(
        "agent",
        IdentityKind::Agent,
        "site/.mcp.json",
        "site/.mcp.json",
        Grade::B,
    );
    identity.agent = Some(AgentReach {
        servers: vec!["search".into()],
        tools: Vec::new(),
        credentials: Vec::new(),
        static_credentials: 1,
        providers: vec!["anthropic".into()],
        ..AgentReach::default()
    });
    identity.owner = Some("research".into());
    let mut key = credential("anthropic-api-key", "anthropic");
    key.default_tier = Some(2);
    key.storage = storage;
    if storage == Storage::Committed {
        key = committed(key, storage, "site");
    }
    let mut consumer = consumer(
        ".mcp.json/search",
        ConsumerClass::Agent,
        "agent-host",
        "site",
    );
    consumer.identity = Some(identity.id.clone());
    consumer.uses.credentials = vec![key.id.clone()];
    world.add_identity(identity);
    world.add_consumer(consumer);
    world.add_credential(key);
    world
}

#[test]
fn an_agent_with_a_committed_key_loses_it_and_one_with_a_standing_key_is_moved() {
    let assessment = agent(Storage::Committed, "").only();
    assert_eq!(assessment.disposition, Disposition::RevokeNow);
    assert_eq!(assessment.mitigation, Mitigation::Partial);
    let standing = agent(Storage::Environment, "").only();
    assert_eq!(standing.disposition, Disposition::PlanMigration);
    assert!(standing.blockers.iter().any(|b| b.id == "no_intent_policy"));
    assert_eq!(standing.mitigation, Mitigation::Partial);
    assert_eq!(standing.can_rerequest, Ternary::Unknown);
    let judged = agent(
        Storage::Environment,
        "[[identity]]\nmatch = \"site/.mcp.json\"\nintent_policy = \"policies/agent.rego\"\n",
    )
    .only();
    assert!(judged.blockers.iter().all(|b| b.id != "no_intent_policy"));
    assert_eq!(judged.mitigation, Mitigation::Full);
}

#[test]
fn a_role_that_is_only_a_timer_stays_high_until_its_conditions_are_tightened() {
    let mut world = World::new("");
    world.add_identity(admin(role("ci", vec![github("repo:acme/*")])));
    let assessment = world.only();
    assert_eq!(vector(&assessment), "NHI:1/E3/T1/H0/P5/S2/B2");
    assert_eq!(assessment.risk.score, 36);
    assert_eq!(assessment.disposition, Disposition::MigrateNow);
    assert_eq!(
        assessment.target.as_deref(),
        Some("aws-oidc-trust-tightened")
    );
    assert_eq!(assessment.condition_coverage, Some(0));
    assert!(
        assessment.risk_after.vector.contains("/P5/"),
        "privilege must not shrink without evidence"
    );
    assert!(
        assessment
            .risk_after
            .evidence
            .iter()
            .any(|line| line.contains("P5 stays"))
    );
}

#[test]
fn a_role_bound_to_an_environment_has_nothing_left_to_gain() {
    let mut world = World::new("");
    let mut path = github("repo:acme/site:environment:production");
    path.coverage.session = true;
    world.add_identity(with_privilege(role("deploy", vec![path]), 3, true));
    let assessment = world.only();
    assert_eq!(vector(&assessment), "NHI:1/E0/T0/H0/P3/S2/B0");
    assert_eq!(assessment.risk.score, 5);
    assert_eq!(assessment.disposition, Disposition::KeepStanding);
    assert!(world.plan().is_empty());
}

#[test]
fn a_vendor_role_without_external_id_is_verified_more_strictly() {
    let mut world = World::new("[[identity]]\nmatch = \"*/vendor\"\nsensitivity = 3\n");
    let mut path = trust(PrincipalKind::Account, "arn:aws:iam::999988887777:root");
    path.external = true;
    world.add_identity(with_privilege(role("vendor", vec![path]), 2, false));
    let assessment = world.only();
    assert_eq!(vector(&assessment), "NHI:1/E3/T1/H0/P2/S3/B1");
    assert_eq!(assessment.risk.score, 24);
    assert_eq!(assessment.target.as_deref(), Some("aws-vendor-role"));
    assert_eq!(assessment.disposition, Disposition::MigrateNow);
    assert!(assessment.risk_after.vector.contains("/E2/"));
}

fn reader(config: &str) -> World {
    let mut world = World::new(config);
    let mut user = with_privilege(user("catalogue-reader"), 2, false);
    user.environment = Environment::Staging;
    let mut key = access_key(&user);
    key.storage = Storage::Environment;
    let mut service = consumer(
        "catalogue",
        ConsumerClass::RequestDriven,
        "kubernetes",
        "catalogue",
    );
    service.federation = Federation::Unavailable;
    service.uses.credentials = vec![key.id.clone()];
    key.grade = Grade::A;
    world.add_identity(user);
    world.add_consumer(service);
    world.add_credential(key);
    world
}

#[test]
fn a_small_reader_with_owner_and_exception_keeps_its_access_for_a_while() {
    let kept =
        reader("[[identity]]\nmatch = \"*catalogue-reader\"\nexception_owner = \"platform\"\nexception_expires = \"2027-01-31\"\n")
            .only();
    assert_eq!(
        kept.disposition,
        Disposition::KeepStanding,
        "{:#?}",
        kept.trace
    );
    let late =
        reader("[[identity]]\nmatch = \"*catalogue-reader\"\nexception_owner = \"platform\"\nexception_expires = \"2026-01-31\"\n")
            .only();
    assert_ne!(late.disposition, Disposition::KeepStanding);
}

#[test]
fn a_continuous_service_with_privileged_verbs_becomes_hybrid() {
    let mut world = World::new("");
    let user = with_privilege(user("orders"), 3, true);
    let mut key = access_key(&user);
    key.storage = Storage::Environment;
    let mut service = consumer(
        "Deployment orders/api",
        ConsumerClass::Daemon,
        "eks",
        "orders",
    );
    service.federation = Federation::Supported;
    service.uses.credentials = vec![key.id.clone()];
    world.add_identity(user);
    world.add_consumer(service);
    world.add_credential(key);
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::Hybrid);
    assert_eq!(assessment.mitigation, Mitigation::Partial);
    assert_eq!(assessment.ttl.seconds, None);
    // Its boundedness is low, so the reason must not be the fit.
    assert!(assessment.fit.factors[1].points <= 3);
}

#[test]
fn a_vendor_that_takes_only_static_keys_is_compensated() {
    let mut world = World::new("");
    let mut key = credential("stripe-secret-key", "stripe");
    key.storage = Storage::CiStore;
    key.default_tier = Some(4);
    key.created_at = Some(days_ago(120));
    let mut service = consumer(
        "billing",
        ConsumerClass::RequestDriven,
        "kubernetes",
        "billing",
    );
    service.uses.credentials = vec![key.id.clone()];
    world.add_consumer(service);
    world.add_credential(key);
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::ShortenAndCompensate);
    assert!(
        assessment
            .blockers
            .iter()
            .any(|b| b.id == "vendor_static" && b.evidence.text.contains("as of 20"))
    );
    assert!(vector(&assessment).contains("/S3*/"));
    assert!(assessment.risk_after.score < assessment.risk.score);
}

#[test]
fn a_path_shared_by_pipelines_is_split_before_anything_else() {
    let mut world = World::new("");
    let user = with_privilege(user("shared"), 3, true);
    let mut key = access_key(&user);
    key.storage = Storage::CiStore;
    for repository in ["one", "two", "three"] {
        let mut job = job(repository);
        job.uses.credentials = vec![key.id.clone()];
        world.add_consumer(job);
    }
    world.add_identity(user);
    world.add_credential(key);
    let assessment = world.only();
    assert!(assessment.fit.score >= 70);
    assert_eq!(assessment.disposition, Disposition::SplitFirst);
    let migrate = assessment
        .trace
        .iter()
        .find(|row| row.disposition == Disposition::MigrateNow)
        .unwrap();
    assert!(
        migrate
            .conditions
            .iter()
            .any(|c| c.text.contains("shared_path") && c.held == Ternary::No)
    );
    assert!(vector(&assessment).contains("/H1/"));
}

#[test]
fn break_glass_is_isolated_when_declared_and_asked_about_when_only_named_so() {
    let mut world = World::new("");
    let mut identity = admin(role(
        "break-glass",
        vec![trust(
            PrincipalKind::Principal,
            "arn:aws:iam::111122223333:user/ops",
        )],
    ));
    identity.break_glass = Some(BreakGlass::Suspected);
    world.add_identity(identity);
    let suspected = world.only();
    assert_eq!(suspected.disposition, Disposition::Review);
    assert_eq!(suspected.trace.len(), 3);
    world.config = crate::rules::config::Config::parse(
        "[[identity]]\nmatch = \"break-glass\"\nbreak_glass = true\n",
    )
    .unwrap();
    let declared = world.only();
    assert_eq!(declared.disposition, Disposition::BreakGlassIsolate);
    assert_eq!(declared.target.as_deref(), Some("break-glass-sealed"));
}

fn idle(last_use: LastUse) -> Assessment {
    let mut world = World::new("");
    let mut user = admin(user("forgotten"));
    user.owner = None;
    user.last_use = LastUse::Unknown;
    let mut key = access_key(&user);
    key.last_use = last_use;
    world.add_identity(user);
    world.add_credential(key);
    world.only()
}

#[test]
fn disuse_needs_telemetry() {
    let unused = idle(LastUse::At(days_ago(300)));
    assert_eq!(unused.disposition, Disposition::Decommission);
    assert_eq!(vector(&unused), "NHI:1/E1*/T3/H2/P5/S2/B1");
    assert_eq!(unused.risk_after.score, 0);
    let unknown = idle(LastUse::Unknown);
    assert_eq!(unknown.disposition, Disposition::Review);
    assert!(
        vector(&unknown).contains("/H1/"),
        "unknown use must not raise hygiene"
    );
    assert!(unknown.blockers.iter().any(|b| b.id == "cannot_prove_stop"));
    assert_eq!(
        idle(LastUse::At(days_ago(89))).disposition,
        Disposition::Review
    );
}

#[test]
fn whom_a_trust_lets_in_does_not_keep_an_unused_role() {
    let unused = |idle: i64, repository: Option<&str>| {
        let mut world = World::new("");
        let mut role = admin(role("recorder", Vec::new()));
        role.last_use = LastUse::At(days_ago(idle));
        role.created_at = Some(days_ago(900));
        let mut user = consumer("ssm", ConsumerClass::Batch, "ssm", "site");
        user.repository = repository.map(Into::into);
        user.uses.identities = vec![role.id.clone()];
        world.add_identity(role);
        world.add_consumer(user);
        world.only().disposition
    };
    assert_eq!(unused(300, None), Disposition::Decommission);
    assert_ne!(unused(300, Some("site")), Disposition::Decommission);
    assert_ne!(unused(30, None), Disposition::Decommission);
}

#[test]
fn of_what_nothing_is_known_nothing_is_said() {
    let mut world = World::new("");
    let mut secret = credential("generic-secret", "unknown");
    secret.expires_by_nature = None;
    secret.grade = Grade::D;
    world.add_credential(secret);
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::Review);
    assert_eq!(assessment.confidence, Grade::D);
    assert_eq!(assessment.mitigation, Mitigation::None);
    assert_eq!(vector(&assessment), "NHI:1/E1*/T2*/H1/P2*/S1*/B0*");
    assert_eq!(assessment.lifetime_ratio, None);
}

#[test]
fn a_root_key_goes_without_replacement() {
    let mut world = World::new("");
    let mut root = Identity::named(
        "aws",
        IdentityKind::AwsRoot,
        "root",
        "arn:aws:iam::111122223333:root",
        Grade::A,
    );
    root.account = Some(ACCOUNT.into());
    let key = access_key(&root);
    world.add_identity(root);
    world.add_credential(key);
    let assessment = world.only();
    assert_eq!(assessment.disposition, Disposition::RevokeNow);
    assert_eq!((assessment.follow_up, assessment.ttl.seconds), (None, None));
    assert!(assessment.risk.score >= 80);
    assert_eq!(assessment.risk_after.score, 0);
}

#[test]
fn a_persons_key_is_judged_as_a_persons() {
    let mut world = World::new("");
    let mut user = with_privilege(user("anna"), 3, true);
    user.human = true;
    user.human_evidence = Some("console password and MFA device".into());
    let key = access_key(&user);
    world.add_identity(user);
    world.add_credential(key);
    let assessment = world.only();
    assert_eq!(assessment.consumer_class, ConsumerClass::Human);
    assert_eq!(assessment.target.as_deref(), Some("aws-identity-center"));
    assert_eq!(assessment.disposition, Disposition::MigrateNow);
}

#[test]
fn people_roles_of_aws_and_empty_shells_are_not_judged() {
    let mut world = World::new("");
    let mut person = admin(user("anna"));
    person.human = true;
    world.add_identity(person);
    let mut linked = admin(role("AWSServiceRoleForSupport", Vec::new()));
    linked.kind = IdentityKind::ServiceLinkedRole;
    world.add_identity(linked);
    world.add_identity(role("empty", Vec::new()));
    assert!(world.assess().is_empty());
}

#[test]
fn a_migration_that_changes_nothing_shows_it() {
    // The same administrator behind a trust that stays broad: E and P do not move, so most of the risk stays.
    let world = leaked_admin();
    let good = world.only();
    let mut bad = super::risk::Factors::default();
    bad.exposure.level = 3;
    bad.standing.level = 1;
    bad.privilege.level = 5;
    bad.sensitivity.level = 2;
    bad.blast.level = 1;
    assert_eq!(bad.score(&world.scoring).score, 32);
    assert!(good.risk_after.score < 32);
}

#[test]
fn declared_answers_win_over_inference() {
    let blocked = {
        let mut world = leaked_admin();
        world.config = crate::rules::config::Config::parse(
            "[[identity]]\nmatch = \"*deployer\"\nrenewal_failure_tolerable = \"no\"\nsensitivity = 0\ntask_seconds = 7200\n",
        )
        .unwrap();
        world.only()
    };
    assert!(
        blocked
            .blockers
            .iter()
            .any(|b| b.id == "renewal_intolerant")
    );
    assert_eq!(blocked.follow_up, Some(Disposition::ShortenAndCompensate));
    assert!(vector(&blocked).contains("/S0/"));
    assert_eq!(
        blocked.ttl.seconds,
        Some(2_592_000),
        "what replaces it stays and is renewed"
    );
}

#[test]
fn every_row_that_was_looked_at_says_its_values() {
    for assessment in [
        leaked_admin().only(),
        idle(LastUse::Unknown),
        agent(Storage::Environment, "").only(),
    ] {
        deciding(&assessment);
        let order: Vec<_> = assessment.trace.iter().map(|row| row.disposition).collect();
        let mut sorted = order.clone();
        sorted.sort();
        assert_eq!(order, sorted);
        assert!(
            assessment
                .trace
                .iter()
                .all(|row| !row.conditions.is_empty())
        );
        assert!(
            assessment
                .risk
                .factors
                .iter()
                .all(|f| !f.evidence.is_empty()),
            "{:?}",
            assessment.risk.factors
        );
        assert!(
            assessment
                .fit
                .factors
                .iter()
                .all(|f| !f.evidence.is_empty() && f.points <= f.max)
        );
    }
}

#[test]
fn what_is_only_named_has_the_nature_of_its_type() {
    let mut world = World::new("");
    let mut named = credential("npm-token", "npm");
    named.reference = Some("secrets.NPM_TOKEN".into());
    named.storage = Storage::CiStore;
    named.expires_by_nature = None;
    world.add_credential(named);
    assert!(
        vector(&world.only()).ends_with("/T2*/H1/P4*/S3*/B2*"),
        "{}",
        vector(&world.only())
    );
    let mut world = World::new("[scoring.nature.tiers]\n\"our-*\" = 1\n");
    let mut own = credential("our-token", "own");
    own.expires_by_nature = None;
    world.add_credential(own);
    assert!(vector(&world.only()).contains("/P1*/"));
}
