//! The project's own registries: what a pipeline pushes there with the job's token, and what it signs in there with instead.

/// Issuer, in the words of the inventory.
const PROVIDER: &str = "gitlab";
/// A token that opens registries or the API of GitLab, as the credential rules call it.
const TOKEN: &str = "gitlab-pat";
/// What names the registry of images of the project's own GitLab (predefined variables of CI/CD, and the public host).
const IMAGES: [&str; 3] = ["CI_REGISTRY", "CI_DEPENDENCY_PROXY", "registry.gitlab.com"];
/// What names its API, where its registries of packages are.
const API: [&str; 4] = [
    "CI_API_V4_URL",
    "CI_SERVER_URL/api/v4",
    "CI_SERVER_HOST/api/v4",
    "gitlab.com/api/v4",
];
/// Folder of its registries of packages.
const PACKAGES: &str = "/packages/";
/// Types that a name suggests and the folder of the registry that takes them there.
const KINDS: [(&str, &str); 4] = [
    ("pypi-token", "pypi"),
    ("npm-token", "npm"),
    ("nuget-key", "nuget"),
    ("rubygems-token", "rubygems"),
];
/// Variables the platform sets to the job's own token.
const OWN: [&str; 2] = ["CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD"];
/// Commands that put an image or a package somewhere.
const PUSHES: [&str; 19] = [
    "docker push",
    "podman push",
    "buildah push",
    "skopeo copy",
    "crane push",
    "crane copy",
    "kaniko/executor",
    "--push",
    "docker compose push",
    "twine upload",
    "poetry publish",
    "uv publish",
    "npm publish",
    "nuget push",
    "gem push",
    "helm push",
    "mvn deploy",
    "--upload-file",
    "gradlew publish",
];
/// Words of a command that signs in.
const SIGNS_IN: [&str; 4] = ["login", "--creds", "--dest-creds", "--registry-password"];

/// What the texts of a job say of the registries of its own GitLab.
#[derive(Clone, Debug, Default)]
pub(super) struct Registries {
    /// Names the registry of images.
    images: bool,
    /// Names the API.
    api: bool,
    /// Folders below `packages/` that it names.
    packages: Vec<String>,
    /// Names the job's own token.
    own_token: bool,
    /// Puts an image or a package somewhere.
    pushes: bool,
}

impl Registries {
    /// Notes one text of the job.
    pub(super) fn note(&mut self, text: &str) {
        let text = plain(text);
        self.images |= names(&text, &IMAGES);
        self.own_token |= names(&text, &OWN);
        self.pushes |= names(&text, &PUSHES);
        if !names(&text, &API) {
            return;
        }
        self.api = true;
        self.packages.extend(
            text.match_indices(PACKAGES)
                .filter_map(|(at, found)| text.get(at + found.len()..))
                .map(|rest| {
                    let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
                    rest.get(..end.unwrap_or(rest.len()))
                        .unwrap_or_default()
                        .to_owned()
                }),
        );
    }

    /// The job publishes images or packages of its own GitLab with its own token.
    pub(super) const fn own_pushes(&self) -> bool {
        self.own_token && self.pushes && (self.images || self.api)
    }

    /// What the place of a secret variable tells of it: it is a token of GitLab where the command that holds it signs in to
    /// the project's own registry or calls its API, and where the job publishes to a registry of packages there what a token
    /// of this type would otherwise publish elsewhere. `kind` is what the name or the variable it is put into suggest.
    pub(super) fn told(
        &self,
        source: &str,
        at: usize,
        kind: Option<&str>,
    ) -> Option<(String, String)> {
        let command = plain(command(source, at));
        let folder = KINDS
            .iter()
            .find(|(known, _)| kind == Some(known))
            .map(|(_, folder)| *folder);
        let published =
            folder.is_some_and(|folder| self.packages.iter().any(|known| known == folder));
        let signs_in = names(&command, &SIGNS_IN) && names(&command, &IMAGES);
        let calls = names(&command, &API);
        let unnamed = matches!(kind, None | Some("docker-hub-token" | "github-pat"));
        (published || (unnamed && (signs_in || calls)))
            .then(|| (TOKEN.to_owned(), PROVIDER.to_owned()))
    }
}

/// A text without the marks of variables: `${CI_API_V4_URL}/x` is `CI_API_V4_URL/x`.
fn plain(text: &str) -> String {
    text.replace(['$', '{', '}', '"', '\''], "")
}

fn names(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The command around a place: its line, with the lines it is continued on.
fn command(source: &str, at: usize) -> &str {
    let line = |at: usize| {
        let before = source.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |end| end + 1)
    };
    let mut from = line(at.min(source.len()));
    while from > 0 {
        let before = source.get(..from - 1).unwrap_or_default();
        if !before.trim_end().ends_with(['\\', '|']) {
            break;
        }
        from = line(from - 1);
    }
    let mut to = at.min(source.len());
    loop {
        let rest = source.get(to..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        to += line.len();
        if to >= source.len() || !line.trim_end().ends_with(['\\', '|']) {
            break;
        }
        to += 1;
    }
    source.get(from..to).unwrap_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::testing::declared;
    use proptest::prelude::*;

    fn told(job: &str) -> String {
        let out = declared(".gitlab-ci.yml", job);
        let tier = out.identities.first().map(|one| one.privilege.tier);
        let references: Vec<String> = out
            .references
            .iter()
            .map(|one| format!("{} {}", one.name, one.kind.as_deref().unwrap_or("?")))
            .collect();
        format!("{tier:?} {}", references.join(", "))
    }

    #[test]
    fn a_stored_token_for_the_own_registry_is_one_of_gitlab() {
        for (job, expected) in [
            (
                "a:\n  script:\n    - docker login -u d -p $REG_TOKEN registry.gitlab.com\n    - docker push registry.gitlab.com/x/y\n",
                "Some(2) REG_TOKEN gitlab-pat",
            ),
            (
                "a:\n  script:\n    - echo \"$REG_TOKEN\" | docker login $CI_REGISTRY -u d --password-stdin\n",
                "Some(2) REG_TOKEN gitlab-pat",
            ),
            (
                "a:\n  variables: {TWINE_USERNAME: bot, TWINE_PASSWORD: $DEPLOY_TOKEN}\n  script:\n    - twine upload --repository-url ${CI_API_V4_URL}/projects/1/packages/pypi dist/*\n",
                "Some(2) DEPLOY_TOKEN gitlab-pat",
            ),
            (
                "a:\n  script:\n    - |\n      curl --header \"DEPLOY-TOKEN: $UP_TOKEN\" \\\n        --upload-file x ${CI_API_V4_URL}/projects/1/packages/generic/x/1/x\n",
                "Some(2) UP_TOKEN gitlab-pat",
            ),
            // Elsewhere it stays what its name says.
            (
                "a:\n  variables: {TWINE_PASSWORD: $PYPI_TOKEN}\n  script: [twine upload dist/*]\n",
                "Some(2) PYPI_TOKEN pypi-token",
            ),
            (
                "a:\n  script:\n    - docker build --build-arg NPM_TOKEN=$NPM_TOKEN -t $CI_REGISTRY_IMAGE .\n",
                "Some(2) NPM_TOKEN npm-token",
            ),
            (
                "a:\n  script:\n    - docker login -u d -p $DOCKERHUB_TOKEN\n    - docker push d/x\n",
                "Some(2) DOCKERHUB_TOKEN docker-hub-token",
            ),
        ] {
            assert_eq!(told(job), expected, "{job}");
        }
    }

    #[test]
    fn what_the_jobs_own_token_pushes_is_what_the_job_may_write() {
        for job in [
            "a:\n  script:\n    - echo $CI_JOB_TOKEN | docker login $CI_REGISTRY -u gitlab-ci-token --password-stdin\n    - docker push $CI_REGISTRY_IMAGE:1\n",
            "a:\n  script:\n    - docker login -u $CI_REGISTRY_USER -p $CI_REGISTRY_PASSWORD $CI_REGISTRY\n    - docker push $CI_REGISTRY_IMAGE:1\n",
            "a:\n  variables: {TWINE_PASSWORD: $CI_JOB_TOKEN}\n  script:\n    - twine upload --repository-url ${CI_API_V4_URL}/projects/1/packages/pypi dist/*\n",
        ] {
            assert_eq!(told(job), "Some(3) ", "{job}");
        }
        // It reads, or somebody else's registry is pushed to.
        for job in [
            "a:\n  script:\n    - docker login -u x -p $CI_JOB_TOKEN $CI_REGISTRY\n    - docker pull $CI_REGISTRY_IMAGE:1\n",
            "a:\n  script:\n    - git clone https://gitlab-ci-token:$CI_JOB_TOKEN@gitlab.com/x/y\n    - docker push x/y\n",
        ] {
            assert_eq!(told(job), "Some(2) ", "{job}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_place_are_survived(text in "[a-z$ \\\\|\n{}é]{0,60}", at in 0usize..70) {
            let mut noted = Registries::default();
            noted.note(&text);
            let _ = noted.told(&text, at, None);
        }
    }
}
