//! What jobs run that other files of their repository declare: reusable workflows, composite actions, templates.

use crate::model::{ConsumerId, Declarations, Evidence, Federation, Grade, SecretReference};
use std::collections::{BTreeMap, BTreeSet};

/// Longest chain of calls followed.
const ROUNDS: usize = 4;
/// Most references that calls may add.
const MAX_ADDED: usize = 20_000;

/// A file of a repository.
type File = (String, String);

/// What a consumer of a called file uses.
#[derive(Clone, Default)]
struct Used {
    references: Vec<SecretReference>,
    /// Of a consumer that is no identity of its own: whom it becomes.
    native_ids: Vec<String>,
    federated: bool,
}

/// Gives callers what the files they call use on their behalf.
pub(super) fn join(files: &mut [Declarations]) {
    let mut added = 0;
    for _ in 0..ROUNDS {
        let used = by_file(files);
        let mut changed = false;
        for declarations in files.iter_mut() {
            for call in declarations.calls.clone() {
                let Some(used) = used.get(&(call.repository.clone(), call.uri.clone())) else {
                    continue;
                };
                changed |= give(
                    declarations,
                    &call.consumer,
                    &call.uri,
                    used,
                    call.secrets,
                    &mut added,
                );
            }
        }
        if !changed || added > MAX_ADDED {
            return;
        }
    }
}

fn by_file(files: &[Declarations]) -> BTreeMap<File, Used> {
    let wanted: BTreeSet<File> = files
        .iter()
        .flat_map(|file| &file.calls)
        .map(|call| (call.repository.clone(), call.uri.clone()))
        .collect();
    let mut out: BTreeMap<File, Used> = BTreeMap::new();
    for declarations in files {
        for consumer in &declarations.consumers {
            let Some(at) = &consumer.location else {
                continue;
            };
            let file = (at.repository.clone().unwrap_or_default(), at.uri.clone());
            if !wanted.contains(&file) {
                continue;
            }
            let used = out.entry(file).or_default();
            let mine = declarations
                .references
                .iter()
                .filter(|reference| reference.consumer.as_ref() == Some(&consumer.id));
            used.references.extend(mine.cloned());
            if consumer.identity.is_none() {
                used.native_ids
                    .extend(consumer.uses.native_ids.iter().cloned());
                used.federated |= consumer.federation == Federation::Configured;
            }
        }
    }
    out
}

fn give(
    declarations: &mut Declarations,
    caller: &ConsumerId,
    uri: &str,
    used: &Used,
    secrets: bool,
    added: &mut usize,
) -> bool {
    let mut changed = false;
    if secrets {
        for reference in &used.references {
            let known = declarations.references.iter().any(|known| {
                known.consumer.as_ref() == Some(caller)
                    && known.store == reference.store
                    && known.name == reference.name
            });
            if !known && *added <= MAX_ADDED {
                *added += 1;
                changed = true;
                declarations.references.push(SecretReference {
                    consumer: Some(caller.clone()),
                    ..reference.clone()
                });
            }
        }
    }
    let consumer = declarations
        .consumers
        .iter_mut()
        .find(|consumer| consumer.id == *caller);
    if let Some(consumer) = consumer {
        for id in &used.native_ids {
            if !consumer.uses.native_ids.contains(id) {
                consumer.uses.native_ids.push(id.clone());
                consumer.evidence.push(Evidence::new(
                    Grade::B,
                    format!("{uri}, which it runs, signs in as {id}"),
                ));
                changed = true;
            }
        }
        if used.federated && consumer.federation != Federation::Configured {
            consumer.federation = Federation::Configured;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use crate::manifests::{link, read};
    use crate::model::{Declarations, Federation, FingerprintKey};

    fn linked(files: &[(&str, &str)]) -> Vec<Declarations> {
        let key = FingerprintKey::new([7; 32]);
        let mut all: Vec<Declarations> = files
            .iter()
            .filter_map(|(uri, text)| read("shop", uri, text.as_bytes(), &key))
            .collect();
        link(&mut all);
        all
    }

    fn names(file: &Declarations) -> Vec<&str> {
        file.references.iter().map(|r| r.name.as_str()).collect()
    }

    #[test]
    fn who_passes_every_secret_on_uses_what_is_used_there() {
        let called =
            "on: workflow_call\njobs:\n  a:\n    steps: [{run: 'x ${{ secrets.NPM_TOKEN }}'}]\n";
        let caller = |secrets: &str| {
            format!("on: push\njobs:\n  b:\n    uses: ./.github/workflows/called.yml\n{secrets}")
        };
        let files = linked(&[
            (".github/workflows/called.yml", called),
            (
                ".github/workflows/all.yml",
                &caller("    secrets: inherit\n"),
            ),
            (".github/workflows/none.yml", &caller("")),
        ]);
        assert_eq!(names(&files[1]), ["NPM_TOKEN"]);
        assert!(names(&files[2]).is_empty());
    }

    #[test]
    fn who_runs_a_local_action_signs_in_as_it_does() {
        let action = "runs:\n  steps:\n    - uses: aws-actions/configure-aws-credentials@v4\n      with: {role-to-assume: 'arn:aws:iam::123456789012:role/x'}\n";
        let workflow = "on: push\njobs:\n  b:\n    steps: [{uses: ./.github/actions/login}]\n";
        let files = linked(&[
            (".github/actions/login/action.yml", action),
            (".github/workflows/a.yml", workflow),
        ]);
        let job = &files[1].consumers[0];
        assert_eq!(job.uses.native_ids, ["arn:aws:iam::123456789012:role/x"]);
        assert_eq!(job.federation, Federation::Configured);
    }

    #[test]
    fn templates_of_steps_belong_to_the_jobs_that_take_them_in() {
        let files = linked(&[
            (
                "ci/steps/login.yml",
                "parameters: []\nsteps:\n- task: A@1\n  inputs: {awsCredentials: prod}\n",
            ),
            (
                "ci/azure-pipelines.yml",
                "trigger: none\njobs: [{job: a, steps: [{template: steps/login.yml}]}]\n",
            ),
        ]);
        assert_eq!(names(&files[1]), ["prod"]);
    }
}
