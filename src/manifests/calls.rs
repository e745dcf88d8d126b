//! What jobs run that other files of their repository declare: reusable workflows, composite actions, templates.

use crate::model::{Call, ConsumerId, Declarations, Evidence, Federation, Grade, SecretReference};
use std::collections::{BTreeMap, BTreeSet};

/// Longest chain of calls followed.
const ROUNDS: usize = 4;
/// Most callers told of one secret of a called file.
const MAX_CALLERS: usize = 100;
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

/// Gives callers what the files they call use on their behalf, and files what their callers give them.
pub(super) fn join(files: &mut [Declarations]) {
    find_repositories(files);
    let mut added = 0;
    name_given(files);
    for _ in 0..ROUNDS {
        let used = by_file(files);
        let mut changed = false;
        for declarations in files.iter_mut() {
            for call in declarations.calls.clone() {
                let Some(used) = used.get(&(call.repository.clone(), call.uri.clone())) else {
                    continue;
                };
                changed |= give(declarations, &call, used, &mut added);
            }
        }
        if !changed || added > MAX_ADDED {
            return;
        }
    }
}

/// Calls into another repository of the scan, which is called by its whole name or by the last part of it.
fn find_repositories(files: &mut [Declarations]) {
    if files.iter().all(|file| file.calls.is_empty()) {
        return;
    }
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for repository in files
        .iter()
        .flat_map(|file| &file.consumers)
        .filter_map(|consumer| consumer.repository.as_ref())
    {
        let last = repository.rsplit('/').next().unwrap_or(repository);
        known
            .entry(last.to_lowercase())
            .or_default()
            .insert(repository.clone());
    }
    for call in files.iter_mut().flat_map(|file| &mut file.calls) {
        let last = call.repository.rsplit('/').next().unwrap_or_default();
        let Some(named) = known.get(&last.to_lowercase()) else {
            continue;
        };
        if !named.contains(&call.repository)
            && let Some(only) = named.first().filter(|_| named.len() == 1)
        {
            call.repository.clone_from(only);
        }
    }
}

/// What a file calls a secret by a name of its own is what its callers pass on under that name.
fn name_given(files: &mut [Declarations]) {
    // File and its name of the secret, to the caller and the caller's name.
    let mut given: BTreeMap<(File, String), BTreeSet<(ConsumerId, String)>> = BTreeMap::new();
    let mut callers: BTreeMap<ConsumerId, (String, String)> = BTreeMap::new();
    for file in files.iter() {
        for call in file.calls.iter().filter(|call| !call.given.is_empty()) {
            for (there, here) in &call.given {
                given
                    .entry((
                        (call.repository.clone(), call.uri.clone()),
                        there.to_lowercase(),
                    ))
                    .or_default()
                    .insert((call.consumer.clone(), here.clone()));
            }
            if let Some(caller) = file.consumers.iter().find(|c| c.id == call.consumer) {
                let repository = caller.repository.clone().unwrap_or_default();
                callers.insert(caller.id.clone(), (repository, caller.name.clone()));
            }
        }
    }
    if given.is_empty() {
        return;
    }
    // What the use in the called file tells of the caller's secret.
    let mut told: BTreeMap<(ConsumerId, String), (Option<String>, Option<String>)> =
        BTreeMap::new();
    for file in files.iter_mut() {
        let mut named = Vec::new();
        let mut notes: Vec<(ConsumerId, Evidence)> = Vec::new();
        file.references.retain(|reference| {
            let place = (
                reference.location.repository.clone().unwrap_or_default(),
                reference.location.uri.clone(),
            );
            let key = (place, reference.name.to_lowercase());
            let Some(by) = given
                .get(&key)
                .filter(|_| reference.store.ends_with("-actions"))
            else {
                return true;
            };
            for (caller, here) in by.iter().take(MAX_CALLERS) {
                let Some((repository, name)) = callers.get(caller) else {
                    continue;
                };
                told.insert(
                    (caller.clone(), here.clone()),
                    (reference.kind.clone(), reference.provider.clone()),
                );
                named.push(SecretReference {
                    name: here.clone(),
                    repository: repository.clone(),
                    ..reference.clone()
                });
                if let Some(consumer) = &reference.consumer {
                    let text = format!("secret {} is {here} where {name} calls it", reference.name);
                    notes.push((consumer.clone(), Evidence::new(Grade::B, text)));
                }
            }
            false
        });
        file.references.extend(named);
        for (id, note) in notes {
            if let Some(consumer) = file.consumers.iter_mut().find(|c| c.id == id) {
                consumer.evidence.push(note);
            }
        }
    }
    for file in files.iter_mut() {
        let passed: BTreeSet<(ConsumerId, String)> = file
            .calls
            .iter()
            .flat_map(|call| {
                let here = call.given.iter().map(|(_, here)| here.clone());
                here.map(|here| (call.consumer.clone(), here))
            })
            .collect();
        // What is passed on beside a credential of the same type, and named nowhere there, is its other half.
        file.references.retain(|reference| {
            let Some(caller) = &reference.consumer else {
                return true;
            };
            let half = passed.contains(&(caller.clone(), reference.name.clone()))
                && !told.contains_key(&(caller.clone(), reference.name.clone()))
                && told
                    .iter()
                    .any(|((by, _), (kind, _))| by == caller && *kind == reference.kind);
            !half || reference.kind.is_none()
        });
    }
    for reference in files.iter_mut().flat_map(|file| &mut file.references) {
        let Some(caller) = &reference.consumer else {
            continue;
        };
        if reference.kind.is_none()
            && let Some((kind, provider)) = told.get(&(caller.clone(), reference.name.clone()))
        {
            reference.kind.clone_from(kind);
            reference.provider.clone_from(provider);
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

fn give(declarations: &mut Declarations, call: &Call, used: &Used, added: &mut usize) -> bool {
    let (caller, uri) = (&call.consumer, &call.uri);
    let mut changed = false;
    if call.secrets {
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
        let file = format!("{}/{uri}", call.repository);
        if !consumer.uses.runs.contains(&file) {
            consumer.uses.runs.push(file);
        }
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
    fn a_secret_of_a_called_workflow_is_what_the_caller_passes_on() {
        let called = "on: {workflow_call: {secrets: {key_id: {}, key: {}}}}\njobs:\n  a:\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: {aws-access-key-id: '${{ secrets.key_id }}', aws-secret-access-key: '${{ secrets.KEY }}'}\n";
        let caller = "on: push\njobs:\n  b:\n    uses: ./.github/workflows/called.yml\n    secrets:\n      key_id: ${{ secrets.PROD_ID }}\n      key: ${{ secrets.PROD_AWS_SECRET_ACCESS_KEY }}\n";
        let files = linked(&[
            (".github/workflows/called.yml", called),
            (".github/workflows/caller.yml", caller),
        ]);
        assert_eq!(names(&files[0]), ["PROD_ID"]);
        let kinds: Vec<_> = files[1]
            .references
            .iter()
            .map(|r| (r.name.as_str(), r.kind.as_deref()))
            .collect();
        assert_eq!(kinds, [("PROD_ID", Some("aws-access-key"))]);
        let job = &files[0].consumers[0];
        let told = |text: &str| job.evidence.iter().any(|evidence| evidence.text == text);
        assert!(told("secret key_id is PROD_ID where caller.yml/b calls it"));
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
