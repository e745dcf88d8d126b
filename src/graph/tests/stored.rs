//! Secrets that are stored somewhere, and the names under which they are.

use super::*;

#[test]
fn a_name_is_the_value_a_manifest_holds_under_it_or_may_be_the_one_of_the_same_name() {
    let pod = consumer("api", 5, &[]);
    let kept = SecretReference {
        name: "db/password".into(),
        store: "kubernetes-secret".into(),
        ..reference("", &pod)
    };
    let defined = SecretReference {
        store: "defined:kubernetes-secret".into(),
        consumer: None,
        location: Location::file("shop", "k8s/db.yaml", 9, 3),
        ..kept.clone()
    };
    let named = reference("PROD_AWS_ACCESS_KEY_ID", &pod);
    let mut value = seen("aws-access-key", Some(key_id(2)), "one", "prod.env", 1);
    value.sighting.context = Some("PROD_AWS_ACCESS_KEY_ID=AKIA********".into());
    let stored = seen("aws-access-key", Some(key_id(6)), "two", "k8s/db.yaml", 9);
    let file = Declarations {
        references: vec![kept, defined, named],
        consumers: vec![pod.clone()],
        ..Declarations::default()
    };
    let all = joined(&[account()], vec![file], vec![value, stored], "").inventory;
    let held = aws_key(&all, 6);
    assert_eq!(held.reference.as_deref(), Some("db/password"));
    assert_eq!(held.consumers.first(), Some(&pod.id));
    let mut names = all.credentials.values();
    let name = names
        .find(|one| one.reference.as_deref() == Some("PROD_AWS_ACCESS_KEY_ID"))
        .unwrap();
    assert_eq!(name.identity, aws_key(&all, 2).identity);
    let join = name.join.as_ref().unwrap();
    assert_eq!(join.grade, Grade::D);
    assert!(join.text.contains("shop/prod.env:1"), "{}", join.text);
    assert!(!all.credentials.values().any(|one| one.kind == "secret"));
}

#[test]
fn a_stored_secret_is_the_other_half_of_the_only_key_whose_id_stands_beside_it() {
    let job = consumer("deploy", 5, &[]);
    let secret = SecretReference {
        kind: Some("aws-access-key".into()),
        provider: Some("aws".into()),
        ..reference("DEPLOY_SECRET", &job)
    };
    let file = |references| Declarations {
        references,
        consumers: vec![job.clone()],
        ..Declarations::default()
    };
    let mut id = seen(
        "aws-access-key",
        Some(key_id(2)),
        "one",
        ".github/workflows/ci.yml",
        6,
    );
    id.fingerprint = None;
    let all = joined(
        &[account()],
        vec![file(vec![secret.clone()])],
        vec![id.clone()],
        "",
    )
    .inventory;
    let key = aws_key(&all, 2);
    assert_eq!(key.reference.as_deref(), Some("DEPLOY_SECRET"));
    assert_eq!(key.consumers.as_slice(), std::slice::from_ref(&job.id));
    assert_eq!(key.storage, Storage::CiStore, "where its secret is kept");
    let halves = all
        .credentials
        .values()
        .filter(|one| one.reference.is_some());
    assert_eq!(halves.count(), 1);
    assert_eq!(
        all.consumers[&job.id].uses.credentials.first(),
        Some(&key.id)
    );

    // Two ids, or two secrets: nothing tells which belongs to which.
    let mut another = seen(
        "aws-access-key",
        Some(key_id(6)),
        "two",
        ".github/workflows/ci.yml",
        7,
    );
    another.fingerprint = None;
    let two = joined(
        &[account()],
        vec![file(vec![secret.clone()])],
        vec![id.clone(), another],
        "",
    );
    assert_eq!(aws_key(&two.inventory, 2).reference, None);
    let other = SecretReference {
        name: "OTHER_SECRET".into(),
        ..secret.clone()
    };
    let two = joined(&[account()], vec![file(vec![secret, other])], vec![id], "");
    assert_eq!(aws_key(&two.inventory, 2).reference, None);
}

#[test]
fn a_stored_token_is_that_of_the_account_its_secret_names_and_what_people_revoked_is_over() {
    let stored = SecretReference {
        name: "prod/ci-token (token of ci)".into(),
        store: "kubernetes-secret".into(),
        kind: Some("kubernetes-service-account-token".into()),
        provider: Some("kubernetes".into()),
        consumer: None,
        ..reference("", &consumer("none", 1, &[]))
    };
    let file = Declarations {
        references: vec![stored],
        ..Declarations::default()
    };
    let config = "[[identity]]\nmatch = \"prod/ci-token*\"\nrevoked = 2020-01-01\n";
    for (config, status) in [
        ("", CredentialStatus::Unknown),
        (config, CredentialStatus::Inactive),
    ] {
        let all = joined(&[], vec![file.clone()], vec![], config).inventory;
        let token = all.credentials.values().next().unwrap();
        let whose = all.identity_of(token).unwrap();
        assert_eq!(whose.native_id, "system:serviceaccount:prod:ci");
        assert_eq!(token.status, status);
    }
}

#[test]
fn an_id_of_jenkins_is_what_its_configuration_declares_in_any_repository() {
    let job = consumer("pipeline", 5, &[]);
    let named = |name: &str| SecretReference {
        name: name.into(),
        store: "jenkins".into(),
        ..reference("", &job)
    };
    let defined = |name: &str, line: u32| SecretReference {
        name: name.into(),
        store: "defined:jenkins".into(),
        consumer: None,
        repository: "controller".into(),
        location: Location::file("controller", "jenkins.yaml", line, 3),
        ..named("")
    };
    let mut value = seen("aws-access-key", Some(key_id(6)), "two", "jenkins.yaml", 9);
    value.sighting.repository = "controller".into();
    let file = Declarations {
        references: vec![
            named("deployer"),
            named("registry"),
            named("nowhere"),
            defined("deployer/aws", 7),
            defined("deployer/secretKey", 9),
            defined("registry/usernamePassword", 12),
        ],
        consumers: vec![job.clone()],
        ..Declarations::default()
    };
    let all = joined(&[account()], vec![file], vec![value], "").inventory;
    let held = aws_key(&all, 6);
    assert_eq!(held.reference.as_deref(), Some("deployer"));
    assert_eq!(held.consumers.first(), Some(&job.id));
    let join = |name: &str| {
        let mut named = all.credentials.values();
        let one = named
            .find(|one| one.reference.as_deref() == Some(name))
            .unwrap();
        one.join.as_ref().map(|join| join.text.clone())
    };
    assert_eq!(
        join("registry").as_deref(),
        Some(
            "controller/jenkins.yaml:12 declares it as usernamePassword; its value is given from outside"
        )
    );
    assert_eq!(join("nowhere"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_the_input_does_not_matter(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let mut second = account();
        second.account_id = "444455556666".into();
        for user in &mut second.users {
            user.arn = user.arn.replace(ACCOUNT, "444455556666");
        }
        for role in &mut second.roles {
            role.arn = role.arn.replace(ACCOUNT, "444455556666");
        }
        let accounts = [account(), second];
        let ci = consumer("deploy", 5, &[&arn("role/export")]);
        let other = consumer("test", 20, &[&arn("role/nowhere")]);
        let mut kubernetes = Identity::named("kubernetes", IdentityKind::KubernetesServiceAccount, "api", "system:serviceaccount:prod:api", Grade::C);
        kubernetes.locations = vec![Location::file("shop", "k8s/a.yaml", 3, 1)];
        let mut again = kubernetes.clone();
        again.locations = vec![Location::file("shop", "k8s/b.yaml", 9, 1)];
        again.purpose = Some("serves".into());
        let files = [
            Declarations { references: vec![reference("AWS_ACCESS_KEY_ID", &ci)], consumers: vec![ci.clone()], ..Declarations::default() },
            Declarations { references: vec![reference("AWS_ACCESS_KEY_ID", &other)], consumers: vec![other.clone()], ..Declarations::default() },
            Declarations { identities: vec![kubernetes], ..Declarations::default() },
            Declarations { identities: vec![again], ..Declarations::default() },
            Declarations { consumers: vec![ci], ..Declarations::default() },
            Declarations::default(),
        ];
        let sightings = [
            seen("aws-access-key", Some(key_id(2)), "one", "a.env", 3),
            seen("aws-access-key", Some(key_id(2)), "two", "b.env", 9),
            seen("aws-access-key", Some(key_id(6)), "one", "a.env", 4),
            seen("gcp-service-account-key", None, "pem", "sa.json", 2),
            seen("gcp-service-account-key", None, "pem", "old/sa.json", 2),
            seen("aws-access-key", Some(key_id(2)), "one", ".github/workflows/ci.yml", 21),
        ];
        let straight = joined(&accounts, files.to_vec(), sightings.to_vec(), "");
        let swapped = if order[0] % 2 == 0 { [accounts[1].clone(), accounts[0].clone()] } else { accounts.clone() };
        let shuffled = joined(
            &swapped,
            order.iter().map(|&at| files[at].clone()).collect(),
            order.iter().map(|&at| sightings[at].clone()).collect(),
            "",
        );
        prop_assert_eq!(straight.inventory, shuffled.inventory);
        prop_assert_eq!(straight.coverage, shuffled.coverage);
    }
}

#[test]
fn a_secret_and_what_fills_it_are_one_credential() {
    let mut account = Identity::named(
        "kubernetes",
        IdentityKind::KubernetesServiceAccount,
        "web",
        "system:serviceaccount:prod:web",
        Grade::B,
    );
    account.locations = vec![Location::file("site", "k8s.yaml", 1, 1)];
    let mut web = consumer("web", 1, &[]);
    web.identity = Some(account.id.clone());
    let named =
        |name: &str, store: &str, by: Option<&Consumer>, kind: Option<&str>| SecretReference {
            name: name.into(),
            store: store.into(),
            kind: kind.map(Into::into),
            provider: kind.map(|_| "somebody".into()),
            consumer: by.map(|by| by.id.clone()),
            ..reference("", &web)
        };
    let fills = |secret: &str, key: Option<&str>, source: &str, namespace: &str| FilledSecret {
        repository: named("", "", None, None).repository,
        store: "kubernetes-secret".into(),
        secret: secret.into(),
        namespace: Some(namespace.into()),
        key: key.map(Into::into),
        source: ("external-secrets:vault".into(), source.into()),
        by_entry: false,
        endless: false,
    };
    let file = Declarations {
        identities: vec![account.clone()],
        consumers: vec![web.clone()],
        references: vec![
            named("prod/stripe", "external-secrets:vault", None, None),
            named("prod/app", "external-secrets:vault", None, None),
            named(
                "psp/key",
                "kubernetes-secret",
                Some(&web),
                Some("stripe-secret-key"),
            ),
            named(
                "app/DB",
                "kubernetes-secret",
                Some(&web),
                Some("database-password"),
            ),
            named("elsewhere/key", "kubernetes-secret", Some(&web), None),
            named(
                "prod/t (token of web)",
                "kubernetes-secret",
                None,
                Some("kubernetes-service-account-token"),
            ),
            named("t/token", "kubernetes-secret", Some(&web), None),
        ],
        filled: vec![
            fills("psp", Some("key"), "prod/stripe", "prod"),
            FilledSecret {
                by_entry: true,
                ..fills("app", None, "prod/app", "prod")
            },
            fills("elsewhere", Some("key"), "staging/key", "staging"),
            FilledSecret {
                source: ("kubernetes-secret".into(), "prod/t (token of web)".into()),
                endless: true,
                ..fills("t", None, "", "prod")
            },
        ],
        ..Declarations::default()
    };
    let all = joined(&[], vec![file], vec![], "").inventory;
    let mut shown: Vec<String> = all
        .credentials
        .values()
        .map(|one| {
            format!(
                "{} {} used by {} never ends: {}",
                one.reference.as_deref().unwrap_or_default(),
                one.kind,
                one.consumers.len(),
                one.expires_by_nature == Some(false)
            )
        })
        .collect();
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    elsewhere/key secret used by 1 never ends: false
    prod/app/DB database-password used by 1 never ends: false
    prod/stripe stripe-secret-key used by 1 never ends: false
    prod/t (token of web) kubernetes-service-account-token used by 1 never ends: true
    "#);
}
