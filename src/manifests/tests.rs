use super::*;
use proptest::prelude::*;

const PATHS: [&str; 23] = [
    "main.tf",
    "main.tf.json",
    "x.tfstate",
    "compose.yml",
    "Dockerfile",
    "a.service",
    "crontab",
    "serverless.yml",
    "Pulumi.yaml",
    ".github/workflows/a.yml",
    "action.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    ".buildkite/pipeline.yml",
    "bitbucket-pipelines.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".mcp.json",
    ".codex/config.toml",
    ".continue/config.yaml",
    "k8s/a.yaml",
    "k8s/a.json",
    "chart/templates/a.yaml",
];

#[test]
fn files_are_wanted_by_name() {
    for uri in PATHS {
        assert!(surface(uri).is_some(), "{uri}");
    }
    assert!(surface("chart/templates/_helpers.tpl").is_some());
    for uri in ["src/main.rs", "README.doc", "a.jsonc", "yaml"] {
        assert!(surface(uri).is_none(), "{uri}");
    }
}

#[test]
fn folders_are_below_one_another_by_whole_names() {
    assert!(is_below(".github/agents", ".github/agents"));
    assert!(is_below("a/.github/agents/b", ".github/agents"));
    assert!(is_below("xtemplates/templates", "templates"));
    for folder in ["", "a.github/agents", ".github/agents2", ".github/a/agents"] {
        assert!(!is_below(folder, ".github/agents"), "{folder}");
    }
}

#[test]
fn content_tells_what_a_file_is_where_its_place_does_not() {
    let key = FingerprintKey::new([7; 32]);
    let files = [
        (
            "examples/ci.yml",
            "name: CI\non: [push]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n",
        ),
        (
            "docs/servers-q.json",
            "{\n \"mcpServers\": {\n  \"git\": {\"command\": \"uvx\", \"args\": [\"mcp-server-git\"]}}}",
        ),
        (
            ".buildkite/docker-compose.yml",
            "services:\n  db:\n    image: postgres\n",
        ),
        (
            "Jenkinsfile",
            "// a plugin\nbuildPlugin(useContainerAgent: true)\n",
        ),
        ("vars/build.groovy", "def call() {\n}\nbuildPlugin()\n"),
        (
            "k8s/a.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ##NAME##\n",
        ),
    ];
    let mut shown = Vec::new();
    for (uri, text) in files {
        let Some(out) = read("shop", uri, text.as_bytes(), &key) else {
            shown.push(format!("{uri}: nothing"));
            continue;
        };
        for identity in &out.identities {
            shown.push(format!(
                "{} {} {}",
                identity.locations[0].display(),
                identity.kind.as_str(),
                identity.name
            ));
        }
        shown.extend(out.consumers.iter().map(|one| {
            format!(
                "{} runs {}",
                one.location.as_ref().unwrap().display(),
                one.name
            )
        }));
        shown.extend(
            out.notices
                .iter()
                .map(|notice| format!("{uri}: {}", notice.reason)),
        );
    }
    insta::assert_snapshot!(shown.join("\n"), @"
    shop/examples/ci.yml:4 ci-job examples/ci.yml/build
    shop/examples/ci.yml:4 runs examples/ci.yml/build
    shop/docs/servers-q.json:1 agent MCP client
    shop/docs/servers-q.json:3 mcp-server git
    shop/docs/servers-q.json:1 runs MCP client (docs/servers-q.json)
    shop/.buildkite/docker-compose.yml:2 workload db
    shop/.buildkite/docker-compose.yml:2 runs db
    shop/Jenkinsfile:2 ci-job Jenkinsfile/buildPlugin
    shop/Jenkinsfile:2 runs Jenkinsfile/buildPlugin
    vars/build.groovy: nothing
    k8s/a.yaml: a resource without a name: left out (line 2)
    ");
}

#[test]
fn a_mark_says_how_a_text_is_written() {
    let key = FingerprintKey::new([7; 32]);
    let text = "# é\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: wide}\n";
    for (mark, bytes) in [
        (
            [0xFF, 0xFE],
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>(),
        ),
        (
            [0xFE, 0xFF],
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
    ] {
        let bytes = [&mark[..], &bytes].concat();
        let out = read("shop", "k8s/a.yaml", &bytes, &key).unwrap();
        assert_eq!(out.identities[0].name, "wide");
        assert_eq!(out.identities[0].locations[0].line, Some(3));
    }
}

#[test]
fn what_is_too_large_is_told() {
    let key = FingerprintKey::new([7; 32]);
    let mut large = b"apiVersion: v1\nkind: Pod\n".to_vec();
    large.resize(MAX_BYTES + 1, b'#');
    let out = read("shop", "a.yaml", &large, &key).unwrap();
    assert_eq!(out.notices[0].status, CoverageStatus::Skipped);

    let steps = "      - run: make\n".repeat(1_001);
    let jobs: Vec<String> = (0..1_001)
        .map(|at| {
            format!(
                "  j{at}:\n    steps:\n{}",
                if at == 0 { &steps } else { "" }
            )
        })
        .collect();
    let servers: Vec<String> = (0..501)
        .map(|at| format!(r#""s{at}":{{"command":"x"}}"#))
        .collect();
    let rules = "- {verbs: [get]}\n".repeat(501);
    let files = [
        (
            ".github/workflows/a.yml",
            format!("on: push\njobs:\n{}", jobs.concat()),
        ),
        (
            ".mcp.json",
            format!(r#"{{"mcpServers":{{{}}}}}"#, servers.join(",")),
        ),
        (
            "role.yaml",
            format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: a}}\nrules:\n{rules}"
            ),
        ),
    ];
    let told: Vec<String> = files
        .iter()
        .flat_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key).unwrap().notices)
        .map(|notice| notice.reason)
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    more than 1000 jobs; those behind were left out
    more than 1000 steps; those behind were left out
    more than 500 tool servers; those behind were left out
    more than 500 rules in one role; those behind were left out
    ");
}

/// Pieces of manifests in any order: more likely to reach the readers than random bytes.
fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "apiVersion: v1\n", "kind: ServiceAccount\n", "kind: Deployment\n", "kind: RoleBinding\n",
            "kind: List\n", "items:\n", "- ", "  ", "metadata: {name: x}\n", "spec:\n", "  template:\n",
            "    spec: {containers: [{env: [{name: A, valueFrom: {secretKeyRef: {name: b, key: c}}}]}]}\n",
            "subjects: [{kind: ServiceAccount, name: a}]\n", "roleRef: {name: cluster-admin}\n", "---\n",
            "on: [push]\n", "jobs:\n", "  a:\n", "    steps:\n", "      - uses: a/b@c\n", "        with: {a: 1}\n",
            "    permissions: write-all\n", "    env: {A: \"${{ secrets.B }}\"}\n", "deploy: {script: [$TOKEN]}\n",
            "extends: [deploy]\n", "{\"mcpServers\": {\"a\": {\"env\": {\"TOKEN\": \"${X}\"}, \"args\": [\"--token\", \"é\"]}}}",
            "[mcp_servers.a]\n", "command = 'x'\n", "{", "}", "[", "]", "\"", "é", "&a ", "*a ", "<<: *a\n", "\u{0}",
        ]),
        0..30,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_are_survived(bytes in any::<Vec<u8>>(), text in pieces()) {
        let key = FingerprintKey::new([7; 32]);
        for uri in PATHS {
            let mut files: Vec<Declarations> = [bytes.as_slice(), text.as_bytes()]
                .iter()
                .filter_map(|bytes| read("shop", uri, bytes, &key))
                .collect();
            assemble(&mut files, &key);
            link(&mut files);
            for location in files
                .iter()
                .flat_map(|file| &file.identities)
                .flat_map(|identity| &identity.locations)
            {
                prop_assert!(location.line >= Some(1) && location.column >= Some(1));
            }
        }
    }

    #[test]
    fn any_path_is_survived(uri in any::<String>()) {
        let key = FingerprintKey::new([7; 32]);
        prop_assert_eq!(read("shop", &uri, b"", &key).map(|read| read.identities), None);
    }
}
