use super::*;
use crate::jit::fixtures::{
    World, access_key, admin, days_ago, github, job, role, user, with_privilege,
};
use crate::jit::subject::subjects;
use crate::model::{
    CredentialStatus, Evidence, Federation, Grade, Identity, IdentityKind, LastUse, Run, Storage,
};
use crate::report::{ReportParts, assemble};
use jiff::ToSpan;

/// A report of the day `day`.
fn report_of(world: &World, day: i64) -> Report {
    assemble(ReportParts {
        tool_version: "0".into(),
        run: Run {
            id: format!("run-{day}"),
            now: days_ago(0) + (day * 24).hours(),
            inputs: vec!["aws/111122223333".into()],
            rules_digest: String::new(),
            policy_digest: String::new(),
            fingerprint_key: String::new(),
            complete: true,
        },
        coverage: Vec::new(),
        inventory: world.inventory.clone(),
        findings: Vec::new(),
        assessments: world.assess(),
        plan: world.plan(),
        long_lived_days: 90,
    })
}

/// A key of a user and a job; the key's status or none, whether the job names it, whether the job proves what it is.
fn world(key: Option<CredentialStatus>, named: bool, federated: bool) -> World {
    let mut world = World::new("");
    let mut user = with_privilege(user("deployer"), 3, true);
    user.last_use = LastUse::At(days_ago(3));
    let mut credential = access_key(&user);
    credential.storage = Storage::CiStore;
    credential.account = user.account.clone();
    credential.last_use = LastUse::At(days_ago(3));
    let mut job = job("site");
    if federated {
        job.federation = Federation::Configured;
    }
    if named {
        job.uses.credentials = vec![credential.id.clone()];
    }
    world.add_consumer(job);
    if let Some(status) = key {
        world.add_identity(user);
        credential.status = status;
        world.add_credential(credential);
    }
    world
}

fn asked() -> Asked {
    Asked {
        scope: "here".into(),
        history: true,
    }
}

fn next(report: &Report, memory: PlanMemory) -> Progress {
    progress(report, memory, &asked(), &Targets::builtin().unwrap())
}

/// The only item of a progress.
fn only(progress: &Progress) -> (ItemState, String) {
    let [item] = progress.items.as_slice() else {
        panic!("{:?}", progress.items);
    };
    assert!(!item.evidence.is_empty() && !item.detect_done.is_empty());
    (item.state, item.evidence.join("\n"))
}

#[test]
fn an_item_goes_its_way_and_comes_back() {
    use CredentialStatus::{Active, Inactive};
    let first = next(
        &report_of(&world(Some(Active), true, false), 0),
        PlanMemory::default(),
    );
    assert_eq!(first.items, [], "planned just now");
    let mut memory = first.memory;
    let mut step = |day, key, named, federated| {
        let found = next(
            &report_of(&world(key, named, federated), day),
            memory.clone(),
        );
        memory = found.memory.clone();
        only(&found)
    };
    let (state, evidence) = step(1, Some(Active), true, false);
    assert_eq!(state, ItemState::Open);
    insta::assert_snapshot!(evidence, @r"
    no: the issuer shows it active, last used on 2026-11-17
    yes: no current file holds it
    no: deploy.yml/deploy still names it
    no: deploy.yml/deploy cannot prove what it is yet
    the plan still has it: migrate now
    ");
    assert_eq!(step(2, Some(Active), true, true).0, ItemState::DualPath);
    assert_eq!(step(3, Some(Active), false, true).0, ItemState::DualPath);
    let (state, evidence) = step(4, Some(Inactive), false, true);
    assert_eq!(state, ItemState::Open, "switched off is not deleted");
    assert!(evidence.contains("waits to be deleted"), "{evidence}");
    let (state, evidence) = step(5, None, false, true);
    assert_eq!(state, ItemState::Done);
    insta::assert_snapshot!(evidence, @r"
    yes: the credential is no longer in the inventory
    yes: no consumer names it
    yes: deploy.yml/deploy proves what it is
    ");
    let (state, evidence) = step(6, Some(Active), true, true);
    assert_eq!(state, ItemState::Reopened);
    assert!(evidence.contains("it was done before"), "{evidence}");
    assert_eq!(step(7, None, false, true).0, ItemState::Done);
}

#[test]
fn a_key_that_its_account_no_longer_lists_is_gone() {
    let active = Some(CredentialStatus::Active);
    let first = next(
        &report_of(&world(active, true, false), 0),
        PlanMemory::default(),
    );
    // Known from a file, it is its account's; known from logs, it is its user's. A list of keys is of grade A.
    let unlisted = |kind: IdentityKind, listed: bool| {
        let mut later = report_of(&world(Some(CredentialStatus::Inactive), false, true), 1);
        let holder = Identity::named("aws", kind, "111122223333", "111122223333", Grade::B);
        for credential in &mut later.credentials {
            credential.identity = Some(holder.id.clone());
            credential.grade = if listed { Grade::A } else { Grade::B };
            credential.join = Some(Evidence::new(Grade::A, "its account lists no such key"));
        }
        later.identities.push(holder);
        // What no longer lets anybody in is in no plan.
        later.plan.clear();
        only(&next(&later, first.memory.clone()))
    };
    for kind in [IdentityKind::AwsAccount, IdentityKind::IamUser] {
        let (state, evidence) = unlisted(kind, false);
        assert_eq!(state, ItemState::Done, "{evidence}");
        assert!(evidence.contains("lists no such key"), "{evidence}");
        let (state, evidence) = unlisted(kind, true);
        assert_eq!(state, ItemState::Open, "{evidence}");
    }
}

#[test]
fn a_move_keeps_its_mechanism_while_the_old_key_waits_for_its_end() {
    let active = Some(CredentialStatus::Active);
    let first = report_of(&world(active, true, false), 0);
    let planned = first.plan[0].mechanism.clone();
    assert_eq!(planned, "aws-github-oidc");
    let first = next(&first, PlanMemory::default());
    // The job no longer names the key: nothing tells where its user runs.
    let half = report_of(&world(active, false, true), 1);
    assert_ne!(half.plan[0].mechanism, planned);
    let half = next(&half, first.memory);
    assert_eq!(half.items[0].mechanism, planned);
    assert_eq!(half.items[0].state, ItemState::DualPath);
}

#[test]
fn what_was_not_looked_at_is_not_done() {
    let active = Some(CredentialStatus::Active);
    let first = next(
        &report_of(&world(active, true, false), 0),
        PlanMemory::default(),
    );
    let mut gone = report_of(&world(None, false, true), 1);
    gone.run.inputs.clear();
    let elsewhere = Asked {
        scope: "there".into(),
        history: true,
    };
    let targets = Targets::builtin().unwrap();
    let found = progress(&gone, first.memory.clone(), &elsewhere, &targets);
    assert_eq!(found.items, [], "it is no business of other places");
    assert_eq!(found.memory.items, first.memory.items);
    let (mut unread, entry) = (report_of(&world(None, false, true), 1), "aws/111122223333");
    unread.coverage.push(crate::model::Coverage::new(
        "aws",
        entry,
        crate::model::CoverageStatus::Failed,
        "refused",
    ));
    assert_eq!(only(&next(&unread, first.memory)).0, ItemState::NotSeen);
}

#[test]
fn standing_access_since_the_plan_is_told() {
    let active = Some(CredentialStatus::Active);
    let first = next(
        &report_of(&world(active, true, false), 0),
        PlanMemory::default(),
    );
    assert_eq!(first.standing, []);
    let more = || {
        let mut more = world(active, true, false);
        let second = with_privilege(user("second"), 3, true);
        let mut key = access_key(&second);
        key.id = crate::model::CredentialId::of(&["second"]);
        more.add_identity(second);
        more.add_credential(key);
        more
    };
    let found = next(&report_of(&more(), 1), first.memory);
    assert_eq!(found.standing.len(), 1);
    assert_eq!(found.standing[0].before, None);
    let later = next(&report_of(&more(), 2), found.memory);
    assert_eq!(
        later.standing.len(),
        1,
        "it stands since then, and the plan is still that of the first day"
    );
    assert_eq!(later.standing[0].since, found.standing[0].since);
}

#[test]
fn a_run_over_a_part_of_the_places_says_what_it_did_not_see_however_often() {
    let active = Some(CredentialStatus::Active);
    // The job's repository is read by every run, the account by the first and the last.
    let whole = |day| {
        let mut report = report_of(&world(active, true, false), day);
        report.run.inputs.push("site".into());
        report
    };
    let part = |day| {
        let mut report = report_of(&world(None, true, false), day);
        report.run.inputs = vec!["site".into()];
        report
    };
    let first = next(&whole(0), PlanMemory::default());
    assert!(first.memory.items[0].needs.contains(&"site".to_owned()));
    let narrow = Asked {
        scope: "the repository".into(),
        history: true,
    };
    let targets = Targets::builtin().unwrap();
    let mut memory = first.memory;
    for day in 1..3 {
        let found = progress(&part(day), memory, &narrow, &targets);
        let (state, evidence) = only(&found);
        assert_eq!(state, ItemState::NotSeen, "{evidence}");
        assert!(evidence.contains("aws/111122223333"), "{evidence}");
        memory = found.memory;
        assert_eq!(memory.items[0].progress.state, ItemState::Open);
    }
    assert_eq!(only(&next(&whole(3), memory)).0, ItemState::Open);
}

#[test]
fn what_is_as_the_plan_had_it_is_no_drift_though_it_was_lower_since() {
    let active = Some(CredentialStatus::Active);
    let mut memory = next(
        &report_of(&world(active, true, false), 0),
        PlanMemory::default(),
    )
    .memory;
    let planned = memory.items[0].progress.risk_before;
    for first in memory.standing.values_mut() {
        first.risk = 3;
    }
    let report = report_of(&world(active, true, false), 2);
    assert!(planned > 3 && report.assessments[0].risk.score == planned);
    assert_eq!(next(&report, memory.clone()).standing, []);
    let mut more = report;
    more.assessments[0].risk.score = planned + 5;
    let found = next(&more, memory.clone());
    assert_eq!(found.standing.len(), 1);
    assert_eq!(found.standing[0].before, Some(planned));
    // What was done and is back is told once.
    memory.items[0].progress.state = ItemState::Done;
    let mut open = memory.items[0].clone();
    open.progress.item = PlanItemId::of(&["another"]);
    open.progress.state = ItemState::Open;
    open.assessment = AssessmentId::of(&["another"]);
    memory.items.push(open);
    let found = next(&more, memory);
    assert_eq!(found.items[0].state, ItemState::Reopened);
    assert_eq!(found.standing, []);
}

/// What a run of the day `day` plans after earlier plans.
fn after(world: &World, memory: &PlanMemory, day: i64) -> (Vec<PlanItem>, Report) {
    let mut report = report_of(world, day);
    let view = View::new(
        &report.run,
        &world.inventory,
        &report.assessments,
        &report.coverage,
    );
    let left = unfinished(view, memory, &asked(), &Targets::builtin().unwrap());
    let plan = crate::plan::build(
        &world.context(),
        &subjects(&world.context()),
        &report.assessments,
        &left,
    );
    report.plan.clone_from(&plan);
    (plan, report)
}

#[test]
fn a_move_that_is_half_done_goes_on_with_what_is_left() {
    let active = Some(CredentialStatus::Active);
    let first = next(
        &report_of(&world(active, true, false), 0),
        PlanMemory::default(),
    );
    let half = world(active, false, true);
    assert_eq!(half.only().disposition, Disposition::Review);
    let (plan, report) = after(&half, &first.memory, 3);
    let [item] = plan.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(item.disposition, Disposition::MigrateNow);
    assert_eq!(item.mechanism, "aws-github-oidc");
    assert!(
        item.title.starts_with("Finish the migration: "),
        "{}",
        item.title
    );
    let rest = item.unfinished.as_ref().unwrap();
    assert!(rest.new_way);
    assert_eq!(
        rest.left,
        ["the issuer shows it active, last used on 2026-11-17"]
    );
    let titles: Vec<&str> = item.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Confirm owner, purpose and consumers",
            "See what is left",
            "Verify",
            "Deactivate and wait",
            "Prove that it no longer works",
            "Delete it and every stored copy",
            "Close"
        ]
    );
    assert!(item.risk_after < item.risk_before);
    let context = half.context();
    let made = crate::plan::artefacts::Maker::new(&context)
        .unwrap()
        .item(item);
    let has = |path: &str| made.iter().any(|file| file.path == path);
    assert!(has("README.md") && has("revoke.sh") && has("negative-test.sh"));
    assert!(!has("main.tf") && !has("trust-policy.json"));
    // It is the same item, and not finished.
    let found = next(&report, first.memory.clone());
    let (state, evidence) = only(&found);
    assert_eq!(state, ItemState::DualPath, "{evidence}");
    assert!(evidence.contains("goes on with what is left"), "{evidence}");
    assert!(found.items[0].title.starts_with("Migrate now: "));
    // Once the old key is gone there is nothing to go on with.
    let (plan, report) = after(&world(None, false, true), &found.memory, 4);
    assert_eq!(plan, []);
    assert_eq!(only(&next(&report, found.memory)).0, ItemState::Done);
    // What nobody began is judged as it stands.
    let mut nobody = first.memory;
    nobody.items[0].users.clear();
    let (plan, _) = after(&half, &nobody, 3);
    assert!(plan.iter().all(|item| item.unfinished.is_none()));
}

#[test]
fn a_removal_of_what_is_in_use_again_no_longer_stands() {
    let idle = |last: Timestamp, named: bool| {
        let mut world = world(Some(CredentialStatus::Active), named, false);
        for user in world.inventory.identities.values_mut() {
            user.last_use = LastUse::At(last);
        }
        for key in world.inventory.credentials.values_mut() {
            key.last_use = LastUse::At(last);
        }
        world
    };
    let first = next(
        &report_of(&idle(days_ago(300), false), 0),
        PlanMemory::default(),
    );
    let planned = &first.memory.items[0].progress;
    assert_eq!(planned.disposition, Disposition::Decommission);
    assert!(planned.title.starts_with("Decommission: "));
    // Silence goes on: so does the plan.
    let found = next(
        &report_of(&idle(days_ago(300), false), 2),
        first.memory.clone(),
    );
    assert_eq!(only(&found).0, ItemState::Open);
    // It is used again, and what uses it is known.
    let again = days_ago(0) + 24.hours();
    let found = next(&report_of(&idle(again, true), 2), first.memory.clone());
    let (state, evidence) = only(&found);
    assert_eq!(state, ItemState::Superseded, "{evidence}");
    assert!(
        evidence.contains("the plan now asks for: Migrate now"),
        "{evidence}"
    );
    assert!(found.items[0].title.starts_with("Decommission: "));
    let planned = &found.memory.items[0].progress;
    assert_eq!(planned.disposition, Disposition::MigrateNow);
    assert_eq!(planned.planned_at, days_ago(0) + 48.hours());
    let found = next(&report_of(&idle(again, true), 3), found.memory);
    assert_eq!(only(&found).0, ItemState::Open, "told once");
    // It is used again, and by whom is not known.
    let found = next(&report_of(&idle(again, false), 2), first.memory);
    let (state, evidence) = only(&found);
    assert_eq!(state, ItemState::Superseded, "{evidence}");
    assert!(evidence.contains("in use again"), "{evidence}");
}

#[test]
fn what_is_shared_is_split_once_it_serves_one_path_or_has_ended() {
    let shared = |repositories: &[&str], status: CredentialStatus| {
        let mut world = World::new("");
        let user = with_privilege(user("deployer"), 3, true);
        let mut key = access_key(&user);
        key.account = user.account.clone();
        key.storage = Storage::CiStore;
        key.status = status;
        for repository in repositories {
            let mut job = job(repository);
            job.uses.credentials = vec![key.id.clone()];
            world.add_consumer(job);
        }
        world.add_identity(user);
        world.add_credential(key);
        world
    };
    let active = CredentialStatus::Active;
    let first = next(
        &report_of(&shared(&["api", "cdn", "site"], active), 0),
        PlanMemory::default(),
    );
    let planned = &first.memory.items[0].progress;
    assert_eq!(planned.disposition, Disposition::SplitFirst);
    let later = |repositories: &[&str], status| {
        let report = report_of(&shared(repositories, status), 1);
        only(&next(&report, first.memory.clone()))
    };
    let (state, evidence) = later(&["api", "site"], active);
    assert_eq!(state, ItemState::Open, "{evidence}");
    assert!(
        evidence.contains("2 repositories use it, and no longer cdn"),
        "{evidence}"
    );
    let (state, evidence) = later(&["site"], active);
    assert_eq!(state, ItemState::Done, "{evidence}");
    assert!(
        evidence.contains("one repository uses it: site, and no longer api, cdn"),
        "{evidence}"
    );
    // Nobody names it and it still works: it is not split, only out of sight.
    let (state, evidence) = later(&[], active);
    assert_ne!(state, ItemState::Done, "{evidence}");
    let (state, evidence) = later(&[], CredentialStatus::Inactive);
    assert_eq!(state, ItemState::Done, "{evidence}");
}

#[test]
fn a_role_whose_trust_is_done_is_not_told_to_do_it_again() {
    let with = |subject: &str, narrow: bool| {
        let mut world = World::new("");
        let mut role = role("deploy", vec![github(subject)]);
        role.trust[0].coverage.session = true;
        role.privilege.blanket_policies = vec!["AdministratorAccess".into()];
        let mut role = admin(role);
        if narrow {
            role = with_privilege(role, 2, true);
            role.privilege.admin = false;
            role.privilege.blanket_policies.clear();
        }
        world.add_identity(role);
        world
    };
    let first = next(
        &report_of(&with("repo:acme/*", false), 0),
        PlanMemory::default(),
    );
    assert_eq!(
        first.memory.items[0].progress.mechanism,
        "aws-oidc-trust-tightened"
    );
    let half = with("repo:acme/site:environment:production", false);
    let (plan, _) = after(&half, &first.memory, 3);
    let [item] = plan.as_slice() else {
        panic!("{plan:?}");
    };
    let rest = item.unfinished.as_ref().unwrap();
    assert_eq!(rest.settled, ["create", "switch"]);
    assert!(!rest.new_way);
    let titles: Vec<&str> = item.steps.iter().map(|step| step.title.as_str()).collect();
    assert!(titles.contains(&"Grant the minimum"), "{titles:?}");
    for done in [
        "Create the new way beside the old one",
        "Switch one consumer at a time",
    ] {
        assert!(!titles.contains(&done), "{titles:?}");
    }
}
