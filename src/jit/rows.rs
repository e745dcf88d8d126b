//! The target catalogue by example: for each row of it something that is found today, what it becomes, for how long, and
//! how much may be claimed; where AWS keeps logs, without them and with sixty days of nightly runs.

use super::fixtures::*;
use crate::model::{
    Activity, Assessment, BreakGlass, ConsumerClass, Credential, Disposition, Federation, Identity,
    IdentityKind, Mitigation, PrincipalKind, Rhythm, Storage,
};
use ConsumerClass::{Agent, Batch, Ci, Daemon, Function, RequestDriven, Scheduled, Unknown};

/// Something that uses the credential.
fn using(world: &mut World, mut credential: Credential, class: ConsumerClass, runtime: &str) {
    if class != Unknown {
        let mut consumer = consumer("work", class, runtime, "app");
        consumer.federation = Federation::Supported;
        consumer.timeout_seconds = (class == Ci).then_some(1200);
        consumer.uses.credentials = vec![credential.id.clone()];
        world.add_consumer(consumer);
    }
    credential.storage = match runtime {
        "github-actions" | "gitlab-ci" | "circleci" => Storage::CiStore,
        _ => Storage::Environment,
    };
    world.add_credential(credential);
}

/// Seventeen minutes every night.
fn nightly(of: &Identity, key: &Credential) -> Activity {
    seen(of, Some(key), Rhythm::CronLike, [720, 1020, 1200])
}

fn told(assessment: &Assessment) -> String {
    let ttl = assessment
        .ttl
        .seconds
        .map_or_else(|| "-".to_owned(), super::ttl::human);
    format!(
        "{} | {} | {ttl} | {}",
        assessment.target.as_deref().unwrap_or("-"),
        assessment.disposition.as_str(),
        assessment.mitigation.as_str()
    )
}

/// An AWS key in a place: its judgement without logs and with them.
fn aws(class: ConsumerClass, runtime: &str) -> String {
    let mut world = World::new("");
    let user = with_privilege(user("worker"), 3, true);
    let mut key = access_key(&user);
    key.last_use = crate::model::LastUse::At(days_ago(1));
    world.add_identity(user.clone());
    using(&mut world, key.clone(), class, runtime);
    let without = told(&world.only());
    logged(&mut world, nightly(&user, &key));
    let with = told(&world.only());
    if with == without {
        without
    } else {
        format!("{without}\n      with logs: {with}")
    }
}

/// Another credential in a place.
fn other(kind: &str, provider: &str, class: ConsumerClass, runtime: &str) -> String {
    let mut world = World::new("");
    let mut found = credential(kind, provider);
    found.default_tier = Some(3);
    using(&mut world, found, class, runtime);
    told(&world.only())
}

#[test]
fn each_row_of_the_catalogue_is_what_something_becomes() {
    let mut lines = Vec::new();
    let mut row = |number: u8, what: &str, told: String| {
        lines.push(format!("{number:>2} {what}: {told}"));
    };
    row(1, "key in GitHub Actions", aws(Ci, "github-actions"));
    row(2, "key in GitLab", aws(Ci, "gitlab-ci"));
    row(3, "key in Bitbucket", aws(Ci, "bitbucket-pipelines"));
    row(4, "key in CircleCI", aws(Ci, "circleci"));
    row(5, "key in Buildkite", aws(Ci, "buildkite"));
    row(6, "key in HCP Terraform", aws(Ci, "terraform-cloud"));
    row(7, "key on a server", aws(Scheduled, "server"));
    row(7, "key of a daemon", aws(Daemon, "server"));
    row(8, "key on EC2", aws(Daemon, "ec2"));
    row(9, "key in a pod", aws(RequestDriven, "eks"));
    row(9, "key in a CronJob", aws(Scheduled, "kubernetes"));
    row(10, "key in ECS", aws(Batch, "ecs"));
    row(10, "key in a function", aws(Function, "lambda"));
    row(12, "key nobody names", aws(Unknown, ""));
    row(
        13,
        "key of a service in Lambda",
        other("huggingface-token", "huggingface", Function, "lambda"),
    );
    for (number, kind, provider, class, runtime) in [
        (14, "gcp-service-account-key", "gcp", Ci, "github-actions"),
        (15, "gcp-service-account-key", "gcp", RequestDriven, "gke"),
        (16, "azure-client-secret", "azure", Ci, "github-actions"),
        (
            17,
            "azure-client-secret",
            "azure",
            Function,
            "azure-functions",
        ),
        (
            18,
            "kubernetes-service-account-token",
            "kubernetes",
            Ci,
            "github-actions",
        ),
        (19, "postgres-url", "postgres", RequestDriven, "kubernetes"),
        (20, "github-pat", "github", Scheduled, "server"),
        (20, "github-pat", "github", Ci, "github-actions"),
        (21, "github-deploy-key", "github", Ci, "github-actions"),
        (22, "npm-token", "npm", Ci, "github-actions"),
        (23, "pypi-token", "pypi", Ci, "gitlab-ci"),
        (24, "dockerhub-token", "docker", Ci, "github-actions"),
        (25, "ssh-private-key", "ssh", Scheduled, "server"),
        (26, "anthropic-api-key", "anthropic", Ci, "github-actions"),
        (27, "openai-api-key", "openai", RequestDriven, "kubernetes"),
        (28, "openrouter-api-key", "openrouter", Ci, "gitlab-ci"),
        (
            29,
            "snowflake-password",
            "snowflake",
            Scheduled,
            "kubernetes",
        ),
        (30, "databricks-token", "databricks", Ci, "github-actions"),
        (31, "slack-bot-token", "slack", RequestDriven, "server"),
        (32, "stripe-secret-key", "stripe", RequestDriven, "server"),
        (33, "twilio-auth-token", "twilio", RequestDriven, "server"),
        (34, "tls-private-key", "tls", Daemon, "kubernetes"),
        (35, "github-pat", "github", Agent, "mcp"),
        (36, "openai-api-key", "openai", Agent, "agent-host"),
    ] {
        row(
            number,
            &format!("{kind} in {runtime}"),
            other(kind, provider, class, runtime),
        );
    }
    let text = lines.join("\n");
    insta::assert_snapshot!(text, @r"
     1 key in GitHub Actions: aws-github-oidc | migrate-now | 20 min | full
     2 key in GitLab: aws-gitlab-oidc | migrate-now | 20 min | full
     3 key in Bitbucket: aws-bitbucket-oidc | migrate-now | 20 min | full
     4 key in CircleCI: aws-circleci-oidc | migrate-now | 20 min | full
     5 key in Buildkite: aws-buildkite-oidc | migrate-now | 20 min | full
     6 key in HCP Terraform: aws-hcp-terraform | migrate-now | 20 min | full
     7 key on a server: aws-roles-anywhere | plan-migration | 15 min | full
          with logs: aws-roles-anywhere | migrate-now | 20 min | full
     7 key of a daemon: aws-roles-anywhere | hybrid | 1 h | partial
     8 key on EC2: aws-instance-profile | hybrid | - | partial
     9 key in a pod: aws-pod-identity | hybrid | - | partial
     9 key in a CronJob: aws-pod-identity | migrate-now | - | full
    10 key in ECS: aws-task-role | migrate-now | - | full
    10 key in a function: aws-lambda-role | migrate-now | - | full
    12 key nobody names: aws-assumed-role | review | 15 min | none
          with logs: aws-assumed-role | plan-migration | 20 min | full
    13 key of a service in Lambda: aws-outbound-federation | plan-migration | 15 min | full
    14 gcp-service-account-key in github-actions: gcp-workload-federation | migrate-now | 20 min | full
    15 gcp-service-account-key in gke: gcp-attached-account | hybrid | - | partial
    16 azure-client-secret in github-actions: azure-federated-credential | migrate-now | 1 h | full
    17 azure-client-secret in azure-functions: azure-managed-identity | migrate-now | - | full
    18 kubernetes-service-account-token in github-actions: kubernetes-ci-federation | migrate-now | 20 min | full
    19 postgres-url in kubernetes: database-dynamic-role | hybrid | 1 h | partial
    20 github-pat in server: github-app-token | plan-migration | 1 h | full
    20 github-pat in github-actions: github-job-token | migrate-now | - | full
    21 github-deploy-key in github-actions: github-job-token | migrate-now | - | full
    22 npm-token in github-actions: npm-trusted-publishing | migrate-now | 20 min | full
    23 pypi-token in gitlab-ci: registry-trusted-publishing | migrate-now | 20 min | full
    24 dockerhub-token in github-actions: dockerhub-oidc | migrate-now | 20 min | full
    25 ssh-private-key in server: ssh-certificates | plan-migration | 15 min | full
    26 anthropic-api-key in github-actions: anthropic-federation | migrate-now | 20 min | full
    27 openai-api-key in kubernetes: openai-federation | hybrid | 1 h | partial
    28 openrouter-api-key in gitlab-ci: openrouter-federation | migrate-now | 15 min | full
    29 snowflake-password in kubernetes: snowflake-federation | plan-migration | 15 min | full
    30 databricks-token in github-actions: databricks-federation | migrate-now | 20 min | full
    31 slack-bot-token in server: slack-token-rotation | shorten-and-compensate | 12 h | partial
    32 stripe-secret-key in server: stripe-restricted-key | shorten-and-compensate | 30 d | partial
    33 twilio-auth-token in server: saas-scoped-token | shorten-and-compensate | 30 d | partial
    34 tls-private-key in kubernetes: workload-certificates | hybrid | 1 h | partial
    35 github-pat in mcp: agent-brokered-session | plan-migration | 1 h | partial
    36 openai-api-key in agent-host: agent-brokered-session | plan-migration | 1 h | partial
    ");
}

#[test]
fn people_vendors_root_and_emergencies_have_rows_of_their_own() {
    let mut world = World::new("");
    let mut person = with_privilege(user("ann"), 3, true);
    person.human = true;
    world.add_credential(access_key(&person));
    world.add_identity(person);
    assert_eq!(world.only().target.as_deref(), Some("aws-identity-center"));

    let mut world = World::new("");
    let mut path = trust(PrincipalKind::Account, "arn:aws:iam::999988887777:root");
    path.external = true;
    path.vendor = Some("Observa".into());
    world.add_identity(with_privilege(role("vendor", vec![path]), 3, true));
    let vendor = world.only();
    assert_eq!(vendor.target.as_deref(), Some("aws-vendor-role"));

    let mut world = World::new("");
    let root = Identity::named(
        "aws",
        IdentityKind::AwsRoot,
        "root",
        "arn:aws:iam::111122223333:root",
        crate::model::Grade::A,
    );
    world.add_credential(access_key(&root));
    world.add_identity(root);
    let gone = world.only();
    assert_eq!(gone.disposition, Disposition::RevokeNow);
    assert_eq!(gone.target.as_deref(), Some("root-removal"));
    assert_eq!(gone.follow_up, None, "nothing replaces it");

    let mut world = World::new("");
    let mut sealed = admin(role("sealed", Vec::new()));
    sealed.break_glass = Some(BreakGlass::Declared);
    world.add_identity(sealed);
    let sealed = world.only();
    assert_eq!(sealed.disposition, Disposition::BreakGlassIsolate);
    assert_eq!(sealed.target.as_deref(), Some("break-glass-sealed"));
    assert_ne!(sealed.mitigation, Mitigation::Full, "it never migrates");
}

#[test]
fn what_is_declared_static_is_planned_as_static_and_says_where_it_would_go() {
    let mut world = World::new(
        "[[identity]]\nmatch = \"*user/observa\"\nvendor_static = true\nexception_expires = 2027-03-31\n\
         exception_owner = \"sre\"\nexception_reason = \"roles come with their next release\"\n",
    );
    let user = with_privilege(user("observa"), 3, true);
    let key = access_key(&user);
    world.add_identity(user);
    using(&mut world, key, Daemon, "server");
    let one = world.only();
    assert_eq!(one.disposition, Disposition::ShortenAndCompensate);
    assert_eq!(one.target.as_deref(), Some("aws-vendor-key-kept"));
    assert!(one.ttl.seconds >= Some(86_400), "{:?}", one.ttl);
    assert!(
        one.target_reason.contains("Roles Anywhere") && one.target_reason.contains("as of"),
        "{}",
        one.target_reason
    );
    let item = world.plan().remove(0);
    assert!(
        item.approval
            .reason
            .contains("until 2027-03-31, answered for by sre: roles come"),
        "{}",
        item.approval.reason
    );
    let controls: Vec<&str> = item
        .compensating_controls
        .iter()
        .filter_map(|each| each.control.split(':').next())
        .collect();
    assert_eq!(
        controls,
        ["Monitoring", "Secret scanning", "Network boundary"]
    );
    assert!(item.exception_expires.is_some());
}

/// The same in the hands of a person.
fn by_hand(of: &Identity, key: &Credential) -> Activity {
    let mut activity = nightly(of, key);
    activity.rhythm = Rhythm::Bursty;
    activity.by_hand = vec![crate::model::Evidence::new(
        crate::model::Grade::A,
        "40 calls with the AWS CLI in office hours",
    )];
    activity
}

#[test]
fn logs_change_nothing_of_who_is_a_person_a_vendor_root_or_an_emergency_and_tell_how_they_work() {
    // Row 11: the person's key goes to sign-in, for as long as the person works at a time.
    let mut world = World::new("");
    let mut person = with_privilege(user("ann"), 3, true);
    person.human = true;
    let key = access_key(&person);
    world.add_credential(key.clone());
    world.add_identity(person.clone());
    let without = world.only();
    logged(&mut world, by_hand(&person, &key));
    let with = world.only();
    for one in [&without, &with] {
        assert_eq!(one.target.as_deref(), Some("aws-identity-center"));
        assert_eq!(one.consumer_class, ConsumerClass::Human);
    }
    assert!(with.ttl.seconds < without.ttl.seconds, "{:?}", with.ttl);
    assert!(
        with.ttl.evidence.contains("95 of 100"),
        "{}",
        with.ttl.evidence
    );

    // Row 12: a vendor's nightly pull is still the vendor's: a role with an external id, not one of ours on a schedule.
    let mut world = World::new("");
    let mut vendor = with_privilege(user("observa"), 3, true);
    vendor.tags.insert("Vendor".into(), "Observa".into());
    let key = access_key(&vendor);
    world.add_credential(key.clone());
    world.add_identity(vendor.clone());
    let without = world.only();
    logged(&mut world, nightly(&vendor, &key));
    let with = world.only();
    for one in [&without, &with] {
        assert_eq!(one.target.as_deref(), Some("aws-vendor-role"));
        assert_eq!(one.consumer_class, ConsumerClass::Vendor);
        assert_eq!(
            one.mitigation,
            Mitigation::Partial,
            "a vendor's end is out of sight"
        );
    }
    assert_eq!(with.task.rhythm, Some(Rhythm::CronLike));
    assert!(with.ttl.seconds <= Some(3_600));

    // Row 37: a root key that logs show in use is revoked all the same.
    let mut world = World::new("");
    let root = Identity::named(
        "aws",
        IdentityKind::AwsRoot,
        "root",
        "arn:aws:iam::111122223333:root",
        crate::model::Grade::A,
    );
    let key = access_key(&root);
    world.add_credential(key.clone());
    world.add_identity(root.clone());
    logged(&mut world, nightly(&root, &key));
    let gone = world.only();
    assert_eq!(gone.disposition, Disposition::RevokeNow);
    assert_eq!(gone.target.as_deref(), Some("root-removal"));

    // Row 38: emergency access that works every night is told so, and stays sealed.
    let mut world = World::new("");
    let mut sealed = admin(user("sealed"));
    sealed.break_glass = Some(BreakGlass::Declared);
    let key = access_key(&sealed);
    world.add_credential(key.clone());
    world.add_identity(sealed.clone());
    logged(&mut world, nightly(&sealed, &key));
    let used = world.only();
    assert_eq!(used.disposition, Disposition::BreakGlassIsolate);
    assert_ne!(used.mitigation, Mitigation::Full);
    assert_eq!(
        used.task.rhythm,
        Some(Rhythm::CronLike),
        "it became a back door"
    );
}
