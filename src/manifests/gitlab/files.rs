//! Pipelines of several files: what a file includes from its own repository is put together with it.

use super::super::context::{Context, notice};
use super::super::has_extension;
use super::super::node::Node;
use super::super::text::Text;
use super::super::yaml;
use super::{Pipeline, RUNTIME, Source, interesting, is_pipeline, jobs};
use crate::model::{CoverageStatus, Declarations, FingerprintKey, IdentityKind, KeptText};
use crate::rules::config::Pattern;
use crate::rules::manifests::ManifestTables;
use std::collections::{BTreeMap, BTreeSet};

/// Most files of one pipeline; the platform's own limit is 150.
const MAX_FILES: usize = 150;

/// Whether a text may be a part of a pipeline.
pub(in super::super) fn worth_keeping(uri: &str, bytes: &[u8]) -> bool {
    let (folder, name) = uri.rsplit_once('/').unwrap_or(("", uri));
    has_extension(name, &["yml", "yaml"])
        && bytes.len() <= 512 << 10
        && (is_pipeline(folder, name)
            || ((interesting(bytes) || inherits(bytes))
                && !uri.contains(".github/")
                && !uri.contains(".circleci/")))
}

/// Whether a text may hold jobs that are nothing without those they extend, or that start other pipelines.
fn inherits(bytes: &[u8]) -> bool {
    [b"extends:".as_slice(), b"trigger:"]
        .iter()
        .any(|word| memchr::memmem::find(bytes, word).is_some())
}

/// A parsed file.
struct File<'t> {
    uri: &'t str,
    text: Text<'t>,
    root: Option<Node>,
}

/// Reads the jobs of pipelines of several files again, all files of each together.
pub(in super::super) fn assemble(
    declarations: &mut Vec<Declarations>,
    tables: &ManifestTables,
    key: &FingerprintKey,
) {
    let kept: Vec<KeptText> = declarations
        .iter()
        .flat_map(|file| &file.kept)
        .filter(|text| worth_keeping(&text.uri, text.text.as_bytes()))
        .cloned()
        .collect();
    let mut by_repository: BTreeMap<&str, BTreeMap<&str, &KeptText>> = BTreeMap::new();
    for text in &kept {
        by_repository
            .entry(&text.repository)
            .or_default()
            .insert(&text.uri, text);
    }
    for (repository, texts) in by_repository {
        let includes = |text: &KeptText| text.text.contains("include");
        if !texts.values().any(|text| includes(text)) {
            continue;
        }
        let files: Vec<File<'_>> = texts
            .values()
            .map(|text| {
                let place = Text::new(text.text.as_bytes());
                let root = yaml::parse(&place).documents.into_iter().next_back();
                File {
                    uri: &text.uri,
                    text: place,
                    root,
                }
            })
            .collect();
        together(declarations, tables, key, repository, &files);
    }
}

fn together(
    declarations: &mut Vec<Declarations>,
    tables: &ManifestTables,
    key: &FingerprintKey,
    repository: &str,
    files: &[File<'_>],
) {
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for first in files {
        let (folder, name) = first.uri.rsplit_once('/').unwrap_or(("", first.uri));
        if !is_pipeline(folder, name) {
            continue;
        }
        let mut notes = Declarations::default();
        let members = members(repository, files, first, &mut notes);
        declarations.push(notes);
        if members.len() < 2 {
            continue;
        }
        for file in &members {
            let Some(root) = &file.root else {
                continue;
            };
            if !read.insert(file.uri) {
                continue;
            }
            let source = |file: &&File<'_>| -> Option<()> { file.root.as_ref().map(|_| ()) };
            let others = members
                .iter()
                .filter(|other| other.uri != file.uri && source(other).is_some());
            let mut sources = vec![Source {
                uri: file.uri,
                text: &file.text,
                root,
            }];
            for other in others {
                if let Some(root) = &other.root {
                    sources.push(Source {
                        uri: other.uri,
                        text: &other.text,
                        root,
                    });
                }
            }
            let context = Context {
                repository,
                uri: file.uri,
                text: &file.text,
                key,
                tables,
            };
            let mut out = Declarations::default();
            jobs(&context, &Pipeline(sources), &mut out);
            forget(declarations, repository, file.uri);
            declarations.push(out);
        }
    }
}

/// A file and what it includes, the includes of those as well.
fn members<'f, 't>(
    repository: &str,
    files: &'f [File<'t>],
    first: &'f File<'t>,
    out: &mut Declarations,
) -> Vec<&'f File<'t>> {
    let mut members = vec![first];
    let mut next = 0;
    while let Some(file) = members.get(next).copied() {
        next += 1;
        let Some(list) = file.root.as_ref().and_then(|root| root.get("include")) else {
            continue;
        };
        let mut local: Vec<&str> = Vec::new();
        let mut elsewhere: BTreeSet<&str> = BTreeSet::new();
        let entries = if list.items().is_empty() {
            std::slice::from_ref(list)
        } else {
            list.items()
        };
        for entry in entries {
            match entry.as_str() {
                Some(text) if text.contains("://") => {
                    elsewhere.insert("an address");
                }
                Some(text) => local.push(text),
                None => {
                    local.extend(entry.get("local").into_iter().flat_map(Node::texts));
                    for (kind, what) in [
                        ("project", "another project"),
                        ("remote", "an address"),
                        ("template", "the platform's templates"),
                        ("component", "a component"),
                    ] {
                        if entry.get(kind).is_some() {
                            elsewhere.insert(what);
                        }
                    }
                }
            }
        }
        if !elsewhere.is_empty() {
            let from: Vec<&str> = elsewhere.into_iter().collect();
            let reason = format!(
                "includes files from {}, which are not in the scan: what they add is unknown",
                from.join(" and ")
            );
            out.notices.push(notice(
                repository,
                file.uri,
                CoverageStatus::Skipped,
                &reason,
            ));
        }
        for wanted in local {
            let wanted = wanted.trim_start_matches('/');
            let Ok(pattern) = Pattern::new(wanted) else {
                continue;
            };
            let before = members.len();
            let mut found = false;
            for other in files {
                if other.uri == wanted || pattern.matches(other.uri) {
                    found = true;
                    let known = members.iter().any(|member| member.uri == other.uri);
                    if !known && members.len() < MAX_FILES {
                        members.push(other);
                    }
                }
            }
            if !found && before == members.len() && !wanted.contains('$') {
                let reason = format!(
                    "includes {}, which is not in the scan or holds no job: what it adds is unknown",
                    super::clean(wanted)
                );
                out.notices.push(notice(
                    repository,
                    file.uri,
                    CoverageStatus::Skipped,
                    &reason,
                ));
            }
        }
    }
    members
}

/// Leaves out what was read of a file alone.
fn forget(declarations: &mut [Declarations], repository: &str, uri: &str) {
    for file in declarations {
        let gone: BTreeSet<_> = file
            .consumers
            .iter()
            .filter(|consumer| {
                consumer.runtime == RUNTIME
                    && consumer.repository.as_deref() == Some(repository)
                    && consumer.location.as_ref().is_some_and(|at| at.uri == uri)
            })
            .map(|consumer| consumer.id.clone())
            .collect();
        if gone.is_empty() {
            continue;
        }
        file.consumers
            .retain(|consumer| !gone.contains(&consumer.id));
        file.references.retain(|reference| {
            reference
                .consumer
                .as_ref()
                .is_none_or(|consumer| !gone.contains(consumer))
        });
        file.identities.retain(|identity| {
            identity.kind != IdentityKind::CiJob
                || !identity.consumers.iter().any(|id| gone.contains(id))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::shown;
    use super::super::super::{assemble, read};
    use crate::model::{Declarations, FingerprintKey};

    fn assembled(files: &[(&str, &str)]) -> Declarations {
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<Declarations> = files
            .iter()
            .filter_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key))
            .collect();
        assemble(&mut all, &key);
        let mut out = Declarations::default();
        for file in all {
            out.consumers.extend(file.consumers);
            out.references.extend(file.references);
            out.notices.extend(file.notices);
        }
        out
    }

    #[test]
    fn what_is_included_is_put_together_with_the_job() {
        let out = assembled(&[
            (
                ".gitlab-ci.yml",
                "include:\n  - local: /ci/base.yml\n  - 'ci/sub/*.yml'\n  - ci/gone.yml\n  - project: other/x\n    file: a.yml\ndeploy:\n  extends: .deploy\n  script:\n    - !reference [.login, script]\n    - ./deploy\n",
            ),
            (
                "ci/base.yml",
                ".login:\n  stage: x\n  script:\n    - vault login $VAULT_TOKEN\n.deploy:\n  stage: deploy\n  environment: production\n  timeout: 5 minutes\n  id_tokens: {AWS: {aud: sts}}\n  script: [true]\n  before_script:\n    - aws s3 ls --role arn:aws:iam::123456789012:role/deploy $PROD_AWS_SECRET_ACCESS_KEY\nlint:\n  stage: test\n  script: [make $NPM_TOKEN]\n",
            ),
            (
                "ci/sub/more.yml",
                "default:\n  before_script: [echo $SENTRY_AUTH_TOKEN]\nsub:\n  stage: test\n  script: [true]\n",
            ),
        ]);
        insta::assert_snapshot!(shown(&out), @"
        7:1 .gitlab-ci.yml/deploy | production 300 s - | configured
            as arn:aws:iam::123456789012:role/deploy
            12:62 gitlab-ci PROD_AWS_SECRET_ACCESS_KEY (aws-access-key)
            4:19 gitlab-ci VAULT_TOKEN (vault-token)
            B job of a GitLab pipeline
            B timeout: 5 minutes
            B id_tokens AWS for sts
        13:1 ci/base.yml/lint | - - - | supported
            15:17 gitlab-ci NPM_TOKEN (npm-token)
            2:24 gitlab-ci SENTRY_AUTH_TOKEN (sentry-token)
            B job of a GitLab pipeline
            D no timeout declared: the project's limit, 60 min by default
        3:1 ci/sub/more.yml/sub | - - - | supported
            2:24 gitlab-ci SENTRY_AUTH_TOKEN (sentry-token)
            B job of a GitLab pipeline
            D no timeout declared: the project's limit, 60 min by default
        skipped includes files from another project, which are not in the scan: what they add is unknown
        skipped includes ci/gone.yml, which is not in the scan or holds no job: what it adds is unknown
        ");
    }
}
