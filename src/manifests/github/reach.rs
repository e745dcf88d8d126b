//! What a job reaches with a secret, where that decides what can take the secret's place: another repository than its own,
//! and packages that it only installs.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::expressions::{Reference, references};
use crate::model::consumer::{ONLY_INSTALLS, REACHES_BEYOND};
use crate::model::{Evidence, Grade};
use std::collections::{BTreeMap, BTreeSet};

/// Most steps looked at.
const MAX_STEPS: usize = 1_000;
/// Most of a script looked at, in bytes.
const MAX_SCRIPT: usize = 65_536;
/// The repository itself, as scripts and expressions call it.
const OWN: [&str; 5] = [
    "github.repository",
    "$GITHUB_REPOSITORY",
    "${GITHUB_REPOSITORY}",
    "{owner}/{repo}",
    ":owner/:repo",
];
/// Words of a command that publishes packages.
const PUBLISHES: [&str; 11] = [
    "publish",
    "semantic-release",
    "release-it",
    "changeset",
    "lerna",
    "auto shipit",
    "np ",
    "dist-tag",
    "deprecate",
    "npm owner",
    "npm access",
];
/// Words of a command that installs packages.
const INSTALLS: [&str; 9] = [
    "npm ci",
    "npm i ",
    "npm install",
    "npm i\n",
    "yarn install",
    "yarn --",
    "pnpm i",
    "pnpm install",
    "bun install",
];
/// Words of a command that may do anything: a script or target of the repository.
const OPAQUE: [&str; 8] = [
    "./", "make", "npm run", "yarn run", "pnpm run", "bash ", "sh ", "node ",
];

/// What the steps of a job show, as evidence of its consumer.
pub(super) fn of(context: &Context<'_>, workflow_env: Option<&Node>, job: &Node) -> Vec<Evidence> {
    let Some(list) = job.get("steps") else {
        return Vec::new();
    };
    let everywhere: BTreeSet<String> = [workflow_env, job.get("env")]
        .into_iter()
        .flatten()
        .flat_map(secrets_in)
        .collect();
    let mut beyond: BTreeMap<String, String> = BTreeMap::new();
    let mut installing: BTreeSet<String> = BTreeSet::new();
    let mut publishes = false;
    let own = context
        .repository
        .rsplit('/')
        .next()
        .unwrap_or(context.repository);
    for step in list.items().iter().take(MAX_STEPS) {
        if let (Some(uses), Some(inputs)) = (step.text_at(&["uses"]), step.get("with")) {
            let held = secrets_in(inputs);
            if let Some(what) = by_input(uses, inputs, own) {
                for name in &held {
                    beyond.entry(name.clone()).or_insert_with(|| what.clone());
                }
            }
            publishes |= PUBLISHES.iter().any(|word| uses.contains(word.trim()));
            // An action that is handed a secret may do anything with it.
            publishes |= !held.is_empty() && !uses.starts_with("actions/");
        }
        let Some(script) = step.text_at(&["run"]) else {
            continue;
        };
        let end = script
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= MAX_SCRIPT)
            .last()
            .unwrap_or_default();
        let script = script.get(..end).unwrap_or_default();
        let mut held = everywhere.clone();
        held.extend(step.get("env").map(secrets_in).unwrap_or_default());
        held.extend(named(script));
        if let Some(what) = by_command(script, own) {
            for name in &held {
                beyond.entry(name.clone()).or_insert_with(|| what.clone());
            }
        }
        let any = |words: &[&str]| words.iter().any(|word| script.contains(word));
        publishes |= any(&PUBLISHES) || !held.is_empty() && any(&OPAQUE);
        if script.lines().any(|line| {
            let line = format!("{}\n", line.trim());
            INSTALLS.iter().any(|word| line.contains(word))
        }) {
            installing.extend(held);
        }
    }
    let mut out: Vec<Evidence> = beyond
        .into_iter()
        .map(|(name, what)| {
            Evidence::new(
                Grade::B,
                format!("{REACHES_BEYOND}{}: {what}", clean(&name)),
            )
        })
        .collect();
    if !installing.is_empty() && !publishes {
        let names: Vec<String> = installing.iter().map(|name| clean(name)).collect();
        out.push(Evidence::new(
            Grade::B,
            format!("{ONLY_INSTALLS}{}", names.join(", ")),
        ));
    }
    out
}

/// Names of secrets in every text below a node.
fn secrets_in(node: &Node) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    node.scalars("", &mut |_, scalar| {
        out.extend(scalar.as_str().map(named).unwrap_or_default());
    });
    out
}

fn named(text: &str) -> BTreeSet<String> {
    references(text, false)
        .into_iter()
        .filter_map(|(_, reference)| match reference {
            Reference::Named(name) if !name.eq_ignore_ascii_case("GITHUB_TOKEN") => {
                Some(name.to_owned())
            }
            _ => None,
        })
        .collect()
}

/// Another repository that the inputs of an action name.
fn by_input(uses: &str, inputs: &Node, own: &str) -> Option<String> {
    let action = clean(uses.split('@').next().unwrap_or(uses));
    let input = |wanted: &str| {
        inputs
            .entries()
            .find(|(key, _)| key.text.eq_ignore_ascii_case(wanted))
            .and_then(|(_, node)| node.as_str())
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    for name in [
        "repository",
        "repo",
        "external_repository",
        "destination_repo",
    ] {
        if let Some(text) = input(name).filter(|text| !is_own(text, own)) {
            let what = if text.contains("${{") {
                "a repository that an expression names".to_owned()
            } else {
                clean(text)
            };
            return Some(format!("{what} ({action})"));
        }
    }
    let submodules = input("submodules").is_some_and(|text| matches!(text, "true" | "recursive"));
    submodules.then(|| format!("its submodules ({action})"))
}

/// Another repository, or what stands above repositories, that a command names.
fn by_command(script: &str, own: &str) -> Option<String> {
    for line in script.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        if line.contains("gh repo create") || line.contains("gh repo list") {
            return Some("repositories of its owner (gh repo)".to_owned());
        }
        if ["gh api orgs/", "gh api /orgs/", "api.github.com/orgs/"]
            .iter()
            .any(|word| line.contains(word))
        {
            return Some("its organisation (API)".to_owned());
        }
        let after = |marker: &str| {
            line.match_indices(marker)
                .filter_map(|(at, _)| line.get(at + marker.len()..))
                .find_map(|rest| elsewhere(rest, own))
        };
        let of_gh = line.contains("gh ").then(|| {
            ["--repo ", "--repo=", "-R ", "gh repo clone ", "repos/"]
                .into_iter()
                .find_map(after)
        });
        let found = of_gh
            .flatten()
            .or_else(|| after("api.github.com/repos/"))
            .or_else(|| after("@github.com/"));
        if let Some(name) = found {
            return Some(format!("{name} (a command)"));
        }
    }
    None
}

/// `owner/name` at the start of a text, if it is not the repository itself.
fn elsewhere(text: &str, own: &str) -> Option<String> {
    let text = text.trim_start_matches(['"', '\'', '/']);
    if OWN.iter().any(|word| text.starts_with(word)) {
        return None;
    }
    if text.starts_with("${{") {
        let inner = text.split("}}").next().unwrap_or(text);
        return (!inner.contains("github.repository"))
            .then(|| "a repository that an expression names".to_owned());
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')))
        .unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!owner.is_empty() && !name.is_empty() && !name.eq_ignore_ascii_case(own))
        .then(|| format!("{}/{}", clean(owner), clean(name)))
}

fn is_own(text: &str, own: &str) -> bool {
    OWN.iter().any(|word| text.contains(word))
        || text
            .rsplit('/')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::FingerprintKey;
    use crate::model::consumer::{ONLY_INSTALLS, REACHES_BEYOND};

    fn told(steps: &str) -> Vec<String> {
        let file =
            format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}");
        let declared = read(
            "src/site",
            ".github/workflows/a.yml",
            file.as_bytes(),
            &FingerprintKey::new([7; 32]),
        )
        .unwrap();
        declared.consumers[0]
            .evidence
            .iter()
            .map(|evidence| evidence.text.clone())
            .filter(|text| text.starts_with(REACHES_BEYOND) || text.starts_with(ONLY_INSTALLS))
            .collect()
    }

    #[test]
    fn another_repository_is_told_with_the_secret_that_opens_it() {
        for (steps, expected) in [
            (
                "      - uses: actions/checkout@v4\n        with: {repository: acme/other, token: '${{ secrets.PAT }}'}\n",
                "PAT: acme/other (actions/checkout)",
            ),
            (
                "      - uses: actions/checkout@v4\n        with: {submodules: recursive, token: '${{ secrets.PAT }}'}\n",
                "PAT: its submodules (actions/checkout)",
            ),
            (
                "      - run: gh pr create --repo acme/docs\n        env: {GH_TOKEN: '${{ secrets.BOT }}'}\n",
                "BOT: acme/docs (a command)",
            ),
            (
                "      - run: git clone https://x:${{ secrets.T }}@github.com/acme/lib.git\n",
                "T: acme/lib (a command)",
            ),
            (
                "      - run: gh api orgs/acme/teams\n        env: {GH_TOKEN: '${{ secrets.BOT }}'}\n",
                "BOT: its organisation (API)",
            ),
        ] {
            assert_eq!(
                told(steps),
                [format!("{REACHES_BEYOND}{expected}")],
                "{steps}"
            );
        }
        for steps in [
            "      - uses: actions/checkout@v4\n        with: {token: '${{ secrets.PAT }}'}\n",
            "      - uses: actions/checkout@v4\n        with: {repository: '${{ github.repository }}', token: '${{ secrets.PAT }}'}\n",
            "      - uses: actions/checkout@v4\n        with: {repository: acme/other}\n",
            "      - run: gh pr create --repo $GITHUB_REPOSITORY\n        env: {GH_TOKEN: '${{ secrets.BOT }}'}\n",
            "      - run: gh pr create -R acme/site\n        env: {GH_TOKEN: '${{ secrets.BOT }}'}\n",
        ] {
            assert_eq!(told(steps), [] as [String; 0], "{steps}");
        }
    }

    #[test]
    fn a_job_that_only_installs_is_told() {
        let env = "        env: {NODE_AUTH_TOKEN: '${{ secrets.NPM }}'}\n";
        let ci = format!("      - run: npm ci\n{env}");
        assert_eq!(told(&ci), [format!("{ONLY_INSTALLS}NPM")]);
        for more in [
            "      - run: npm publish\n",
            "      - run: ./release.sh\n        env: {T: '${{ secrets.NPM }}'}\n",
            "      - uses: x/y@v1\n        with: {t: '${{ secrets.NPM }}'}\n",
        ] {
            assert_eq!(told(&format!("{ci}{more}")), [] as [String; 0], "{more}");
        }
    }
}
