//! The script that proves that access has ended and that the new way has its bounds.

use super::Made;
use super::facts::Facts;
use super::policies::Documents as Policies;
use super::scripts::script;
use super::text::{comments, shell};
use crate::model::{ArtefactKind, Disposition};
use crate::rules::artefacts::{Artefacts, fits};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Fails unless what must be refused is refused, and was tried. `lost` are actions that today's policies allow and the
/// proposed ones do not.
pub(super) fn file(
    facts: &Facts<'_>,
    data: &Artefacts,
    migrates: bool,
    policies: Option<&Policies>,
    lost: &[String],
) -> Made {
    let mut body = String::from(REFUSED);
    let _ = write!(body, "\n{}", comments(&facts.item.negative_test));
    let mut any = false;
    if let Some(kind) = facts.credential.filter(|_| !facts.keeps_credential) {
        let old = data
            .negative
            .iter()
            .filter(|entry| !entry.old.is_empty() && fits(&entry.systems, &facts.system))
            .find(|entry| fits(&entry.credentials, kind));
        if let Some(old) = old {
            body.push_str(&asked(&facts.fill(&old.old, shell)));
            any = true;
        }
    }
    let known = |needs: &[String]| {
        needs
            .iter()
            .all(|name| facts.values.contains_key(name.as_str()))
    };
    if facts.credential.is_none() && facts.item.disposition == Disposition::Decommission {
        for one in data.negative.iter().filter(|entry| {
            !entry.gone.is_empty() && fits(&entry.systems, &facts.system) && known(&entry.needs)
        }) {
            body.push_str(&facts.fill(&one.gone, shell));
            any = true;
        }
    }
    for new in data.negative.iter().filter(|entry| {
        migrates
            && !facts.keeps_credential
            && !entry.new.is_empty()
            && fits(&entry.targets, &facts.item.mechanism)
            && fits(&entry.systems, &facts.system)
            && known(&entry.needs)
    }) {
        body.push_str(&facts.fill(&new.new, shell));
        any = true;
    }
    // Emergency access may do what no other role may.
    if facts.trust.is_some() && migrates && facts.item.disposition != Disposition::BreakGlassIsolate
    {
        let role = facts.fill("⟦role_arn⟧", shell);
        body.push_str(&simulated(&role, "role", data, policies, lost));
        any = true;
    }
    if let Some(user) = facts
        .values
        .get("user_arn")
        .filter(|_| facts.keeps_credential)
    {
        let user = shell(user);
        body.push_str(&simulated(&user, "user", data, policies, lost));
        body.push_str(&elsewhere(&user, policies));
        any = true;
    }
    if !any {
        body.push_str("skipped \"no command is known for this issuer: try the old credential by hand; it must be refused\"\n");
    }
    body.push_str(END);
    Made::new(
        "negative-test.sh",
        ArtefactKind::NegativeTest,
        if facts.keeps_credential {
            "ends with 0 when everything out of bounds is refused, 1 when something of it still works, 2 when something was not tried"
        } else {
            "ends with 0 when the old credential and everything out of bounds is refused, 1 when something still works, 2 when something was not tried"
        },
        script(
            if facts.keeps_credential {
                "Proves the bounds of what stays. It ends with 0 when all of it was tried and refused, with 1 when something out of bounds still works, and with 2 when not all of it could be tried."
            } else { "Proves that access has ended, and that the new way has its bounds. It ends with 0 when all of it was tried and refused, with 1 when something still works, and with 2 when nothing works but not all of it could be tried." },
            &body,
        )
        .replacen("set -euo pipefail", "set -uo pipefail", 1),
    )
}

/// Actions that the role must be refused: dangerous ones and those that it loses, but never what was used.
fn simulated(
    arn: &str,
    what: &str,
    data: &Artefacts,
    policies: Option<&Policies>,
    lost: &[String],
) -> String {
    let used: BTreeSet<String> = policies
        .into_iter()
        .flat_map(Policies::granted)
        .map(str::to_ascii_lowercase)
        .collect();
    let mut actions: Vec<String> = Vec::new();
    for action in lost.iter().chain(&data.boundary.probes) {
        let shown = shell(action);
        if !used.contains(&action.to_ascii_lowercase()) && !actions.contains(&shown) {
            actions.push(shown);
        }
    }
    format!(
        "\n# What the {what}'s own policies allow of what it must never do and of what it may no longer do, by IAM's simulator: nothing.\nif ! allowed=$(aws iam simulate-principal-policy --policy-source-arn {arn} \\\n  --action-names {} \\\n  --query \"EvaluationResults[?EvalDecision=='allowed'].EvalActionName\" --output text 2>&1); then\n  skipped \"what the {what} must never do: the simulator gave no answer: $allowed\"\nelif [ -n \"$allowed\" ] && [ \"$allowed\" != \"None\" ]; then\n  failed \"the {what} may: $allowed\"\nelse\n  proven \"everything the {what} must never do\"\nfi\n",
        actions.join(" ")
    )
}

/// Calls from an address that is nobody's have to be refused, whatever they ask for.
fn elsewhere(arn: &str, policies: Option<&Policies>) -> String {
    let used: BTreeSet<String> = policies
        .into_iter()
        .flat_map(Policies::granted)
        .take(20)
        .map(shell)
        .collect();
    let actions = if used.is_empty() {
        "s3:ListAllMyBuckets".to_owned()
    } else {
        used.into_iter().collect::<Vec<_>>().join(" ")
    };
    format!(
        "\n# From an address that belongs to nobody, even what it uses is refused, by IAM's simulator.\nif ! allowed=$(aws iam simulate-principal-policy --policy-source-arn {arn} \\\n  --action-names {actions} \\\n  --context-entries ContextKeyName=aws:SourceIp,ContextKeyValues=203.0.113.77,ContextKeyType=ip ContextKeyName=aws:ViaAWSService,ContextKeyValues=false,ContextKeyType=boolean \\\n  --query \"EvaluationResults[?EvalDecision=='allowed'].EvalActionName\" --output text 2>&1); then\n  skipped \"calls from elsewhere: the simulator gave no answer: $allowed\"\nelif [ -n \"$allowed\" ] && [ \"$allowed\" != \"None\" ]; then\n  failed \"calls from elsewhere may: $allowed\"\nelse\n  proven \"calls from elsewhere\"\nfi\n"
    )
}

/// A test behind the question whether everything was exported that it needs: without it, nothing is tried and the rest goes on.
fn asked(text: &str) -> String {
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("${") {
        let Some((inside, after)) = from.split_once('}') else {
            break;
        };
        if let Some((name, message)) = inside.split_once(":?") {
            wanted.insert(name, message);
        }
        rest = after;
    }
    if wanted.is_empty() {
        return text.to_owned();
    }
    let tests: Vec<String> = wanted
        .iter()
        .map(|(name, message)| format!("wanted {name} {}", shell(message)))
        .collect();
    let mut out = format!("\nif {}; then\n", tests.join(" && "));
    for line in text.trim_matches('\n').lines() {
        let _ = writeln!(out, "  {line}");
    }
    out.push_str("fi\n");
    out
}

const REFUSED: &str = r#"failures=0
untried=0
tried=0
failed() {
  echo "NOT REFUSED: $1" >&2
  failures=$((failures + 1))
}
skipped() {
  echo "NOT TRIED: $1" >&2
  untried=$((untried + 1))
}
proven() {
  echo "refused: $1"
  tried=$((tried + 1))
}
# wanted NAME MESSAGE: what the next test needs was exported.
wanted() {
  [ -n "${!1:-}" ] || {
    skipped "$2 as $1"
    return 1
  }
}
# refused WHAT ERRORS COMMAND...: the command has to fail with one of these errors; another failure proves nothing. An
# answer of the kind in `alive` says that what was tried still works.
alive=
refused() {
  local what=$1 errors=$2 output status
  shift 2
  output=$("$@" 2>&1 < /dev/null)
  status=$?
  if [ "$status" -eq 0 ]; then
    failed "$what"
  elif [ -n "$alive" ] && printf '%s' "$output" | grep --extended-regexp --quiet "$alive"; then
    failed "$what: it is known and active"
  elif printf '%s' "$output" | grep --extended-regexp --quiet "$errors"; then
    proven "$what"
  else
    skipped "$what: it failed, but not because it was refused"
  fi
}
"#;

const END: &str = r#"
if [ "$failures" -gt 0 ]; then
  exit 1
fi
if [ "$untried" -gt 0 ] || [ "$tried" -eq 0 ]; then
  echo "not everything was tried: this proves nothing yet" >&2
  exit 2
fi
"#;

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the scripts are tried by the shell that will run them"
)]
mod tests {
    use super::*;
    use std::process::Command;

    /// How a script of these tests ends.
    fn ends(tests: &str, exported: &[(&str, &str)]) -> Option<i32> {
        let text = format!("set -uo pipefail\n{REFUSED}{tests}{END}");
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(text).env_remove("OLD_TOKEN");
        shell.envs(exported.iter().copied());
        shell.output().ok()?.status.code()
    }

    #[test]
    fn only_what_was_tried_and_refused_passes() {
        let with = |text: &str| asked(text);
        let fails = |text: &str| {
            with(&format!(
                "alive=Signature\nrefused old 'Invalid|Signature' sh -c 'echo \"{text} ${{OLD_TOKEN:?export it}}\" >&2; exit 254'\n"
            ))
        };
        let token = [("OLD_TOKEN", "x")];
        assert_eq!(ends(&fails("Invalid"), &token), Some(0));
        assert_eq!(ends(&fails("Signature"), &token), Some(1));
        assert_eq!(ends(&fails("could not connect"), &token), Some(2));
        assert_eq!(ends(&fails("Invalid"), &[]), Some(2));
        assert_eq!(ends("refused old Invalid true\n", &[]), Some(1));
        assert_eq!(ends("", &[]), Some(2));
        assert_eq!(ends("proven one\nskipped another\n", &[]), Some(2));
        assert_eq!(
            ends("proven one\nfailed another\nskipped more\n", &[]),
            Some(1)
        );
    }
}
