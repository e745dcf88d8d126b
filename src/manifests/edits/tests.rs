use super::{decoded, withhold};
use crate::manifests::read;
use crate::model::{FingerprintKey, PipelineEdit};
use proptest::prelude::*;

fn edits(uri: &str, file: &str) -> Vec<PipelineEdit> {
    let key = FingerprintKey::new([7; 32]);
    read("shop", uri, file.as_bytes(), &key).map_or_else(Vec::new, |out| out.edits)
}

fn workflow(file: &str) -> Vec<PipelineEdit> {
    edits(".github/workflows/a.yml", file)
}

/// Lines that come and go.
fn changed(edit: &PipelineEdit) -> String {
    let patch = edit.patch.as_deref().unwrap_or("none");
    let lines: Vec<&str> = patch
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
        })
        .collect();
    lines.join("\n")
}

const HEAD: &str = "on: push\njobs:\n  job:\n    runs-on: x\n";

#[test]
fn other_clouds_and_registries_are_changed_by_their_inputs() {
    let file = format!(
        "{HEAD}    permissions:\n      contents: read # why\n    steps:\n      - uses: google-github-actions/auth@v2\n        with:\n          credentials_json: ${{{{ secrets.GCP_KEY }}}}\n          create_credentials_file: true\n      - uses: azure/login@v2\n        with:\n          creds: ${{{{ secrets.AZURE_CREDENTIALS }}}}\n      - uses: pypa/gh-action-pypi-publish@release/v1\n        with:\n          password: ${{{{ secrets.PYPI_API_TOKEN }}}}\n"
    );
    let all = workflow(&file);
    let of = |mechanism: &str| {
        let found = all.iter().find(|edit| edit.mechanism == mechanism);
        found.map_or_else(String::new, changed)
    };
    insta::assert_snapshot!(of("gcp-workload-federation"), @r"
    +      id-token: write
    +          workload_identity_provider: projects/⟦project_number⟧/locations/global/workloadIdentityPools/⟦pool⟧/providers/⟦pool_provider⟧
    +          service_account: ⟦service_account_email⟧
    -          credentials_json: ${{ secrets.GCP_KEY }}
    ");
    insta::assert_snapshot!(of("azure-federated-credential"), @r"
    +      id-token: write
    +          client-id: ⟦client_id⟧
    +          tenant-id: ⟦tenant_id⟧
    +          subscription-id: ⟦subscription_id⟧
    -          creds: ${{ secrets.AZURE_CREDENTIALS }}
    ");
    insta::assert_snapshot!(of("registry-trusted-publishing"), @r"
    +      id-token: write
    -        with:
    -          password: ${{ secrets.PYPI_API_TOKEN }}
    ");
}

#[test]
fn variables_of_the_workflow_go_with_all_jobs_at_once() {
    let file = "on: push\npermissions:\n  contents: read\n  packages: write\nenv:\n  AWS_ACCESS_KEY_ID: ${{ secrets.A }}\n  AWS_SECRET_ACCESS_KEY: ${{ secrets.B }}\njobs:\n  one:\n    steps:\n      - run: aws s3 ls\n  two:\n    steps:\n      - run: |\n          aws configure set aws_access_key_id ${{ secrets.A }}\n      - run: aws s3 ls\n";
    let all = workflow(file);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].patch, all[1].patch);
    insta::assert_snapshot!(changed(&all[0]), @r"
    -env:
    -  AWS_ACCESS_KEY_ID: ${{ secrets.A }}
    -  AWS_SECRET_ACCESS_KEY: ${{ secrets.B }}
    +    permissions:
    +      contents: read
    +      packages: write
    +      id-token: write
    +      - uses: aws-actions/configure-aws-credentials@v4
    +        with:
    +          aws-region: ⟦region⟧
    +          role-to-assume: ⟦role_arn⟧
    +          role-duration-seconds: ⟦ttl_seconds⟧
    +          role-session-name: ⟦session_name⟧-${{ github.run_id }}
    +    permissions:
    +      contents: read
    +      packages: write
    +      id-token: write
    +      - uses: aws-actions/configure-aws-credentials@v4
    +        with:
    +          aws-region: ⟦region⟧
    +          role-to-assume: ⟦role_arn⟧
    +          role-duration-seconds: ⟦ttl_seconds⟧
    +          role-session-name: ⟦session_name⟧-${{ github.run_id }}
    -      - run: |
    -          aws configure set aws_access_key_id ${{ secrets.A }}
    ");
}

#[test]
fn what_is_not_written_line_by_line_is_left_to_people() {
    let reasons = |file: &str| -> Vec<String> {
        workflow(file)
            .into_iter()
            .map(|edit| {
                assert_eq!(edit.patch, None);
                edit.notes.join("; ")
            })
            .collect()
    };
    let flow = format!(
        "{HEAD}    env: {{AWS_ACCESS_KEY_ID: '${{{{ secrets.A }}}}'}}\n    steps:\n      - run: x\n"
    );
    assert!(reasons(&flow)[0].contains("lines of their own"));
    let called = "on: push\njobs:\n  job:\n    uses: ./.github/workflows/b.yml\n    secrets:\n      AWS_ACCESS_KEY_ID: ${{ secrets.A }}\n";
    assert!(reasons(called)[0].contains("reusable workflow"));
    let word = ["hunter", "2hunter2"].concat();
    let clear = format!(
        "{HEAD}    steps:\n      - run: x\n        env:\n          AWS_SECRET_ACCESS_KEY: {word}{word}\n"
    );
    let all = workflow(&clear);
    assert!(all.iter().all(|edit| {
        edit.patch
            .as_deref()
            .is_none_or(|patch| !patch.contains(&word))
    }));
}

#[test]
fn line_ends_stay_and_known_secrets_are_withheld() {
    let file = format!(
        "{HEAD}    steps:\n      - run: x\n        env:\n          AWS_ACCESS_KEY_ID: ${{{{ secrets.A }}}}\n          B: c\n"
    )
    .replace('\n', "\r\n");
    let mut all = workflow(&file);
    let patch = all[0].patch.clone().unwrap();
    assert!(patch.lines().skip(4).all(|line| !line.is_empty()));
    assert!(patch.contains("+      id-token: write\r\n"));
    let (from, to) = (all[0].from, all[0].to);
    withhold(&mut all, &[(to + 1, false)]);
    assert!(all[0].patch.is_some());
    withhold(&mut all, &[(from, false)]);
    assert_eq!(all[0].patch, None);
}

#[test]
fn a_gitlab_job_that_asks_for_a_token_gets_another() {
    let file = "deploy:\n  id_tokens:\n    VAULT_TOKEN_ID:\n      aud: vault\n  script: |\n    aws s3 ls --key $AWS_ACCESS_KEY_ID --secret $AWS_SECRET_ACCESS_KEY\n";
    let all = edits(".gitlab-ci.yml", file);
    insta::assert_snapshot!(changed(&all[0]), @r#"
    +    OVERSTAY_ID_TOKEN:
    +      aud: ⟦audience⟧
    +    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    +    export AWS_ROLE_ARN=⟦role_arn⟧ AWS_ROLE_SESSION_NAME="⟦session_name⟧-$CI_JOB_ID" AWS_WEB_IDENTITY_TOKEN_FILE="$(mktemp)"
    +    printf '%s' "$OVERSTAY_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"
    "#);
    assert_eq!(decoded(".gitlab-ci.yml"), ".gitlab-ci.yml");
}

#[test]
fn commands_that_set_the_key_again_go_and_those_that_ask_for_one_stay() {
    let file = "pipelines:\n  branches:\n    main:\n      - step:\n          script:\n            - export AWS_ACCESS_KEY_ID=$DEPLOY_ID\n            - export AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY\n            - export AWS_SESSION_TOKEN=$(./assume.sh)\n            - aws s3 ls\n";
    let all = edits("bitbucket-pipelines.yml", file);
    let gone: Vec<String> = changed(&all[0])
        .lines()
        .filter(|line| line.starts_with('-'))
        .map(|line| line[1..].trim().to_owned())
        .collect();
    assert_eq!(
        gone,
        [
            "- export AWS_ACCESS_KEY_ID=$DEPLOY_ID",
            "- export AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY"
        ]
    );
    assert!(all[0].notes.iter().any(|note| note.contains("line 8")));
}

proptest! {
    #[test]
    fn any_workflow_is_survived(lines in prop::collection::vec("[ ]{0,8}(- )?(env|with|steps|run|uses|permissions|jobs|AWS_ACCESS_KEY_ID|x)?(: )?[a-z{}\\[\\]|>#'\"$]{0,9}", 0..25)) {
        workflow(&lines.join("\n"));
        edits(".gitlab-ci.yml", &lines.join("\n"));
        edits("bitbucket-pipelines.yml", &lines.join("\n"));
    }
}

#[test]
fn jobs_of_agents_name_a_profile_in_place_of_the_key() {
    let jenkins = "pipeline {\n  agent any\n  environment {\n    AWS_REGION = 'eu-west-1'\n    AWS_ACCESS_KEY_ID = credentials('deploy-id')\n    AWS_SECRET_ACCESS_KEY = credentials('deploy-secret')\n  }\n  stages {\n    stage('Deploy') {\n      steps { sh './deploy.sh' }\n    }\n  }\n}\n";
    let all = edits("Jenkinsfile", jenkins);
    insta::assert_snapshot!(changed(&all[0]), @r"
    +    AWS_PROFILE = '⟦session_name⟧'
    -    AWS_ACCESS_KEY_ID = credentials('deploy-id')
    -    AWS_SECRET_ACCESS_KEY = credentials('deploy-secret')
    ");
    assert_eq!(all[0].mechanism, "aws-roles-anywhere");
    assert!(all[0].notes[0].contains("credential_process"));

    let azure = "trigger: [main]\njobs:\n  - job: build\n    steps:\n      - script: make\n        env:\n          AWS_ACCESS_KEY_ID: $(BUILD_ID)\n          AWS_SECRET_ACCESS_KEY: $(BUILD_SECRET)\n          LEVEL: info\n  - job: deploy\n    steps:\n      - script: ./deploy.sh\n        env:\n          AWS_ACCESS_KEY_ID: $(DEPLOY_ID)\n          AWS_SECRET_ACCESS_KEY: $(DEPLOY_SECRET)\n";
    let all = edits("azure-pipelines.yml", azure);
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].patch, all[1].patch, "each job gives up its own");
    insta::assert_snapshot!(changed(&all[0]), @r"
    +          AWS_PROFILE: ⟦session_name⟧
    -          AWS_ACCESS_KEY_ID: $(BUILD_ID)
    -          AWS_SECRET_ACCESS_KEY: $(BUILD_SECRET)
    ");
    assert!(
        edits(
            "azure-pipelines.yml",
            "jobs:\n  - job: a\n    steps: [{script: make}]\n"
        )
        .is_empty()
    );
}

#[test]
fn steps_that_bind_the_key_name_a_profile() {
    let around = |step: &str| {
        format!(
            "pipeline {{\n  agent any\n  stages {{\n    stage('Deploy') {{\n      steps {{\n        {step} {{\n          sh './deploy.sh'\n        }}\n      }}\n    }}\n  }}\n}}\n"
        )
    };
    for step in [
        "withCredentials([[$class: 'AmazonWebServicesCredentialsBinding', credentialsId: 'deploy']])",
        "withCredentials([aws(credentialsId: 'deploy', accessKeyVariable: 'A', secretKeyVariable: 'B')])",
        "withCredentials([usernamePassword(credentialsId: 'deploy', usernameVariable: 'AWS_ACCESS_KEY_ID', passwordVariable: 'AWS_SECRET_ACCESS_KEY')])",
        "withCredentials([\n          string(credentialsId: 'id', variable: 'AWS_ACCESS_KEY_ID'),\n          string(credentialsId: 'key', variable: 'AWS_SECRET_ACCESS_KEY'),\n        ])",
    ] {
        let all = edits("Jenkinsfile", &around(step));
        assert_eq!(all.len(), 1, "{step}");
        let lines = changed(&all[0]);
        assert!(
            lines.starts_with("+        withEnv(['AWS_PROFILE=⟦session_name⟧']) {\n-"),
            "{step}: {lines} {:?}",
            all[0].notes
        );
        assert_eq!(
            lines.matches("\n-").count(),
            step.lines().count(),
            "{lines}"
        );
    }
    // What binds something else beside it cannot be changed by lines, and what binds only that is left alone.
    let mixed = "withCredentials([aws(credentialsId: 'deploy'), string(credentialsId: 'npm', variable: 'NPM_TOKEN')])";
    let all = edits("Jenkinsfile", &around(mixed));
    assert_eq!(all[0].patch, None);
    assert!(all[0].notes[0].contains("by hand"), "{:?}", all[0].notes);
    let other = "withCredentials([string(credentialsId: 'npm', variable: 'NPM_TOKEN')])";
    assert!(edits("Jenkinsfile", &around(other)).is_empty());
}
