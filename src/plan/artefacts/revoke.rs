//! The script that ends the access: the credential of today, what takes its place, or both.

use super::Made;
use super::facts::Facts;
use super::scripts::{command, script};
use super::text::{comments, shell, whole};
use crate::model::{ArtefactKind, Disposition, RevocationTrigger};
use crate::plan::revocation::Way;
use std::fmt::Write as _;

/// The end of a script that leaves work to a person.
const BY_HAND: &str = "3";

/// Ends the access.
pub(super) fn file(facts: &Facts<'_>) -> Made {
    let triggers: Vec<&str> = facts
        .item
        .revocation_triggers
        .iter()
        .filter(|trigger| !matches!(trigger, RevocationTrigger::TtlExpiry))
        .map(|trigger| trigger.in_words())
        .collect();
    let when = |what: &str| match triggers.as_slice() {
        _ if facts.keeps_credential => comments(
            "The way out, and not a step of the plan: the credential stays, and what uses it stops. Run it when others may have it, when the work is over, or when nobody answers for the exception any more.",
        ),
        _ if facts.item.disposition == Disposition::SplitFirst => comments(
            "Run it once every path has an access of its own and nothing has asked for the shared one for a full schedule period; at once where others may have it.",
        ),
        [] if facts.item.disposition == Disposition::RevokeNow => {
            comments("Run it now: nothing takes the place of this access.")
        }
        [] => comments("Run it once README.md's order comes to it: nothing takes its place."),
        _ => comments(&format!("{what} as soon as {}.", either(&triggers))),
    };
    let (old, new) = (old(facts), new(facts));
    let (description, text) = match (old, new) {
        (Some(old), Some(new)) => (
            "with the word old it ends the credential of today, with the word new what takes its place, without a word both",
            parts(
                &when("Run the second, by hand or by the pipeline itself,"),
                &old,
                &new,
            ),
        ),
        (Some(only), None) | (None, Some(only)) => (
            "ends the access",
            script(
                "Ends the access of this plan item.",
                &format!("{}{}{only}", when("Run it"), prelude(&only)),
            ),
        ),
        (None, None) => (
            "says what ends the access",
            script(
                "Ends the access of this plan item.",
                &format!(
                    "{}{}",
                    when("Run it"),
                    hand(
                        "end it in the console of its issuer, then run negative-test.sh",
                        "exit"
                    )
                ),
            ),
        ),
    };
    Made::new("revoke.sh", ArtefactKind::Revocation, description, text)
}

/// `a, b or c`.
fn either(list: &[&str]) -> String {
    match list {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What a person has to do, and the end that says so.
fn hand(text: &str, leave: &str) -> String {
    format!(
        "echo {} >&2\n{leave} {BY_HAND}\n",
        shell(&format!("by hand: {}", whole(text)))
    )
}

/// Commands joined by `&&`, one a line: a shell that stops at the first failure does not stop at one on the left of `&&`.
fn steps(text: &str) -> String {
    // Where something is done on failure, the left side is not the end.
    if text.contains("||") || text.starts_with("if ") {
        return format!("{text}\n");
    }
    let mut out = String::with_capacity(text.len() + 1);
    let (mut quote, mut depth) = (None, 0_usize);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some('"') | None, '\\') => {
                out.push(c);
                out.extend(rest.next());
                continue;
            }
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{') => depth += 1,
            (None, ')' | '}') => depth = depth.saturating_sub(1),
            (None, '&') if depth == 0 && rest.peek() == Some(&'&') => {
                rest.next();
                out.truncate(out.trim_end().len());
                out.push('\n');
                while rest.next_if_eq(&' ').is_some() {}
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    format!("{}\n", out.trim_end())
}

/// Interfaces that answer a refusal with status 200 and say in the body that nothing was done.
const BODY: &str = r#"# Some interfaces answer 200 and say in the body that nothing was done: that is a failure too.
curl() {
  local answer
  answer=$(command curl "$@") || return
  printf '%s\n' "$answer"
  if printf '%s' "$answer" | tr -d ' \n\t' | grep --extended-regexp --quiet '"(ok|success)":false|"errors":\[[^]]'; then
    echo "refused by the issuer: nothing was ended" >&2
    return 1
  fi
}
"#;

/// What a script's commands need before them.
fn prelude(body: &str) -> &'static str {
    let calls = body.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("curl ") || line.contains("| curl ") || line.contains(" curl ")
    });
    if calls { BODY } else { "" }
}

fn way(facts: &Facts<'_>, way: &Way, leave: &str) -> String {
    match way {
        Way::Command(text) => steps(&command(facts, &whole(text))),
        Way::ByHand(text) => hand(text, leave),
    }
}

/// Commands that end the credential of today.
fn old(facts: &Facts<'_>) -> Option<String> {
    let revocation = &facts.revocation;
    let both = revocation.new.is_some();
    let mut body = way(
        facts,
        revocation.old.as_ref()?,
        if both { "return" } else { "exit" },
    );
    if let Some(delete) = &revocation.delete {
        let _ = write!(
            body,
            "# It is switched off, not gone. Once nothing has asked for it for a full schedule period:\n# {}\n",
            command(facts, &whole(delete))
        );
    }
    Some(body)
}

/// Commands that end what takes its place.
fn new(facts: &Facts<'_>) -> Option<String> {
    let revocation = &facts.revocation;
    let both = revocation.old.is_some();
    let retired = facts.item.revoke_command.as_deref().filter(|_| {
        facts.credential.is_none() && facts.item.disposition == Disposition::Decommission
    });
    if let Some(text) = retired {
        return Some(steps(&command(facts, &whole(text))));
    }
    let mut body = way(
        facts,
        revocation.new.as_ref()?,
        if both { "return" } else { "exit" },
    );
    if let Some(role) = facts.values.get("elevated_role") {
        let _ = write!(
            body,
            "# Sessions that were asked for task by task are of a role of their own.\n{}",
            older_sessions(role)
        );
    }
    Some(body)
}

/// Refuses every call of a session that a role gave out until now.
fn older_sessions(role: &str) -> String {
    format!(
        "aws iam put-role-policy --role-name {} --policy-name revoke-older-sessions --policy-document '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{{\"DateLessThan\":{{\"aws:TokenIssueTime\":\"'\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"'\"}}}}}}]}}'\n",
        shell(role)
    )
}

/// Both in one script. What has to be filled in for the one does not stop the other.
fn parts(when: &str, old: &str, new: &str) -> String {
    let indent = |text: &str| {
        text.trim_end()
            .lines()
            .fold(String::new(), |mut out, line| {
                let _ = writeln!(out, "  {line}");
                out
            })
    };
    format!(
        "#!/usr/bin/env bash\n{}{when}set -euo pipefail\n\n{}old() {{\n{}}}\n\nnew() {{\n{}}}\n\n{DISPATCH}",
        comments(
            "Ends the access of this plan item: `revoke.sh old` the credential of today, once the new way works; `revoke.sh new` what takes its place; without a word both."
        ),
        prelude(&format!("{old}{new}")),
        indent(old),
        indent(new)
    )
}

const DISPATCH: &str = r#"part=${1:-both}
case "$part" in
old | new) ;;
both)
  # The one is ended even where the other cannot be.
  status=0
  bash "$0" old || status=$?
  bash "$0" new || status=$?
  exit "$status"
  ;;
*)
  echo "usage: revoke.sh [old | new]" >&2
  exit 64
  ;;
esac
# Nothing is done while something has to be filled in.
if declare -f "$part" | grep -q '__[A-Z][A-Z_]*__'; then
  echo "fill in the placeholders of $part first: README.md lists them" >&2
  exit 2
fi
"$part"
"#;

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the scripts are tried by the shell that will run them"
)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn every_step_is_a_line_of_its_own() {
        assert_eq!(
            steps("a x && b 'c && d' \"e && $(f && g)\""),
            "a x\nb 'c && d' \"e && $(f && g)\"\n"
        );
        assert_eq!(steps("a (b && c)"), "a (b && c)\n");
        assert_eq!(steps("a && b || c"), "a && b || c\n");
        let script = format!("set -e\n{}true\n", steps("false && true"));
        let end = Command::new("bash").arg("-c").arg(script).status().unwrap();
        assert!(!end.success());
    }

    #[test]
    fn an_answer_that_says_no_is_a_failure() {
        let tools = tempfile::tempdir().unwrap();
        let path = format!(
            "{}:{}",
            tools.path().display(),
            std::env::var("PATH").unwrap()
        );
        for (answer, passes) in [
            ("{\"ok\": false, \"error\": \"missing_scope\"}", false),
            ("{\"success\":false,\"errors\":[{\"code\":1}]}", false),
            ("{\"ok\":true}", true),
            ("{\"success\":true,\"errors\":[]}", true),
            ("", true),
        ] {
            let tool = tools.path().join("curl");
            std::fs::write(&tool, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
            let made = Command::new("chmod").arg("+x").arg(&tool).status().unwrap();
            assert!(made.success());
            let body = "curl --fail https://issuer.invalid\n";
            let script = format!("set -euo pipefail\n{}{body}", prelude(body));
            let mut shell = Command::new("bash");
            let end = shell.arg("-c").arg(script).env("PATH", &path).output();
            assert_eq!(end.unwrap().status.success(), passes, "{answer}");
        }
        assert_eq!(prelude("aws iam x\n"), "");
    }
}
