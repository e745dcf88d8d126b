//! Changes of workloads in Kubernetes: an account of their own and a bound token, where each kind keeps its pods' template.

use super::facts::Facts;
use super::text::{comments, json, shell, slug};
use super::{Made, Remarks};
use crate::jit::subject::Subject;
use crate::model::ArtefactKind;
use std::fmt::Write as _;

/// Most workloads that get a file each.
const MOST: usize = 10;

/// Where a kind of workload keeps its pods' specification, and how it takes a change of it.
struct Shape {
    kind: &'static str,
    api: &'static str,
    path: &'static [&'static str],
    takes: Takes,
}

/// How a workload takes a change of its pods.
enum Takes {
    /// In place; new pods come with it.
    Patch,
    /// In place; pods of the next run come with it.
    NextRun,
    /// Not at all: it is deleted and made anew.
    Anew,
}

const SHAPES: &[Shape] = &[
    shape("Deployment", "apps/v1", &["template", "spec"], Takes::Patch),
    shape(
        "StatefulSet",
        "apps/v1",
        &["template", "spec"],
        Takes::Patch,
    ),
    shape("DaemonSet", "apps/v1", &["template", "spec"], Takes::Patch),
    shape("ReplicaSet", "apps/v1", &["template", "spec"], Takes::Anew),
    shape(
        "CronJob",
        "batch/v1",
        &["jobTemplate", "spec", "template", "spec"],
        Takes::NextRun,
    ),
    shape("Job", "batch/v1", &["template", "spec"], Takes::Anew),
    shape("Pod", "v1", &[], Takes::Anew),
];

const fn shape(
    kind: &'static str,
    api: &'static str,
    path: &'static [&'static str],
    takes: Takes,
) -> Shape {
    Shape {
        kind,
        api,
        path,
        takes,
    }
}

/// Adds a file for each workload that uses the credential, or why there is none.
pub(super) fn files(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    made: &mut Vec<Made>,
    remarks: &mut Remarks,
) {
    let token = facts.item.mechanism == "kubernetes-projected-token";
    if !token && facts.item.mechanism != "aws-pod-identity" {
        return;
    }
    // Named `CronJob shop/nightly` by their manifest.
    let mut workloads: Vec<(&Shape, &str, &str)> = subject
        .consumers
        .iter()
        .filter_map(|consumer| {
            let (kind, place) = consumer.name.split_once(' ')?;
            let (namespace, name) = place.split_once('/')?;
            let shape = SHAPES.iter().find(|shape| shape.kind == kind)?;
            Some((shape, namespace, name))
        })
        .collect();
    workloads.sort_by_key(|(shape, namespace, name)| (*namespace, *name, shape.kind));
    workloads.dedup_by_key(|(shape, namespace, name)| (*namespace, *name, shape.kind));
    if workloads.is_empty() {
        remarks.miss(
            "patch of the workload",
            "no manifest of a workload that uses it was scanned; the steps say what to change",
        );
    }
    if workloads.len() > MOST {
        remarks.miss(
            "patches of all workloads",
            "only the first ten have one: the others change alike",
        );
    }
    let many = workloads.len() > 1;
    for (number, (shape, namespace, name)) in workloads.into_iter().take(MOST).enumerate() {
        let path = if many {
            format!("workload-patch-{:02}-{}.yaml", number + 1, slug(name, 40))
        } else {
            "workload-patch.yaml".to_owned()
        };
        let description = match shape.takes {
            Takes::Anew => format!(
                "lines for the manifest of {} {name}, which has to be made anew: its own account{}, no key",
                shape.kind,
                if token {
                    ", a token with audience and expiry"
                } else {
                    ""
                },
            ),
            _ => format!(
                "patch of {} {name}: its own account{}, no key",
                shape.kind,
                if token {
                    ", a token with audience and expiry"
                } else {
                    ""
                },
            ),
        };
        let text = manifest(shape, (namespace, name), &path, facts, token);
        made.push(Made::new(
            path,
            ArtefactKind::KubernetesManifest,
            description,
            text,
        ));
    }
}

fn manifest(
    shape: &Shape,
    (namespace, name): (&str, &str),
    path: &str,
    facts: &Facts<'_>,
    token: bool,
) -> String {
    let how = match shape.takes {
        Takes::Patch => format!(
            "kubectl patch {} {} --namespace {} --patch-file {path}",
            shape.kind.to_lowercase(),
            shell(name),
            shell(namespace)
        ),
        Takes::NextRun => format!(
            "kubectl patch {} {} --namespace {} --patch-file {path} (pods of the next run come with it)",
            shape.kind.to_lowercase(),
            shell(name),
            shell(namespace)
        ),
        Takes::Anew => format!(
            "The pods of a {} cannot be changed: merge these lines into its manifest, then kubectl replace --force --filename MANIFEST, which deletes it and makes it anew",
            shape.kind
        ),
    };
    let mut out = comments(&how);
    out.push_str(&comments(
        "Take the entries that read the old Secret out of `env`, `envFrom` and `volumes` of the manifest at the same time.",
    ));
    if token {
        out.push_str(&comments(
            "Mount the volume in the container that needs the token, and let its client read the file again when it changes.",
        ));
    }
    let _ = write!(
        out,
        "apiVersion: {}\nkind: {}\nmetadata:\n  name: \"{}\"\n  namespace: \"{}\"\nspec:\n",
        shape.api,
        shape.kind,
        json(name),
        json(namespace)
    );
    let mut depth = 1;
    for key in shape.path {
        let _ = writeln!(out, "{}{key}:", "  ".repeat(depth));
        depth += 1;
    }
    let mut lines = vec![
        "serviceAccountName: \"⟦service_account⟧\"",
        "automountServiceAccountToken: false",
    ];
    if token {
        lines.extend([
            "volumes:",
            "  - name: bound-token",
            "    projected:",
            "      sources:",
            "        - serviceAccountToken:",
            "            path: token",
            "            audience: \"⟦token_audience⟧\"",
            "            expirationSeconds: ⟦token_seconds⟧",
        ]);
    }
    for line in lines {
        let _ = writeln!(out, "{}{}", "  ".repeat(depth), facts.fill(line, json));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_pods_where_the_api_has_them() {
        let place = |kind: &str| {
            let shape = SHAPES.iter().find(|shape| shape.kind == kind).unwrap();
            (shape.path.join("."), matches!(shape.takes, Takes::Anew))
        };
        assert_eq!(place("Deployment"), ("template.spec".to_owned(), false));
        assert_eq!(
            place("CronJob"),
            ("jobTemplate.spec.template.spec".to_owned(), false)
        );
        assert_eq!(place("Job"), ("template.spec".to_owned(), true));
        assert_eq!(place("Pod"), (String::new(), true));
    }
}
