//! What the new access may do, made from what was used: reads that may stay, privileged actions that are asked for.

use super::PlanContext;
use crate::jit::subject::Subject;
use crate::jit::task;
use crate::model::{ActionKind, PermissionLine, PermissionSets};
use std::collections::{BTreeMap, BTreeSet};

/// Resources under one prefix from which the prefix stands for them.
const SAME_PREFIX: usize = 3;
/// Resources named in one line of a policy.
const MAX_RESOURCES: usize = 20;

/// The two sets, from logs and from what the provider says was used; `None` where neither tells anything.
pub fn sets(context: &PlanContext<'_>, subject: &Subject<'_>) -> Option<PermissionSets> {
    let mut used: BTreeMap<&str, (ActionKind, BTreeSet<String>, bool)> = BTreeMap::new();
    for activity in &subject.activity {
        for action in activity.succeeded() {
            let held =
                used.entry(action.action.as_str())
                    .or_insert((action.kind, BTreeSet::new(), false));
            held.1.extend(action.resources.iter().cloned());
            held.2 |= action.more_resources;
        }
    }
    let usage = subject
        .identity
        .and_then(|identity| identity.privilege.usage.as_ref());
    if used.is_empty() && usage.is_none() {
        return None;
    }
    let mut gaps = task::gaps(context, subject);
    let mut sources = Vec::new();
    if let Some(activity) = subject.main_activity() {
        sources.push(format!(
            "CloudTrail, {} to {}",
            activity.first.strftime("%Y-%m-%d"),
            activity.last.strftime("%Y-%m-%d")
        ));
    }
    let logged: BTreeSet<String> = used
        .keys()
        .filter_map(|action| Some(action.split_once(':')?.0.to_owned()))
        .collect();
    if let Some(usage) = usage {
        sources.push(format!(
            "last-accessed data, {} to {}",
            usage.since.strftime("%Y-%m-%d"),
            usage.until.strftime("%Y-%m-%d")
        ));
        let silent: Vec<&str> = usage
            .services_used
            .iter()
            .filter(|service| !logged.contains(service.as_str()))
            .map(String::as_str)
            .collect();
        if !silent.is_empty() {
            gaps.push(format!(
                "last-accessed data says that {} was used, and no log names a call: its actions are in the smaller policy, not in this list",
                silent.join(", ")
            ));
        }
        if let Some(why) = &usage.too_early {
            gaps.push(why.clone());
        }
    }
    let (mut baseline, mut elevated) = (Groups::new(), Groups::new());
    for (action, (kind, resources, more)) in used {
        let resources = narrowed(&resources, more);
        if resources.iter().any(|arn| arn == "*") {
            gaps.push(format!("no event names the resources of {action}"));
        }
        let set = if kind.elevated() {
            &mut elevated
        } else {
            &mut baseline
        };
        set.entry(resources).or_default().insert(action.to_owned());
    }
    if gaps.len() > 12 {
        let unnamed = gaps.len() - 12;
        gaps.truncate(12);
        gaps.push(format!("and {unnamed} more of this kind"));
    }
    Some(PermissionSets {
        source: sources.join("; "),
        baseline: lines(baseline),
        elevated: lines(elevated),
        gaps,
    })
}

type Groups = BTreeMap<Vec<String>, BTreeSet<String>>;

fn lines(groups: Groups) -> Vec<PermissionLine> {
    groups
        .into_iter()
        .map(|(resources, actions)| PermissionLine {
            actions: actions.into_iter().collect(),
            resources,
        })
        .collect()
}

/// Resources as a policy names them: one by one where they are few, by their common prefix where they are many.
fn narrowed(resources: &BTreeSet<String>, more: bool) -> Vec<String> {
    if resources.is_empty() {
        return vec!["*".to_owned()];
    }
    let mut prefixes: BTreeMap<&str, usize> = BTreeMap::new();
    for arn in resources {
        if let Some(prefix) = prefix(arn) {
            *prefixes.entry(prefix).or_default() += 1;
        }
    }
    let mut list: BTreeSet<String> = resources
        .iter()
        .map(|arn| match prefix(arn) {
            Some(head) if more || prefixes.get(head).is_some_and(|n| *n >= SAME_PREFIX) => {
                format!("{head}*")
            }
            _ => arn.clone(),
        })
        .collect();
    if list.len() > MAX_RESOURCES {
        // Up to the name of the bucket, table or repository.
        list = list
            .iter()
            .map(|arn| {
                let mut parts = arn.splitn(6, ':');
                let head: Vec<&str> = parts.by_ref().take(5).collect();
                let path = parts.next().unwrap_or_default();
                let first = path.split('/').next().unwrap_or_default();
                if first == path {
                    arn.clone()
                } else {
                    format!("{}:{first}/*", head.join(":"))
                }
            })
            .collect();
    }
    list.into_iter().collect()
}

/// An ARN up to its last slash, where there is one behind the resource's own name.
fn prefix(arn: &str) -> Option<&str> {
    let at = arn.rfind('/')?;
    let path = arn.splitn(6, ':').nth(5)?;
    path.contains('/').then(|| arn.get(..=at)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn resources_are_named_or_stand_for_each_other() {
        assert_eq!(narrowed(&set(&[]), false), ["*"]);
        assert_eq!(
            narrowed(&set(&["arn:aws:s3:::b/x/1", "arn:aws:s3:::b/y"]), false),
            ["arn:aws:s3:::b/x/1", "arn:aws:s3:::b/y"]
        );
        assert_eq!(
            narrowed(
                &set(&[
                    "arn:aws:s3:::b/x/1",
                    "arn:aws:s3:::b/x/2",
                    "arn:aws:s3:::b/x/3"
                ]),
                false
            ),
            ["arn:aws:s3:::b/x/*"]
        );
        assert_eq!(
            narrowed(&set(&["arn:aws:dynamodb:eu-west-1:1:table/orders"]), false),
            ["arn:aws:dynamodb:eu-west-1:1:table/orders"]
        );
    }
}
