//! Jobs that take the token which the platform makes for them, in place of a stored one.

use super::super::context::Context;
use super::super::node::Node;
use super::{MAX_JOBS, Wanted, block_end, finish, indent};
use crate::model::{Consumer, Declarations};
use crate::rules::edits::OwnTokenEdit;

/// Adds what can be changed in a pipeline of this system to what it declares.
pub(in super::super) fn own_tokens(
    context: &Context<'_>,
    root: &Node,
    system: &str,
    out: &mut Declarations,
) {
    for rule in &context.tables.edits.own_token {
        if rule.system != system {
            continue;
        }
        let wanted = out
            .consumers
            .iter()
            .take(MAX_JOBS)
            .filter_map(|consumer| job(context, root, rule, consumer, out))
            .collect();
        out.edits.extend(finish(context, &rule.mechanism, wanted));
    }
}

fn job<'t>(
    context: &Context<'t>,
    root: &Node,
    rule: &OwnTokenEdit,
    consumer: &Consumer,
    out: &Declarations,
) -> Option<Wanted<'t>> {
    let names: Vec<&str> = out
        .references
        .iter()
        .filter(|one| one.consumer.as_ref() == Some(&consumer.id))
        .filter(|one| one.provider.as_deref() == Some(rule.provider.as_str()))
        .map(|one| one.name.as_str())
        .collect();
    let place = consumer.location.as_ref()?;
    // A job that another file adds to has its lines in more places than this one.
    if names.is_empty() || place.uri != context.uri {
        return None;
    }
    let from = place.line? as usize;
    let mut wanted = Wanted::new(context, consumer.id.clone());
    let to = block_end(&wanted.change, from);
    let mut lines = Vec::new();
    for number in from..=to {
        let line = wanted.change.line(number);
        let mut new = line.to_owned();
        for name in &names {
            for (before, after) in &rule.swap {
                let before = before.replace("NAME", name);
                if let Some(swapped) = swap(&new, &before, after) {
                    new = swapped;
                    wanted.secrets.insert((*name).to_owned());
                }
            }
        }
        if new != line {
            for (before, after) in &rule.beside {
                new = new.replace(before.as_str(), after);
            }
            lines.push((number, user(&new, rule)));
        }
    }
    if lines.is_empty() {
        return None;
    }
    // A name that goes with the token stands on a line of its own.
    for number in from..=to {
        let line = wanted.change.line(number);
        let key = line.trim_start().split(':').next().unwrap_or_default();
        let pair = rule.users.iter().find(|(user, _)| user == key);
        if let Some((_, token)) = pair
            && lines
                .iter()
                .any(|(_, text)| text.trim_start().starts_with(token.as_str()))
        {
            lines.push((number, format!("{}{key}: {}", indent(line), rule.user)));
        }
    }
    permissions(context, root, rule, (from, to), &mut wanted);
    for (number, text) in lines {
        wanted.change.remove(number);
        wanted.change.insert(number, [text]);
    }
    for note in &rule.notes {
        wanted.note(note.clone());
    }
    Some(wanted)
}

/// A line with every whole `before` in it changed; `None` where there is none.
pub(super) fn swap(line: &str, before: &str, after: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = line;
    let mut any = false;
    while let Some(at) = rest.find(before) {
        let behind = rest.get(at + before.len()..).unwrap_or_default();
        out.push_str(rest.get(..at).unwrap_or_default());
        let whole = !(before.ends_with(word) && behind.starts_with(word));
        out.push_str(if whole { after } else { before });
        any |= whole;
        rest = behind;
    }
    out.push_str(rest);
    any.then_some(out)
}

/// A command that signs in names the user that goes with the token.
fn user(line: &str, rule: &OwnTokenEdit) -> String {
    if rule.user.is_empty() || !line.contains("login") {
        return line.to_owned();
    }
    for flag in [" -u ", " --username ", " --username="] {
        if let Some((before, after)) = line.split_once(flag) {
            let end = after.find(' ').unwrap_or(after.len());
            let rest = after.get(end..).unwrap_or_default();
            return format!("{before}{flag}{}{rest}", rule.user);
        }
    }
    line.to_owned()
}

/// What the job's token has to be allowed, where the job's texts tell it.
fn permissions(
    context: &Context<'_>,
    root: &Node,
    rule: &OwnTokenEdit,
    (from, to): (usize, usize),
    wanted: &mut Wanted<'_>,
) {
    if rule.scopes.is_empty() {
        return;
    }
    let told: Vec<&str> = rule
        .scopes
        .iter()
        .filter(|(word, _)| (from..=to).any(|number| wanted.change.line(number).contains(word)))
        .map(|(_, scope)| scope.as_str())
        .collect();
    let list = told.join(", ");
    let written = (from..=to)
        .map(|number| wanted.change.line(number).trim())
        .any(|line| line.starts_with("permissions:"))
        || root.get("permissions").is_some();
    let steps = (from..=to).find(|number| wanted.change.line(*number).trim() == "steps:");
    match steps {
        _ if told.is_empty() => wanted.note(
            "list the permissions that the job's calls need, and no others: nothing in the file tells them",
        ),
        Some(steps) if !written => {
            let space = indent(wanted.change.line(steps)).to_owned();
            let mut lines = vec![format!("{space}permissions:")];
            lines.extend(["contents: read"].into_iter().chain(told).map(|scope| format!("{space}  {scope}")));
            lines.dedup();
            wanted.change.insert(steps, lines);
            wanted.note("the job had the repository's default permissions: add what it needs besides these");
        }
        _ => wanted.note(format!("the permissions that {} lists have to have {list}", context.uri)),
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::testing::declared;

    fn patch(path: &str, text: &str, mechanism: &str) -> String {
        let out = declared(path, text);
        let one = out.edits.iter().find(|edit| edit.mechanism == mechanism);
        one.map_or_else(String::new, |edit| {
            let lines = edit.patch.as_deref().unwrap_or("none").lines();
            let lines: Vec<&str> = lines
                .filter(|line| {
                    line.starts_with(['+', '-'])
                        && !line.starts_with("+++")
                        && !line.starts_with("---")
                })
                .collect();
            format!("{}\n{}", lines.join("\n"), edit.notes.join("\n"))
        })
    }

    #[test]
    fn a_job_of_github_takes_its_own_token() {
        let login = "on: push\njobs:\n  image:\n    runs-on: x\n    steps:\n      - uses: docker/login-action@v3\n        with:\n          registry: ghcr.io\n          password: ${{ secrets.GHCR_PAT }}\n";
        insta::assert_snapshot!(patch(".github/workflows/a.yml", login, "github-job-token"), @r"
        +    permissions:
        +      contents: read
        +      packages: write
        +          password: ${{ secrets.GITHUB_TOKEN }}
        -          password: ${{ secrets.GHCR_PAT }}
        the job had the repository's default permissions: add what it needs besides these
        ");
        let call = "on: push\njobs:\n  bump:\n    runs-on: x\n    steps:\n      - run: gh api x\n        env:\n          GH_TOKEN: ${{ secrets.BOT_PAT }}\n          OTHER: ${{ secrets.BOT_PAT_2 }}\n";
        insta::assert_snapshot!(patch(".github/workflows/a.yml", call, "github-job-token"), @r"
        +          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}
        -          GH_TOKEN: ${{ secrets.BOT_PAT }}
        list the permissions that the job's calls need, and no others: nothing in the file tells them
        ");
    }

    #[test]
    fn a_job_of_gitlab_takes_its_own_token() {
        let push = "a:\n  script:\n    - docker login -u deploy -p $REG_TOKEN registry.gitlab.com\n    - docker push registry.gitlab.com/x/y\n";
        insta::assert_snapshot!(patch(".gitlab-ci.yml", push, "gitlab-job-token"), @r"
        +    - docker login -u gitlab-ci-token -p $CI_JOB_TOKEN registry.gitlab.com
        -    - docker login -u deploy -p $REG_TOKEN registry.gitlab.com
        the job's token opens its own project; another one has to list this project in its job token settings
        ");
        let twine = "a:\n  variables:\n    TWINE_USERNAME: bot\n    TWINE_PASSWORD: $UP_TOKEN\n  script:\n    - twine upload --repository-url ${CI_API_V4_URL}/projects/1/packages/pypi dist/*\n";
        insta::assert_snapshot!(patch(".gitlab-ci.yml", twine, "gitlab-job-token"), @r"
        +    TWINE_USERNAME: gitlab-ci-token
        -    TWINE_USERNAME: bot
        +    TWINE_PASSWORD: $CI_JOB_TOKEN
        -    TWINE_PASSWORD: $UP_TOKEN
        the job's token opens its own project; another one has to list this project in its job token settings
        ");
        let call = "a:\n  script:\n    - 'curl --header \"DEPLOY-TOKEN: $UP_TOKEN\" --upload-file x ${CI_API_V4_URL}/projects/1/packages/generic/x/1/x'\n";
        insta::assert_snapshot!(patch(".gitlab-ci.yml", call, "gitlab-job-token"), @r#"
        +    - 'curl --header "JOB-TOKEN: $CI_JOB_TOKEN" --upload-file x ${CI_API_V4_URL}/projects/1/packages/generic/x/1/x'
        -    - 'curl --header "DEPLOY-TOKEN: $UP_TOKEN" --upload-file x ${CI_API_V4_URL}/projects/1/packages/generic/x/1/x'
        the job's token opens its own project; another one has to list this project in its job token settings
        "#);
    }

    #[test]
    fn a_job_that_publishes_takes_the_token_of_a_step() {
        let crates = "on: push\njobs:\n  publish:\n    runs-on: x\n    permissions:\n      contents: read\n    steps:\n      - uses: actions/checkout@v4\n      - run: cargo publish\n        env:\n          CARGO_REGISTRY_TOKEN: ${{ secrets.CARGO_REGISTRY_TOKEN }}\n";
        insta::assert_snapshot!(patch(".github/workflows/a.yml", crates, "registry-trusted-publishing"), @r"
        +      id-token: write
        +      - uses: rust-lang/crates-io-auth-action@v1
        +        id: registry-token
        +          CARGO_REGISTRY_TOKEN: ${{ steps.registry-token.outputs.token }}
        -          CARGO_REGISTRY_TOKEN: ${{ secrets.CARGO_REGISTRY_TOKEN }}
        pin the action of the new step to a commit that you have read
        ");
        let nuget = "on: push\njobs:\n  publish:\n    runs-on: x\n    permissions: {contents: read}\n    steps:\n      - run: dotnet nuget push x.nupkg --api-key ${{ secrets.NUGET_API_KEY }} --source https://api.nuget.org/v3/index.json\n";
        let told = patch(
            ".github/workflows/a.yml",
            nuget,
            "registry-trusted-publishing",
        );
        assert!(
            told.contains("--api-key ${{ steps.registry-token.outputs.NUGET_API_KEY }}"),
            "{told}"
        );
        assert!(told.contains("uses: NuGet/login@v1"), "{told}");
        assert!(told.contains("NUGET_USER to the profile"), "{told}");
        // Above the steps nothing is known of what a step gives.
        let above = "on: push\njobs:\n  publish:\n    runs-on: x\n    env:\n      CARGO_REGISTRY_TOKEN: ${{ secrets.CARGO_REGISTRY_TOKEN }}\n    steps:\n      - run: cargo publish\n";
        let told = patch(
            ".github/workflows/a.yml",
            above,
            "registry-trusted-publishing",
        );
        assert!(
            told.starts_with("none") || told.contains("set above the steps"),
            "{told}"
        );
    }
}
