//! What narrows a user whose key has to stay: where its calls may come from, and what they may do.

use super::facts::Facts;
use super::policies::Documents as Policies;
use super::scripts::script;
use super::terraform;
use super::text::{comments, shell};
use super::trust::pretty;
use super::{Made, Remarks};
use crate::jit::subject::Subject;
use crate::model::ArtefactKind;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Most networks that one policy names.
const MOST: usize = 40;

/// The policy that refuses a user's calls from anywhere but where it works; nothing where no user of AWS is known.
pub(super) fn boundary(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    remarks: &mut Remarks,
) -> Option<Made> {
    facts.values.get("user")?;
    let mut public = BTreeSet::new();
    let mut inside = false;
    for network in subject.activity.iter().flat_map(|one| &one.networks) {
        match reach(&network.name) {
            Some(true) => {
                public.insert(network.name.as_str());
            }
            Some(false) => inside = true,
            None => {}
        }
    }
    let seen = !public.is_empty() || inside;
    remarks.notes.push(if seen {
        "network-boundary.json names the networks that logs show: take out what should not be there, and add what works on other days".to_owned()
    } else {
        "no log shows where the calls come from: network-boundary.json waits for the addresses".to_owned()
    });
    if public.len() > MOST {
        remarks.notes.push(format!(
            "the calls come from {} networks: only {MOST} of them are named",
            public.len()
        ));
    }
    let mut when = Map::new();
    let addresses: Vec<&str> = if public.is_empty() && !inside {
        vec!["__ADDRESS_RANGE__"]
    } else {
        public.into_iter().take(MOST).collect()
    };
    if !addresses.is_empty() {
        // What comes through an endpoint of a VPC has no public address: then the VPC decides.
        let operator = if inside {
            "NotIpAddressIfExists"
        } else {
            "NotIpAddress"
        };
        when.insert(operator.into(), json!({ "aws:SourceIp": addresses }));
    }
    if inside {
        when.insert(
            "StringNotEqualsIfExists".into(),
            json!({ "aws:SourceVpc": "__VPC_ID__" }),
        );
    }
    // Services that go on with what a call of it has begun call from their own addresses.
    when.insert("Bool".into(), json!({ "aws:ViaAWSService": "false" }));
    let document: Value = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "OnlyFromKnownNetworks",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": when,
        }],
    });
    Some(Made::new(
        "network-boundary.json",
        ArtefactKind::PermissionPolicy,
        "refuses every call that does not come from the known networks; an inline policy of the user",
        pretty(&document),
    ))
}

/// Whether a network is one of the internet; `None` where it is no network.
fn reach(name: &str) -> Option<bool> {
    let (address, bits) = name.split_once('/')?;
    bits.parse::<u8>().ok()?;
    Some(match address.parse().ok()? {
        IpAddr::V4(one) => {
            let [a, b, ..] = one.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(one.is_private() || one.is_loopback() || one.is_link_local() || shared)
        }
        IpAddr::V6(one) => {
            let first = one.segments().first().copied().unwrap_or_default();
            first & 0xfe00 != 0xfc00 && first & 0xffc0 != 0xfe80 && !one.is_loopback()
        }
    })
}

/// The script that puts the narrow policies in the place of everything the user holds; nothing where no use is known.
pub(super) fn narrow(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    policies: &Policies,
) -> Option<Made> {
    let user = facts.values.get("user")?;
    let documents: Vec<String> = policies
        .permissions
        .iter()
        .flat_map(super::policies::Permission::paths)
        .collect();
    let names = terraform::attached(user, policies);
    if documents.is_empty() || names.len() != documents.len() {
        return None;
    }
    let head = subject
        .identity
        .and_then(|identity| identity.native_id.split_once(":user/"))
        .map_or_else(
            || "arn:aws:iam::__ACCOUNT__".to_owned(),
            |(head, _)| head.to_owned(),
        );
    let quoted = |list: &[String]| -> String {
        list.iter()
            .map(|one| shell(one))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let boundary = policies
        .boundary
        .as_ref()
        .map_or_else(String::new, |_| shell(&format!("{user}-boundary")));
    let body = format!(
        "user={}\nhead={}\nnarrow=({})\ndocuments=({})\nboundary={boundary}\n{TAKE}",
        shell(user),
        shell(&head),
        quoted(&names),
        quoted(&documents),
    );
    Some(Made::new(
        "narrow.sh",
        ArtefactKind::Configuration,
        "gives the user the narrow policies and takes every other policy and group off it; keeps what it takes off for rollback.sh. The key goes on working",
        script(
            "Narrows the user to what it was seen using. Its key stays.",
            &format!(
                "{}{body}",
                comments(
                    "Run it in this folder, after permissions.json was read by who owns the work."
                )
            ),
        ),
    ))
}

const TAKE: &str = r#"# A managed policy of this name with this document: a new one, or a new version.
put() {
  if aws iam get-policy --policy-arn "$head:policy/$1" > /dev/null 2>&1; then
    aws iam create-policy-version --policy-arn "$head:policy/$1" --policy-document "file://$2" --set-as-default > /dev/null
  else
    aws iam create-policy --policy-name "$1" --policy-document "file://$2" > /dev/null
  fi
}
for at in "${!narrow[@]}"; do
  put "${narrow[$at]}" "${documents[$at]}"
  aws iam attach-user-policy --user-name "$user" --policy-arn "$head:policy/${narrow[$at]}"
  echo "attached: ${narrow[$at]}"
done
# Everything else comes off, and is kept in before/ for rollback.sh.
mkdir -p before
is_narrow() {
  local name
  for name in "${narrow[@]}"; do
    case "$1" in *:policy/"$name") return 0 ;; esac
  done
  return 1
}
for arn in $(aws iam list-attached-user-policies --user-name "$user" --query 'AttachedPolicies[].PolicyArn' --output text); do
  if [ "$arn" = None ] || is_narrow "$arn"; then
    continue
  fi
  echo "$arn" >> before/attached.txt
  aws iam detach-user-policy --user-name "$user" --policy-arn "$arn"
  echo "taken off: $arn"
done
for name in $(aws iam list-user-policies --user-name "$user" --query PolicyNames --output text); do
  case "$name" in None | known-networks | overstay-kill-switch) continue ;; esac
  aws iam get-user-policy --user-name "$user" --policy-name "$name" --query PolicyDocument --output json > "before/$name.json"
  aws iam delete-user-policy --user-name "$user" --policy-name "$name"
  echo "taken off: $name"
done
for group in $(aws iam list-groups-for-user --user-name "$user" --query 'Groups[].GroupName' --output text); do
  if [ "$group" = None ]; then
    continue
  fi
  echo "$group" >> before/groups.txt
  aws iam remove-user-from-group --user-name "$user" --group-name "$group"
  echo "taken out of: $group"
done
if [ -n "$boundary" ]; then
  put "$boundary" permissions-boundary.json
  aws iam put-user-permissions-boundary --user-name "$user" --permissions-boundary "$head:policy/$boundary"
fi
"#;

/// Lines of `rollback.sh` that put back what was taken off the user.
pub(super) const BACK: &str = r#"# The network boundary and the kill switch go, and what narrow.sh took off comes back.
for policy in known-networks overstay-kill-switch; do
  if aws iam get-user-policy --user-name "$user" --policy-name "$policy" > /dev/null 2>&1; then
    aws iam delete-user-policy --user-name "$user" --policy-name "$policy"
  fi
done
if [ -d before ]; then
  if aws iam get-user --user-name "$user" --query User.PermissionsBoundary.PermissionsBoundaryArn --output text | grep --quiet '^arn:'; then
    aws iam delete-user-permissions-boundary --user-name "$user"
  fi
  if [ -f before/attached.txt ]; then
    while read -r arn; do
      aws iam attach-user-policy --user-name "$user" --policy-arn "$arn"
    done < before/attached.txt
  fi
  if [ -f before/groups.txt ]; then
    while read -r group; do
      aws iam add-user-to-group --user-name "$user" --group-name "$group"
    done < before/groups.txt
  fi
  for file in before/*.json; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .json)
    aws iam put-user-policy --user-name "$user" --policy-name "$name" --policy-document "file://$file"
  done
fi
"#;

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the script is tried by the shell that will run it"
)]
mod tests {
    use super::*;
    use crate::jit::fixtures::{World, access_key, consumer, logged, seen, user, with_privilege};
    use crate::model::{Artefact, ConsumerClass, Counted, Disposition, PlanItem, Rhythm, Storage};
    use crate::plan::artefacts::Maker;
    use std::process::Command;

    /// A payment job whose failed renewal nobody can bear, with logs of where it works.
    fn payments(networks: &[&str]) -> (PlanItem, Vec<Made>) {
        let mut world =
            World::new("[[identity]]\nmatch = \"*payments\"\nrenewal_failure_tolerable = \"no\"\n");
        let worker = with_privilege(user("payments"), 3, true);
        let mut key = access_key(&worker);
        key.storage = Storage::CiStore;
        let mut job = consumer("pay.yml/settle", ConsumerClass::Ci, "github-actions", "pay");
        job.timeout_seconds = Some(1200);
        job.uses.credentials = vec![key.id.clone()];
        world.add_consumer(job);
        world.add_identity(worker.clone());
        world.add_credential(key.clone());
        let mut activity = seen(&worker, Some(&key), Rhythm::CronLike, [600, 900, 1200]);
        activity.networks = networks
            .iter()
            .map(|name| Counted {
                name: (*name).into(),
                count: 10,
            })
            .collect();
        logged(&mut world, activity);
        // Another key of the same user does something else.
        let mut other = seen(&worker, None, Rhythm::CronLike, [600, 900, 1200]);
        other.access_key = Some("another".into());
        other.actions.truncate(1);
        other.actions[0].action = "sqs:SendMessage".into();
        logged(&mut world, other);
        let item = world.plan().remove(0);
        let context = world.context();
        let made = Maker::new(&context).unwrap().item(&item);
        (item, made)
    }

    fn text<'m>(made: &'m [Made], path: &str) -> &'m str {
        let found = made.iter().find(|file| file.path == path);
        &found.unwrap_or_else(|| panic!("{path}")).text
    }

    #[test]
    fn an_item_that_keeps_the_key_tells_one_story() {
        let (item, made) = payments(&["198.51.100.0/24", "10.0.0.0/16"]);
        assert_eq!(item.disposition, Disposition::ShortenAndCompensate);
        assert_eq!(item.mechanism, "aws-key-kept");
        assert!(item.ttl.seconds >= Some(86_400), "{:?}", item.ttl);
        let names: Vec<String> = made
            .iter()
            .map(Made::listed)
            .map(|one: Artefact| one.path)
            .collect();
        for gone in ["main.tf", "trust-policy.json", "session-policy.json"] {
            assert!(!names.iter().any(|name| name == gone), "{names:?}");
        }
        assert!(
            !names
                .iter()
                .any(|name| name.rsplit('.').next() == Some("patch")),
            "{names:?}"
        );
        for step in &item.steps {
            assert_ne!(step.title, "Deactivate and wait");
            let command = step.command.as_deref().unwrap_or_default();
            assert!(
                !command.contains("Inactive") && !command.contains("delete-access-key"),
                "{command}"
            );
        }
        assert!(!item.detect_done.contains("gone"), "{}", item.detect_done);
        let triggers: Vec<&str> = item
            .revocation_triggers
            .iter()
            .map(|one| one.as_str())
            .collect();
        assert_eq!(
            triggers,
            ["ttl_expiry", "context_change", "manual_fallback"]
        );
        let revoke = text(&made, "revoke.sh");
        assert!(revoke.contains("not a step of the plan"), "{revoke}");
        let negative = text(&made, "negative-test.sh");
        assert!(!negative.contains("the old access key"), "{negative}");
        assert!(negative.contains("aws:SourceIp"), "{negative}");
        let network = text(&made, "network-boundary.json");
        assert!(
            network.contains("198.51.100.0/24") && network.contains("__VPC_ID__"),
            "{network}"
        );
        assert!(!network.contains("10.0.0.0"), "{network}");
        let permissions = text(&made, "permissions.json");
        assert!(
            permissions.contains("s3:PutObject") && permissions.contains("sqs:SendMessage"),
            "{permissions}"
        );
        let readme = text(&made, "README.md");
        assert!(!readme.contains("End the old access"), "{readme}");
    }

    #[test]
    fn networks_are_those_of_logs_or_wait_to_be_named() {
        let (_, made) = payments(&[]);
        assert!(text(&made, "network-boundary.json").contains("__ADDRESS_RANGE__"));
        let (_, made) = payments(&["198.51.100.0/24"]);
        let network = text(&made, "network-boundary.json");
        assert!(
            network.contains("\"NotIpAddress\"") && !network.contains("SourceVpc"),
            "{network}"
        );
        for (name, known) in [
            ("192.0.2.0/24", Some(true)),
            ("172.20.0.0/16", Some(false)),
            ("100.70.0.0/16", Some(false)),
            ("fd00::/48", Some(false)),
            ("2001:db8::/48", Some(true)),
            ("s3.amazonaws.com", None),
            ("x/y", None),
        ] {
            assert_eq!(reach(name), known, "{name}");
        }
    }

    #[test]
    fn everything_wide_comes_off_after_the_narrow_is_on_and_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let answers = "aws() { case \"$2\" in list-attached-user-policies) echo 'arn:aws:iam::aws:policy/AdministratorAccess arn:aws:iam::1:policy/u-used';; list-user-policies) echo 'wide known-networks';; list-groups-for-user) echo admins;; get-policy) return 254;; get-user) echo arn:aws:iam::1:policy/b;; get-user-policy) echo '{}';; *) echo \"$*\" >> asked;; esac; }\n";
        let run = |body: &str| {
            let text = format!(
                "set -euo pipefail\n{answers}user=u\nhead=arn:aws:iam::1\nnarrow=(u-used)\ndocuments=(permissions.json)\nboundary=u-boundary\n{body}"
            );
            let mut shell = Command::new("bash");
            let end = shell
                .arg("-c")
                .arg(text)
                .current_dir(&place)
                .output()
                .unwrap();
            assert!(end.status.success(), "{end:?}");
            let asked = std::fs::read_to_string(place.path().join("asked")).unwrap();
            std::fs::remove_file(place.path().join("asked")).unwrap();
            asked
        };
        let asked = run(TAKE);
        let at = |text: &str| {
            asked
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {asked}"))
        };
        assert!(
            at("attach-user-policy --user-name u --policy-arn arn:aws:iam::1:policy/u-used")
                < at("detach-user-policy")
        );
        assert!(at("remove-user-from-group") < at("put-user-permissions-boundary"));
        assert!(asked.contains("delete-user-policy --user-name u --policy-name wide"));
        assert!(
            !asked.contains("known-networks") && !asked.contains("access-key"),
            "{asked}"
        );
        let back = run(BACK);
        for text in [
            "attach-user-policy --user-name u --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
            "add-user-to-group --user-name u --group-name admins",
            "--policy-name wide --policy-document",
            "delete-user-permissions-boundary",
        ] {
            assert!(back.contains(text), "{text}: {back}");
        }
    }
}
