//! The script that takes the policies of today off a role that is kept, once the narrow ones are on it.

use super::Made;
use super::facts::Facts;
use super::policies::Documents as Policies;
use super::scripts::script;
use super::terraform;
use super::text::{comments, shell};
use crate::jit::subject::Subject;
use crate::model::ArtefactKind;

/// The script; `None` where the role is a new one, or nothing takes the place of its policies.
pub(super) fn file(subject: &Subject<'_>, facts: &Facts<'_>, policies: &Policies) -> Option<Made> {
    let role = facts.values.get("role").filter(|_| facts.keeps_role())?;
    facts.trust?;
    let narrow: Vec<String> = terraform::attached(role, policies)
        .iter()
        .map(String::as_str)
        .map(shell)
        .collect();
    if narrow.is_empty() {
        return None;
    }
    let blanket = subject
        .identity
        .map(|identity| identity.privilege.blanket_policies.join(", "))
        .filter(|names| !names.is_empty())
        .map(|names| comments(&format!("Held today, by the scan: {names}.")));
    let body = format!(
        "{}role={}\nnarrow=({})\n{TAKE}",
        blanket.unwrap_or_default(),
        shell(role),
        narrow.join(" ")
    );
    Some(Made::new(
        "narrow.sh",
        ArtefactKind::Revocation,
        "takes every other policy off the role once the narrow ones are attached and the work has been seen to go on; keeps what it takes off for rollback.sh",
        script(
            "Takes the wide policies off the role. Run it after main.tf was applied and a run went well.",
            &body,
        ),
    ))
}

const TAKE: &str = r#"attached=$(aws iam list-attached-role-policies --role-name "$role" --query 'AttachedPolicies[].PolicyArn' --output text)
inline=$(aws iam list-role-policies --role-name "$role" --query PolicyNames --output text)
is_narrow() {
  local name
  for name in "${narrow[@]}"; do
    case "$1" in *:policy/"$name" | *:policy/*/"$name") return 0 ;; esac
  done
  return 1
}
# Without the narrow policies the work would stop: nothing is taken off before all of them are there.
there=0
for arn in $attached; do
  if is_narrow "$arn"; then
    there=$((there + 1))
  fi
done
if [ "$there" -lt "${#narrow[@]}" ]; then
  echo "the narrow policies are not all attached to $role: apply main.tf first. Nothing was taken off." >&2
  exit 3
fi
mkdir -p before
for arn in $attached; do
  if [ "$arn" = None ] || is_narrow "$arn"; then
    continue
  fi
  echo "$arn" >> before/attached.txt
  aws iam detach-role-policy --role-name "$role" --policy-arn "$arn"
  echo "taken off: $arn"
done
for name in $inline; do
  case "$name" in None | may-ask-for-elevation | overstay-kill-switch | revoke-older-sessions) continue ;; esac
  aws iam get-role-policy --role-name "$role" --policy-name "$name" --query PolicyDocument --output json > "before/$name.json"
  aws iam delete-role-policy --role-name "$role" --policy-name "$name"
  echo "taken off: $name"
done
"#;

/// Lines of `rollback.sh` that put back what `narrow.sh` took off, and lift the boundary that would still refuse it.
pub(super) const BACK: &str = r#"if [ -d before ]; then
  if aws iam get-role --role-name "$narrowed" --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text | grep --quiet '^arn:'; then
    aws iam delete-role-permissions-boundary --role-name "$narrowed"
  fi
  if [ -f before/attached.txt ]; then
    while read -r arn; do
      aws iam attach-role-policy --role-name "$narrowed" --policy-arn "$arn"
    done < before/attached.txt
  fi
  for file in before/*.json; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .json)
    aws iam put-role-policy --role-name "$narrowed" --policy-name "$name" --policy-document "file://$file"
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
    use std::process::Command;

    /// What the script asks of AWS where the role holds these policies, and how it ends.
    fn asks(attached: &str) -> (Option<i32>, String) {
        let place = tempfile::tempdir().unwrap();
        let answers = format!(
            "aws() {{ case \"$2\" in list-attached-role-policies) echo '{attached}';; list-role-policies) echo 'wide may-ask-for-elevation';; get-role-policy) echo '{{}}';; *) echo \"$2 $*\" >> asked;; esac; }}\n"
        );
        let text = format!("set -euo pipefail\n{answers}role=r\nnarrow=(r-used-1)\n{TAKE}");
        let mut shell = Command::new("bash");
        let end = shell
            .arg("-c")
            .arg(text)
            .current_dir(&place)
            .output()
            .unwrap();
        let asked = std::fs::read_to_string(place.path().join("asked")).unwrap_or_default();
        (end.status.code(), asked)
    }

    #[test]
    fn wide_policies_go_once_the_narrow_ones_are_there() {
        let (admin, narrow) = (
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::111122223333:policy/r-used-1",
        );
        assert_eq!(asks(admin), (Some(3), String::new()));
        let (code, asked) = asks(&format!("{admin} {narrow}"));
        assert_eq!(code, Some(0));
        let mut lines = asked.lines();
        let first = lines.next().unwrap();
        assert!(
            first.starts_with("detach-role-policy") && first.ends_with(admin),
            "{asked}"
        );
        let second = lines.next().unwrap();
        assert!(
            second.starts_with("delete-role-policy") && second.ends_with("wide"),
            "{asked}"
        );
        assert_eq!(lines.next(), None);
    }
}
