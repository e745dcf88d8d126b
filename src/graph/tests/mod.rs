//! The join as a whole, on invented accounts, declarations and sightings.

mod logs;
mod stored;

use super::*;
use crate::model::aws::{
    AwsAccessKey, AwsAttached, AwsInlinePolicy, AwsParts, AwsPolicy, AwsRole, AwsRoot, AwsUser,
};
use crate::model::{
    BreakGlass, Confidence, Consumer, ConsumerClass, ConsumerId, Credential, CredentialStatus,
    Environment, Evidence, Federation, FilledSecret, FingerprintKey, Grade, IdentityKind, LastUse,
    OwnerSource, Redacted, SecretReference, Sighting, Storage, Trail, Uses,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

const ACCOUNT: &str = "111122223333";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-01T00:00:00Z")
}

fn key_id(n: u8) -> String {
    format!("AKIA{}{n}", "TESTTESTTESTTES")
}

fn arn(what: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{what}")
}

fn place(logical: &str) -> Location {
    Location::file(format!("aws/{ACCOUNT}"), "gaad.json", 1, 1).naming(logical)
}

fn user(name: &str) -> AwsUser {
    AwsUser {
        name: name.into(),
        path: "/".into(),
        arn: arn(&format!("user/{name}")),
        unique_id: format!("AIDA{name}"),
        created_at: Some(at("2020-01-01T00:00:00Z")),
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
        location: place(name),
    }
}

fn role(name: &str, trust: &serde_json::Value) -> AwsRole {
    AwsRole {
        name: name.into(),
        path: "/".into(),
        arn: arn(&format!("role/{name}")),
        unique_id: format!("AROA{name}"),
        description: None,
        created_at: Some(at("2020-01-01T00:00:00Z")),
        trust: json!({"Version": "2012-10-17", "Statement": trust}),
        inline: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        max_session_seconds: Some(3600),
        last_use: LastUse::NeverSince(at("2020-01-01T00:00:00Z")),
        instance_profiles: Vec::new(),
        tags: BTreeMap::new(),
        services: None,
        location: place(name),
    }
}

fn key(id: Option<&str>) -> AwsAccessKey {
    AwsAccessKey {
        key_id: id.map(str::to_owned),
        active: Some(true),
        created_at: Some(at("2021-01-01T00:00:00Z")),
        last_use: LastUse::At(at("2026-10-01T00:00:00Z")),
        last_used_service: Some("s3".into()),
        location: place("key"),
    }
}

fn account() -> AwsAccount {
    let mut deployer = user("ci-deployer");
    deployer.attached = vec![AwsAttached {
        name: "AdministratorAccess".into(),
        arn: "arn:aws:iam::aws:policy/AdministratorAccess".into(),
    }];
    deployer.keys = vec![key(Some(&key_id(2)))];
    deployer.tags = BTreeMap::from([
        ("Team".into(), "release".into()),
        ("Environment".into(), "prod".into()),
    ]);
    let mut alice = user("alice");
    alice.password = Some(true);
    alice.mfa = Some(true);
    alice.password_last_use = LastUse::At(at("2026-10-20T00:00:00Z"));
    alice.keys = vec![key(None)];
    let mut glass = user("break-glass");
    glass.inline = vec![AwsInlinePolicy {
        name: "all".into(),
        document: json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
    }];
    let lambda = json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let saml = json!([{"Effect": "Allow", "Principal": {"Federated": arn("saml-provider/idp")}, "Action": "sts:AssumeRoleWithSAML"}]);
    let mut linked = role("AWSServiceRoleForSupport", &lambda);
    linked.path = "/aws-service-role/support.amazonaws.com/".into();
    AwsAccount {
        account_id: ACCOUNT.into(),
        alias: Some("shop-staging".into()),
        parts: AwsParts {
            authorization_details: true,
            credential_report: true,
            access_keys: true,
            key_last_used: true,
            roles: true,
            oidc_providers: true,
            ..AwsParts::default()
        },
        collected_at: Some(at("2026-10-31T00:00:00Z")),
        users: vec![deployer, alice, glass],
        groups: Vec::new(),
        roles: vec![role("export", &lambda), role("people", &saml), linked],
        policies: vec![AwsPolicy {
            name: "AdministratorAccess".into(),
            arn: "arn:aws:iam::aws:policy/AdministratorAccess".into(),
            document: json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
            versions: 1,
            updated_at: None,
            others: Vec::new(),
            location: place("policy"),
        }],
        oidc_providers: Vec::new(),
        root: Some(AwsRoot {
            arn: arn("root"),
            keys: Vec::new(),
            mfa: Some(true),
            password: None,
            password_last_use: LastUse::Unknown,
            location: place("root"),
        }),
        ..AwsAccount::default()
    }
}

fn seen(kind: &str, public: Option<String>, secret: &str, uri: &str, line: u32) -> SeenCredential {
    SeenCredential {
        rule: kind.into(),
        provider: if kind == "aws-access-key" {
            "aws"
        } else {
            "gcp"
        }
        .into(),
        kind: kind.into(),
        account: public.as_ref().map(|_| ACCOUNT.to_owned()),
        public_id: public,
        fingerprint: Some(FingerprintKey::new([7; 32]).fingerprint(kind, secret.as_bytes())),
        redacted: Redacted::new(""),
        subject: None,
        created_at: None,
        expires_at: None,
        expires_by_nature: Some(false),
        default_tier: Some(3),
        confidence: Confidence::High,
        confidence_reason: "structure".into(),
        sighting: Sighting {
            repository: "shop".into(),
            uri: uri.into(),
            line,
            column: 1,
            commit: Some("1".repeat(40)),
            author: Some("Ann <ann@example.org>".into()),
            first_seen: Some(at("2022-01-01T00:00:00Z")),
            last_seen: Some(at("2022-02-01T00:00:00Z")),
            at_head: true,
            context: None,
            layers: Vec::new(),
            ignored: None,
            trail: Trail::default(),
            rule: kind.into(),
            public: false,
        },
    }
}

fn consumer(name: &str, line: u32, native_ids: &[&str]) -> Consumer {
    Consumer {
        id: ConsumerId::of(&["github-actions", "shop", name]),
        name: name.into(),
        class: ConsumerClass::Ci,
        runtime: "github-actions".into(),
        repository: Some("shop".into()),
        identity: None,
        schedule: None,
        timeout_seconds: None,
        evidence: Vec::new(),
        federation: Federation::Supported,
        uses: Uses {
            native_ids: native_ids.iter().map(|&id| id.to_owned()).collect(),
            ..Uses::default()
        },
        risks: Vec::new(),
        location: Some(Location::file("shop", ".github/workflows/ci.yml", line, 1)),
        environment: None,
    }
}

fn reference(name: &str, consumer: &Consumer) -> SecretReference {
    SecretReference {
        name: name.into(),
        store: "github-actions".into(),
        kind: Some("aws-access-key".into()),
        provider: Some("aws".into()),
        repository: "shop".into(),
        consumer: Some(consumer.id.clone()),
        location: Location::file("shop", ".github/workflows/ci.yml", 7, 1),
    }
}

fn joined(
    accounts: &[AwsAccount],
    declarations: Vec<Declarations>,
    seen: Vec<SeenCredential>,
    config: &str,
) -> Joined {
    let config = Config::parse(config).unwrap();
    let tables = AwsTables::builtin().unwrap();
    join(JoinInput {
        accounts,
        declarations,
        seen,
        observed: Observed::default(),
        config: &config,
        tables: Some(&tables),
        owner_of: &|repository, uri| {
            (repository == "shop" && uri.starts_with(".github/"))
                .then(|| ("@shop/ci".to_owned(), OwnerSource::Codeowners))
        },
        purpose_of: &|_, uri| uri.starts_with("pay/").then(|| "Takes money".to_owned()),
        now: &Moment::new(now()),
    })
}

fn identity<'a>(inventory: &'a Inventory, native_id: &str) -> &'a Identity {
    inventory
        .identities
        .values()
        .find(|identity| identity.native_id == native_id)
        .unwrap_or_else(|| panic!("no identity {native_id}"))
}

fn aws_key(inventory: &Inventory, n: u8) -> &Credential {
    &inventory.credentials[&credential_by_public_id("aws-access-key", &key_id(n))]
}

#[test]
fn a_reader_that_knows_the_file_says_what_a_name_only_hints_at() {
    let by_name = |uri: &str, line| SeenCredential {
        rule: "generic-password".into(),
        ..seen("password", None, "s1", uri, line)
    };
    let known = seen("database-password", None, "s1", "a.tfstate", 4);
    let all = vec![by_name("a.tfstate", 4), by_name("b.env", 2), known];
    let inventory = joined(&[], Vec::new(), all, "").inventory;
    let told: Vec<(&str, usize)> = inventory
        .credentials
        .values()
        .map(|one| (one.kind.as_str(), one.sightings.len()))
        .collect();
    assert_eq!(told, [("database-password", 2)]);
    let apart = vec![
        by_name("a.tfstate", 4),
        seen("database-password", None, "s2", "a.tfstate", 5),
    ];
    assert_eq!(
        joined(&[], Vec::new(), apart, "")
            .inventory
            .credentials
            .len(),
        2
    );
}

#[test]
fn every_principal_is_an_identity() {
    let inventory = joined(&[account()], Vec::new(), Vec::new(), "").inventory;
    let shown: Vec<String> = inventory
        .identities
        .values()
        .map(|identity| {
            format!(
                "{} {} tier {} {} {} | {}",
                identity.kind.as_str(),
                identity.name,
                identity.privilege.tier,
                if identity.human { "person" } else { "machine" },
                identity.consumer_class.as_str(),
                identity.human_evidence.as_deref().unwrap_or("-"),
            )
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    aws-root root tier 5 person human | the root user of an account is a person's sign-in
    iam-role export tier 0 machine function | -
    iam-role people tier 0 person human | only people of a SAML provider may become it
    iam-user alice tier 0 person human | has a console password and an MFA device
    iam-user break-glass tier 5 machine unknown | nothing says that a person signs in to it; its console password is unknown
    iam-user ci-deployer tier 5 machine unknown | its name says `ci`
    service-linked-role AWSServiceRoleForSupport tier 0 machine unknown | -
    ");
}

#[test]
fn a_key_in_a_repository_is_the_key_of_its_user() {
    let inventory = joined(
        &[account()],
        Vec::new(),
        vec![
            seen("aws-access-key", Some(key_id(2)), "one", "a.env", 3),
            seen("aws-access-key", Some(key_id(2)), "one", "b/a.env", 9),
        ],
        "[[repository]]\nmatch = \"shop\"\npublic = true\n",
    )
    .inventory;
    let key = aws_key(&inventory, 2);
    assert_eq!(
        key.identity.as_ref(),
        Some(&identity(&inventory, &arn("user/ci-deployer")).id)
    );
    assert_eq!(key.join.as_ref().unwrap().grade, Grade::A);
    assert_eq!(key.sightings.len(), 2);
    assert_eq!(key.storage, Storage::Public);
    assert_eq!(key.status, CredentialStatus::Active);
    assert!(key.material_seen());
    assert_eq!(key.last_used_at, Some(at("2026-10-01T00:00:00Z")));
    assert_eq!(
        identity(&inventory, &arn("user/ci-deployer")).credentials,
        std::slice::from_ref(&key.id)
    );
}

#[test]
fn a_key_no_user_has_is_proved_gone_only_by_a_whole_inventory() {
    let other = || vec![seen("aws-access-key", Some(key_id(5)), "x", "a.env", 1)];
    let of = |account: AwsAccount| {
        let inventory = joined(&[account], Vec::new(), other(), "").inventory;
        let key = aws_key(&inventory, 5);
        assert_eq!(identity(&inventory, ACCOUNT).kind, IdentityKind::AwsAccount);
        (key.status, key.join.clone().unwrap().text)
    };
    let (status, text) = of(account());
    assert_eq!(status, CredentialStatus::Inactive);
    assert!(text.contains("deleted or rotated"), "{text}");
    let mut partial = account();
    partial.parts.access_keys = false;
    assert_eq!(of(partial).0, CredentialStatus::Unknown);
    let mut rootless = account();
    rootless.root = None;
    assert_eq!(of(rootless).0, CredentialStatus::Unknown);
    let mut early = account();
    early.collected_at = Some(at("2021-06-01T00:00:00Z"));
    assert!(of(early).1.contains("younger"));
    let inventory = joined(&[], Vec::new(), other(), "").inventory;
    assert!(
        aws_key(&inventory, 5)
            .join
            .as_ref()
            .unwrap()
            .text
            .contains("not in the scan")
    );
}

#[test]
fn references_and_roles_connect_their_consumer() {
    let ci = consumer(
        "deploy",
        5,
        &[&arn("role/export"), &arn("role/unknown"), "people"],
    );
    let declarations = vec![Declarations {
        references: vec![
            reference("CI_DEPLOYER_AWS_ACCESS_KEY_ID", &ci),
            reference("AWS_ACCESS_KEY_ID", &ci),
        ],
        consumers: vec![ci.clone()],
        ..Declarations::default()
    }];
    let literal = seen(
        "aws-access-key",
        Some(key_id(2)),
        "one",
        ".github/workflows/ci.yml",
        9,
    );
    let inventory = joined(&[account()], declarations, vec![literal], "").inventory;
    let shown: Vec<String> = inventory
        .credentials
        .values()
        .map(|credential| {
            format!(
                "{} {} {:?} consumers {}",
                credential
                    .reference
                    .as_deref()
                    .or(credential.public_id.as_deref().map(|_| "public id"))
                    .unwrap_or("no id"),
                credential.storage.as_str(),
                credential
                    .join
                    .as_ref()
                    .map(|join| (join.grade, join.text.as_str())),
                credential.consumers.len()
            )
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    AWS_ACCESS_KEY_ID ci-store None consumers 1
    CI_DEPLOYER_AWS_ACCESS_KEY_ID ci-store Some((D, "its name contains that of user ci-deployer")) consumers 1
    no id not-seen Some((A, "the credential report shows this key of user alice, without its id")) consumers 0
    public id committed Some((A, "IAM lists this key id for user ci-deployer")) consumers 1
    "#);
    let used = &inventory.consumers[&ci.id].uses;
    assert_eq!(used.credentials.len(), 3);
    let names: BTreeSet<&str> = used
        .identities
        .iter()
        .map(|id| inventory.identities[id].name.as_str())
        .collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["ci-deployer", "export", "people", "unknown"]
    );
    let unknown = identity(&inventory, &arn("role/unknown"));
    assert_eq!(unknown.grade, Grade::C);
    assert!(unknown.privilege.assumed);
    assert!(
        unknown
            .notes
            .iter()
            .any(|note| note.text.contains("does not have it"))
    );
    // A declared CI job and a trusted function: the less bounded counts.
    let export = identity(&inventory, &arn("role/export"));
    assert_eq!(export.consumers.len(), 2);
    assert_eq!(export.consumer_class, ConsumerClass::Function);
    assert_eq!(export.owner.as_deref(), Some("@shop/ci"));
    assert_eq!(export.owner_source, OwnerSource::Codeowners);
}

#[test]
fn a_stored_secret_is_the_only_active_key_of_the_user_tagged_with_its_repository() {
    let ci = consumer("deploy", 5, &[]);
    let declarations = || {
        vec![Declarations {
            references: vec![reference("AWS_ACCESS_KEY_ID", &ci)],
            consumers: vec![ci.clone()],
            ..Declarations::default()
        }]
    };
    let tagged = |keys: &[u8]| {
        let mut user = user("publisher");
        user.tags.insert("repository".into(), "acme/Shop".into());
        user.keys = keys.iter().map(|n| key(Some(&key_id(*n)))).collect();
        AwsAccount {
            users: vec![user],
            ..account()
        }
    };
    let one = joined(&[tagged(&[7])], declarations(), Vec::new(), "").inventory;
    let credential = aws_key(&one, 7);
    assert_eq!(credential.reference.as_deref(), Some("AWS_ACCESS_KEY_ID"));
    assert_eq!(
        (credential.storage.as_str(), credential.consumers.len()),
        ("ci-store", 1)
    );
    assert_eq!(
        one.credentials
            .values()
            .filter(|it| it.reference.is_some())
            .count(),
        1
    );

    let two = joined(&[tagged(&[7, 8])], declarations(), Vec::new(), "").inventory;
    let stored = two
        .credentials
        .values()
        .find(|it| it.reference.is_some())
        .unwrap();
    assert_eq!(
        stored.public_id, None,
        "which of two keys it is, nobody knows"
    );
    assert_eq!(two.identity_of(stored).unwrap().name, "publisher");
}

#[test]
fn owners_come_from_the_best_source() {
    let config = r#"
        [[identity]]
        match = "*:user/alice"
        owner = "alice's team"
        environment = "development"
        break_glass = false
        [[identity]]
        match = "break-glass"
        break_glass = true
        [account.111122223333]
        owner = "cloud"
    "#;
    let inventory = joined(&[account()], Vec::new(), Vec::new(), config).inventory;
    let of = |name: &str| {
        let identity = identity(&inventory, &arn(name));
        (
            identity.owner.as_deref().unwrap_or("-"),
            identity.owner_source,
            identity.environment,
            identity.break_glass,
        )
    };
    assert_eq!(
        of("user/alice"),
        (
            "alice's team",
            OwnerSource::Annotation,
            Environment::Development,
            None
        )
    );
    assert_eq!(
        of("user/ci-deployer"),
        ("release", OwnerSource::Tag, Environment::Production, None)
    );
    // Nothing says the environment but the account's alias.
    assert_eq!(
        of("user/break-glass"),
        (
            "cloud",
            OwnerSource::Annotation,
            Environment::Staging,
            Some(BreakGlass::Declared)
        )
    );
    let plain = joined(&[account()], Vec::new(), Vec::new(), "").inventory;
    assert_eq!(
        identity(&plain, &arn("user/break-glass")).break_glass,
        Some(BreakGlass::Suspected)
    );
}

#[test]
fn unused_roles_are_proved_only_for_what_aws_tracks() {
    let inventory = joined(&[account()], Vec::new(), Vec::new(), "").inventory;
    assert_eq!(
        identity(&inventory, &arn("role/export")).last_use,
        LastUse::NeverSince(at("2025-09-27T00:00:00Z"))
    );
    // The key of a user in use, the password of whose other sign-in is unknown.
    let mut mixed = account();
    mixed.users[1].password_last_use = LastUse::Unknown;
    let inventory = joined(&[mixed], Vec::new(), Vec::new(), "").inventory;
    let alice = identity(&inventory, &arn("user/alice"));
    assert_eq!(alice.last_use, LastUse::Unknown);
    assert!(
        alice
            .notes
            .iter()
            .any(|note| note.text.contains("in use on 2026-10-01"))
    );
}

#[test]
fn material_names_its_identity() {
    let mut gcp = seen("gcp-service-account-key", None, "pem", "sa.json", 2);
    gcp.subject = Some("robot@project-1.iam.gserviceaccount.com".into());
    let mut kubernetes = seen("kubernetes-service-account-token", None, "jwt", "t.yaml", 2);
    kubernetes.subject = Some("system:serviceaccount:prod:api".into());
    let mut person = seen("jwt", None, "other", "t.yaml", 3);
    person.subject = Some("someone".into());
    let inventory = joined(&[], Vec::new(), vec![gcp, kubernetes, person], "").inventory;
    let kinds: BTreeSet<&str> = inventory
        .identities
        .values()
        .map(|identity| identity.kind.as_str())
        .collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["gcp-service-account", "kubernetes-service-account"]
    );
    assert_eq!(inventory.credentials.len(), 3);
}

#[test]
fn a_deployed_identity_takes_in_its_declaration() {
    let mut declared = Identity::named(
        "aws",
        IdentityKind::IamUser,
        "ci-deployer",
        &arn("user/ci-deployer"),
        Grade::B,
    );
    declared.purpose = Some("deploys".into());
    declared.privilege.tier = 1;
    declared.locations = vec![Location::file("infra", "iam.tf", 4, 1)];
    let inventory = joined(
        &[account()],
        vec![Declarations {
            identities: vec![declared],
            ..Declarations::default()
        }],
        Vec::new(),
        "",
    )
    .inventory;
    let user = identity(&inventory, &arn("user/ci-deployer"));
    assert_eq!(user.grade, Grade::A);
    assert_eq!(user.privilege.tier, 5);
    assert_eq!(user.purpose.as_deref(), Some("deploys"));
    assert_eq!(user.locations.len(), 2);
}

#[test]
fn a_tool_server_may_do_what_the_secrets_it_is_given_open() {
    let mut agent = consumer("agent", 1, &[]);
    let mut server = Identity::named(
        "agent",
        IdentityKind::McpServer,
        "tickets",
        "site/.mcp.json#tickets",
        Grade::B,
    );
    server.consumers = vec![agent.id.clone()];
    server.notes = vec![Evidence::new(Grade::B, "is given environment PAY_KEY")];
    let mut other = Identity::named(
        "agent",
        IdentityKind::McpServer,
        "plain",
        "site/.mcp.json#plain",
        Grade::B,
    );
    other.consumers = vec![agent.id.clone()];
    agent.uses.identities = vec![server.id.clone(), other.id.clone()];
    let key = SecretReference {
        name: "PAY_KEY".into(),
        store: "environment".into(),
        kind: Some("stripe-secret-key".into()),
        provider: Some("stripe".into()),
        ..reference("", &agent)
    };
    let file = Declarations {
        identities: vec![server.clone(), other.clone()],
        consumers: vec![agent],
        references: vec![key],
        ..Declarations::default()
    };
    let all = joined(&[], vec![file], vec![], "").inventory;
    let given = &all.identities[&server.id].privilege;
    assert_eq!((given.tier, given.assumed), (4, true));
    assert!(
        given.evidence[0]
            .text
            .contains("stripe-secret-key PAY_KEY: tier 4"),
        "{given:?}"
    );
    assert_eq!(all.identities[&other.id].privilege.tier, 0);
}
