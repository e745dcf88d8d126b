//! What a plan has to say, whatever it is about.

use crate::jit::fixtures::*;
use crate::model::{
    ApprovalTier, BreakGlass, ConsumerClass, Disposition, Federation, PlanItem, PrincipalKind,
    RevocationTrigger, Storage, Ternary,
};

fn leaked() -> World {
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

fn titles(item: &PlanItem) -> Vec<&str> {
    item.steps.iter().map(|step| step.title.as_str()).collect()
}

fn commands(item: &PlanItem) -> Vec<&str> {
    item.steps
        .iter()
        .filter_map(|step| step.command.as_deref())
        .collect()
}

#[test]
fn a_leak_is_switched_off_first_and_migrated_after() {
    let plan = leaked().plan();
    let [item] = plan.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!((item.wave, item.position), (1, 1));
    assert_eq!(
        titles(item),
        [
            "Switch it off now",
            "Prove that it no longer works",
            "Look for use by others",
            "Confirm owner, purpose and consumers",
            "Delete it and every stored copy",
            "Create the new way beside the old one",
            "Grant the minimum",
            "Switch one consumer at a time",
            "Verify",
            "Prove that the new way ends",
            "Close",
        ]
    );
    assert!(item.steps.iter().map(|step| step.number).eq(1..=11));
    assert!(
        !item.steps[1].detail.contains("job's"),
        "nothing new exists yet: {}",
        item.steps[1].detail
    );
    let key = format!("AKIA{}", "QQQQQQQQQQQQQQQQ");
    assert_eq!(
        commands(item)[0],
        format!(
            "aws iam update-access-key --user-name deployer --access-key-id {key} --status Inactive"
        )
    );
    assert_eq!(item.revoke_command.as_deref(), Some(commands(item)[0]));
    assert_eq!(item.mechanism, "aws-github-oidc");
    assert!(item.rollback.contains("No way back"));
    assert_eq!(item.risk_removed, item.risk_before - item.risk_after);
}

#[test]
fn github_steps_show_both_subject_forms_and_never_the_whole_organisation() {
    let plan = leaked().plan();
    let parts: Vec<&str> = plan[0]
        .steps
        .iter()
        .flat_map(|step| {
            [
                step.detail.as_str(),
                step.command.as_deref().unwrap_or_default(),
            ]
        })
        .collect();
    let text = parts.join("\n");
    assert!(text.contains("repo:OWNER/REPO:environment:ENVIRONMENT"));
    assert!(text.contains("repo:OWNER@OWNER_ID/REPO@REPO_ID:environment:ENVIRONMENT"));
    assert!(text.contains("gh api repos/OWNER/site/actions/oidc/customization/sub"));
    assert!(!text.contains("repo:OWNER/*") && !text.contains("repo:org"));
}

/// One of everything, so that what must hold for all items is checked on all kinds.
fn many() -> World {
    let mut world = World::new(
        "[[identity]]\nmatch = \"sealed\"\nbreak_glass = true\n[[identity]]\nmatch = \"*reader\"\nexception_owner = \"platform\"\nexception_expires = \"2027-01-31\"\n",
    );
    world.inventory = leaked().inventory;
    let shared = with_privilege(user("shared"), 3, true);
    let mut key = access_key(&shared);
    key.id = crate::model::CredentialId::of(&["shared"]);
    key.storage = Storage::CiStore;
    for repository in ["one", "two"] {
        let mut job = job(repository);
        job.uses.credentials = vec![key.id.clone()];
        world.add_consumer(job);
    }
    world.add_identity(shared);
    world.add_credential(key);
    let mut reader = with_privilege(user("reader"), 2, false);
    reader.environment = crate::model::Environment::Staging;
    let mut key = access_key(&reader);
    key.id = crate::model::CredentialId::of(&["reader"]);
    let mut service = consumer(
        "catalogue",
        ConsumerClass::RequestDriven,
        "server",
        "catalogue",
    );
    service.federation = Federation::Unavailable;
    service.uses.credentials = vec![key.id.clone()];
    world.add_consumer(service);
    world.add_identity(reader);
    world.add_credential(key);
    let mut orders = with_privilege(user("orders"), 3, true);
    orders.owner = None;
    let mut key = access_key(&orders);
    key.id = crate::model::CredentialId::of(&["orders"]);
    let mut service = consumer("orders", ConsumerClass::Daemon, "eks", "orders");
    service.uses.credentials = vec![key.id.clone()];
    world.add_consumer(service);
    world.add_identity(orders);
    world.add_credential(key);
    let mut payments = credential("stripe-secret-key", "stripe");
    payments.default_tier = Some(4);
    payments.storage = Storage::CiStore;
    let mut service = consumer(
        "billing",
        ConsumerClass::RequestDriven,
        "kubernetes",
        "billing",
    );
    service.uses.credentials = vec![payments.id.clone()];
    world.add_consumer(service);
    world.add_credential(payments);
    world.add_identity(admin(role("ci", vec![github("repo:acme/*")])));
    world.add_identity(admin(role(
        "sealed",
        vec![trust(
            PrincipalKind::Principal,
            "arn:aws:iam::111122223333:user/ops",
        )],
    )));
    let mut old = user("old");
    old.owner = None;
    let mut key = access_key(&old);
    key.id = crate::model::CredentialId::of(&["old"]);
    key.last_use = crate::model::LastUse::At(days_ago(200));
    world.add_identity(old);
    world.add_credential(key);
    let mut agent_key = credential("anthropic-api-key", "anthropic");
    agent_key.default_tier = Some(2);
    agent_key.storage = Storage::Environment;
    let mut agent = consumer(
        ".mcp.json/search",
        ConsumerClass::Agent,
        "agent-host",
        "site",
    );
    agent.uses.credentials = vec![agent_key.id.clone()];
    world.add_consumer(agent);
    world.add_credential(agent_key);
    world
}

#[test]
fn no_item_is_empty_anywhere() {
    let plan = many().plan();
    let mut dispositions: Vec<_> = plan.iter().map(|item| item.disposition).collect();
    dispositions.sort();
    dispositions.dedup();
    assert_eq!(
        dispositions,
        [
            Disposition::RevokeNow,
            Disposition::BreakGlassIsolate,
            Disposition::Decommission,
            Disposition::MigrateNow,
            Disposition::Hybrid,
            Disposition::ShortenAndCompensate,
            Disposition::SplitFirst,
            Disposition::KeepStanding,
            Disposition::PlanMigration,
        ]
    );
    for item in &plan {
        let context = format!("{item:#?}");
        // What only takes access away waits for no event.
        let taken = matches!(
            item.disposition,
            Disposition::RevokeNow | Disposition::Decommission
        );
        let issued = item
            .steps
            .iter()
            .any(|step| step.title.starts_with("Create"));
        assert!(
            !item.revocation_triggers.is_empty() || taken && !issued,
            "{context}"
        );
        assert_ne!(
            item.revocation_triggers,
            [RevocationTrigger::ManualFallback],
            "{context}"
        );
        assert_ne!(
            item.revocation_triggers,
            [RevocationTrigger::TtlExpiry],
            "{context}"
        );
        for text in [
            &item.title,
            &item.mechanism,
            &item.mechanism_title,
            &item.ttl.evidence,
            &item.approval.system,
            &item.approval.reason,
            &item.approval.duration,
            &item.approval.approver,
            &item.approval.logic,
            &item.grant.subject,
            &item.grant.task,
            &item.grant.context_proof,
            &item.negative_test,
            &item.acceptance_test,
            &item.rollback,
            &item.detect_done,
            &item.effort.reason,
        ] {
            assert!(!text.is_empty() && !text.contains("{ttl"), "{context}");
        }
        assert!(
            item.steps.len() >= 3 && item.steps.iter().all(|step| !step.detail.is_empty()),
            "{context}"
        );
        assert_eq!(item.approval.status, "pending");
    }
}

#[test]
fn standing_access_that_stays_is_still_shortened_scoped_and_dated() {
    let plan = many().plan();
    let keep = plan
        .iter()
        .find(|item| item.disposition == Disposition::KeepStanding)
        .unwrap();
    assert!(keep.steps.iter().any(|step| step.title == "Scope"));
    assert!(keep.steps.iter().any(|step| step.title == "Shorten"));
    assert_eq!(
        keep.exception_expires.map(|at| at.to_string()).as_deref(),
        Some("2027-01-31T00:00:00Z")
    );
    let compensated = plan
        .iter()
        .find(|item| item.disposition == Disposition::ShortenAndCompensate)
        .unwrap();
    assert_eq!(compensated.compensating_controls.len(), 3);
    assert!(
        compensated
            .compensating_controls
            .iter()
            .all(|control| control.present == Ternary::Unknown)
    );
    assert!(compensated.exception_expires.is_some());
}

#[test]
fn agents_have_a_policy_and_three_things_to_log() {
    let plan = many().plan();
    let agent = plan
        .iter()
        .find(|item| item.approval.logic == "agent")
        .unwrap();
    assert_eq!(agent.agent_requirements.len(), 4);
    assert!(agent.agent_requirements[0].contains("missing"));
    assert!(
        agent
            .revocation_triggers
            .contains(&RevocationTrigger::ContextChange)
    );
    assert!(
        agent
            .open_questions
            .iter()
            .any(|q| q.contains("can_rerequest"))
    );
    assert!(
        plan.iter()
            .filter(|item| item.approval.logic != "agent")
            .all(|item| item.agent_requirements.is_empty())
    );
}

#[test]
fn approval_gets_stricter_with_what_is_at_stake() {
    let plan = many().plan();
    let of = |title: &str| plan.iter().find(|item| item.title.contains(title)).unwrap();
    assert_eq!(of("of deployer").approval.tier, ApprovalTier::Strict);
    assert_eq!(of("of reader").approval.tier, ApprovalTier::Light);
    assert_eq!(of("of orders").approval.approver, "unassigned");
    assert_eq!(of("sealed").approval.logic, "incident-response");
}

#[test]
fn waves_are_capped_and_the_narrow_target_set_comes_first() {
    let mut world = many();
    let plan = world.plan();
    let first: Vec<_> = plan.iter().filter(|item| item.wave == 1).collect();
    assert!(first.iter().all(|item| !item.title.contains("of reader")));
    assert!(
        first
            .iter()
            .all(|item| item.disposition != Disposition::Review)
    );
    assert!(plan.iter().any(|item| item.wave == 2));
    world.scoring.plan.wave_size = 2;
    let small = world.plan();
    let mut sizes = std::collections::BTreeMap::new();
    for item in &small {
        *sizes.entry(item.wave).or_insert(0) += 1;
        assert_eq!(item.position, sizes[&item.wave]);
    }
    assert!(sizes.values().all(|size| *size <= 2));
    assert_eq!(small.len(), plan.len());
    assert_eq!(world.plan(), small, "the same input gives the same plan");
}

#[test]
fn a_root_key_waits_for_sealed_emergency_access_of_its_account() {
    let mut world = World::new("");
    let mut root = crate::model::Identity::named(
        "aws",
        crate::model::IdentityKind::AwsRoot,
        "root",
        "arn:aws:iam::111122223333:root",
        crate::model::Grade::A,
    );
    root.account = Some(ACCOUNT.into());
    let key = access_key(&root);
    world.add_identity(root);
    world.add_credential(key);
    let mut sealed = role(
        "sealed",
        vec![trust(
            PrincipalKind::Principal,
            "arn:aws:iam::111122223333:user/ops",
        )],
    );
    sealed.break_glass = Some(BreakGlass::Declared);
    world.add_identity(admin(sealed));
    let order: Vec<_> = world
        .plan()
        .into_iter()
        .map(|item| item.disposition)
        .collect();
    assert_eq!(
        order,
        [Disposition::BreakGlassIsolate, Disposition::RevokeNow]
    );
}

#[test]
fn a_user_that_nothing_can_act_as_is_removed() {
    let mut world = World::new("");
    let mut empty = admin(user("left-over"));
    empty.console_password = Some(false);
    world.add_identity(empty);
    let item = world.plan().remove(0);
    assert_eq!(item.disposition, Disposition::Decommission);
    assert_eq!(item.mechanism, "decommission");
    assert!(commands(&item).contains(&"aws iam delete-user --user-name left-over"));
    assert!(item.revocation_triggers.is_empty());
    // Whether it has a password is not known: it is no more than asked about.
    let mut world = World::new("");
    world.add_identity(admin(user("left-over")));
    let plan = world.plan();
    assert!(
        plan.iter()
            .all(|item| item.disposition != Disposition::Decommission)
    );
    assert!(
        plan.iter()
            .all(|item| item.mechanism != "aws-role-trust-tightened")
    );
}

#[test]
fn a_monthly_schedule_lengthens_the_quiet_period() {
    let mut world = World::new("");
    let user = with_privilege(user("report"), 3, true);
    let mut key = access_key(&user);
    key.storage = Storage::CiStore;
    let mut job = job("report");
    job.schedule = Some("0 3 1 * *".into());
    job.uses.credentials = vec![key.id.clone()];
    world.add_consumer(job);
    world.add_identity(user);
    world.add_credential(key);
    let plan = world.plan();
    let wait = plan[0]
        .steps
        .iter()
        .find(|step| step.title == "Deactivate and wait")
        .unwrap();
    assert!(wait.detail.contains("32 days"), "{}", wait.detail);
}

#[test]
fn every_item_says_what_ends_the_access_a_command_or_who_does_it_where() {
    let ends = |kind: &str, provider: &str, reference: Option<&str>| {
        let mut world = World::new("");
        let mut found = credential(kind, provider);
        found.default_tier = Some(3);
        found.reference = reference.map(str::to_owned);
        let mut service = consumer("api", ConsumerClass::Daemon, "server", "app");
        service.uses.credentials = vec![found.id.clone()];
        world.add_consumer(service);
        world.add_credential(found);
        world.plan().remove(0).revoke_command.unwrap()
    };
    assert_eq!(
        ends(
            "kubernetes-service-account-token",
            "kubernetes",
            Some("shop/old-token (token of web)")
        ),
        "kubectl delete secret old-token --namespace shop\n\
         kubectl delete pods --namespace shop --field-selector spec.serviceAccountName=web"
    );
    let by_hand = ends("stripe-secret-key", "stripe", None);
    assert!(
        by_hand.starts_with("# ") && by_hand.contains("dashboard"),
        "{by_hand}"
    );
    let both = ends("openai-api-key", "openai", None);
    assert!(
        both.starts_with("curl --fail") && both.contains("\n# By hand besides: "),
        "{both}"
    );
    let command = ends("sendgrid-key", "sendgrid", None);
    assert!(command.starts_with("curl --fail"), "{command}");
    // Whatever the rules find, the item says how it ends.
    let rules = crate::rules::credentials::CredentialRules::builtin().unwrap();
    for rule in rules.rules() {
        let text = ends(&rule.credential_type, &rule.provider, None);
        assert!(text.len() > 20 && text.lines().count() <= 3, "{text}");
    }
}

#[test]
fn administration_is_approved_before_whatever_it_is_used_on() {
    let tier = |identity: crate::model::Identity| {
        let mut world = World::new("");
        let mut identity = identity;
        identity.environment = crate::model::Environment::Unknown;
        let mut key = access_key(&identity);
        let mut job = job("site");
        job.uses.credentials = vec![key.id.clone()];
        key.storage = Storage::CiStore;
        world.add_consumer(job);
        world.add_identity(identity);
        world.add_credential(key);
        world.plan().remove(0).approval.tier
    };
    assert_eq!(tier(admin(user("tools"))), ApprovalTier::Strict);
    assert_eq!(
        tier(with_privilege(user("tools"), 3, true)),
        ApprovalTier::Light
    );
}

#[test]
fn a_workload_in_azure_gets_its_identity_as_code_and_by_its_own_command() {
    for (runtime, command) in [
        ("app-service", "az webapp identity"),
        ("azure-functions", "az functionapp identity"),
        ("container-apps", "az containerapp identity"),
        ("azure-vm", "az vm identity"),
        ("aks", "az identity federated-credential"),
    ] {
        let mut world = World::new("");
        let found = credential("azure-client-secret", "azure");
        let mut service = consumer("web", ConsumerClass::RequestDriven, runtime, "app");
        service.uses.credentials = vec![found.id.clone()];
        world.add_consumer(service);
        world.add_credential(found);
        let item = world.plan().remove(0);
        assert_eq!(item.mechanism, "azure-managed-identity", "{runtime}");
        let ends = item.revoke_command.as_deref().unwrap();
        let mut lines = ends.lines();
        let old = lines.next().unwrap();
        assert!(old.starts_with("az ad app credential delete"), "{ends}");
        assert!(lines.next().unwrap().starts_with(command), "{ends}");
        let context = world.context();
        let made = super::artefacts::Maker::new(&context).unwrap().item(&item);
        let text = |path: &str| {
            let file = made.iter().find(|file| file.path == path).unwrap();
            file.text.as_str()
        };
        assert!(text("main.tf").contains("azurerm_user_assigned_identity"));
        assert!(text("assign-identity.sh").contains(command), "{runtime}");
        assert!(text("revoke.sh").contains(command), "{runtime}");
        assert!(
            !text("README.md").contains("see the file"),
            "{}",
            text("README.md")
        );
    }
}

#[test]
fn a_pipeline_of_azure_gets_a_connection_without_a_secret() {
    let mut world = World::new("");
    let found = credential("azure-client-secret", "azure");
    let mut job = consumer("deploy", ConsumerClass::Ci, "azure-pipelines", "app");
    job.uses.credentials = vec![found.id.clone()];
    world.add_consumer(job);
    world.add_credential(found);
    let item = world.plan().remove(0);
    assert_eq!(item.mechanism, "azure-federated-credential");
    let context = world.context();
    let made = super::artefacts::Maker::new(&context).unwrap().item(&item);
    let code = made.iter().find(|file| file.path == "main.tf").unwrap();
    assert!(
        code.text.contains("WorkloadIdentityFederation"),
        "{}",
        code.text
    );
}
