//! `overstay rules`.

use super::args::{Rules, RulesCommand};
use super::exit::{CommandResult, Failure, Outcome};
use super::{environment, print, rule_files};
use crate::rules::credentials::{CredentialRules, Rule};
use crate::rules::import;
use crate::rules::posture::{CheckMeta, Posture};
use crate::secrets;
use crate::store::atomic;
use anyhow::{Context as _, anyhow};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lists, shows or checks rules.
pub(super) fn run(args: &Rules) -> CommandResult {
    match &args.command {
        RulesCommand::List => list(),
        RulesCommand::Show { id } => show(id),
        RulesCommand::Import { file, out } => import(file, out.as_deref()),
        RulesCommand::Check { paths } => check(paths),
    }
}

fn builtin() -> Result<(CredentialRules, Posture), Failure> {
    let credentials = CredentialRules::builtin().context("loading the detection rules")?;
    let posture = Posture::builtin().context("loading the checks")?;
    Ok((credentials, posture))
}

fn list() -> CommandResult {
    let (credentials, posture) = builtin()?;
    let mut text = String::new();
    let _ = writeln!(text, "Detection rules ({})", credentials.rules().len());
    for rule in credentials.rules() {
        let _ = writeln!(
            text,
            "  {:<36} {:<14} {}",
            rule.id, rule.provider, rule.title
        );
    }
    let _ = writeln!(text, "\nChecks ({})", posture.checks().count());
    for check in posture.checks() {
        let _ = writeln!(
            text,
            "  {:<36} {:<14} {}",
            check.id,
            check.severity.as_str(),
            check.title
        );
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn show(id: &str) -> CommandResult {
    let (credentials, posture) = builtin()?;
    let id = posture.renames().now(id);
    let text = if let Some(rule) = credentials.get(id) {
        describe_rule(rule)
    } else if let Some(check) = posture.check(id) {
        describe_check(check)
    } else {
        return Err(Failure::usage(
            anyhow!("there is no rule or check `{id}`"),
            "`overstay rules list` shows all",
        ));
    };
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn describe_rule(rule: &Rule) -> String {
    let mut text = format!("{}: {}\n", rule.id, rule.title);
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<18} {value}");
    };
    line("provider", rule.provider.clone());
    line("credential type", rule.credential_type.clone());
    line("literals", rule.literals.join("  "));
    line("pattern", rule.pattern.clone());
    line(
        "window",
        format!(
            "{} bytes before a literal, {} after",
            rule.window.before, rule.window.after
        ),
    );
    line("confidence", rule.confidence.as_str().to_owned());
    if let Some(tier) = rule.default_tier {
        line("grants", format!("tier {tier} by default"));
    }
    let expires = match rule.expires_by_nature {
        Some(true) => "by nature",
        Some(false) => "never",
        None => "depends",
    };
    line("expires", expires.to_owned());
    line("migration target", rule.target.clone());
    line("source", format!("{} (as of {})", rule.source, rule.as_of));
    line(
        "examples",
        format!(
            "{}, and {} that must not match",
            rule.examples.len(),
            rule.negative_examples.len()
        ),
    );
    text
}

fn describe_check(check: &CheckMeta) -> String {
    let mut text = format!(
        "{}: {}\n  severity {}\n",
        check.id, check.title, check.severity
    );
    for moved in &check.severity_moves {
        let _ = writeln!(text, "    {moved}");
    }
    let _ = write!(text, "\n{}\n\nWhat to do\n", check.rationale);
    for step in &check.remediation {
        let _ = writeln!(text, "  - {step}");
    }
    text.push('\n');
    for (framework, ids) in &check.frameworks {
        let _ = writeln!(text, "  {framework:<18} {}", ids.join(", "));
    }
    text
}

/// Converts the rules of another scanner; what has no counterpart goes to standard error.
fn import(file: &Path, out: Option<&Path>) -> CommandResult {
    let source = rule_files::text(file)
        .map_err(|error| Failure::usage(error, "name the TOML file of a gitleaks configuration"))?;
    let today = environment::now(None).to_zoned(TimeZone::UTC).date();
    let (builtin, _) = builtin()?;
    let taken = builtin.rules().iter().map(|rule| rule.id.as_str());
    let imported = import::gitleaks(&source, today, &taken.collect())
        .with_context(|| format!("converting {}", file.display()))
        .map_err(|error| {
            Failure::usage(
                error,
                "gitleaks 8 configurations hold [[rules]] with `id` and `regex`",
            )
        })?;
    for note in &imported.notes {
        tracing::warn!("{note}");
    }
    match out {
        Some(out) => {
            atomic::write(out, imported.text.as_bytes()).map_err(|error| {
                Failure::usage(error, "name a file that can be written with --out")
            })?;
            let text = format!(
                "{} rules written to {}; use them with `scan --rules` or [rules] in overstay.toml\n",
                imported.rules,
                out.display()
            );
            print(text.as_bytes())?;
        }
        None => print(imported.text.as_bytes())?,
    }
    Ok(Outcome::Done)
}

fn check(paths: &[PathBuf]) -> CommandResult {
    let rules = if paths.is_empty() {
        CredentialRules::builtin().context("loading the built-in detection rules")?
    } else {
        CredentialRules::load(rule_files::read(paths)?).map_err(|error| {
            Failure::usage(error, "docs/credential-rules.md describes the format")
        })?
    };
    let problems = secrets::check(&rules);
    if problems.is_empty() {
        let examples: usize = rules
            .rules()
            .iter()
            .map(|rule| rule.examples.len() + rule.negative_examples.len())
            .sum();
        print(
            format!(
                "{} rules, {examples} examples: all hold\n",
                rules.rules().len()
            )
            .as_bytes(),
        )?;
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for problem in &problems {
        let _ = writeln!(text, "{problem}");
    }
    print(text.as_bytes())?;
    Err(Failure::usage(
        anyhow!("{} of the rules' promises do not hold", problems.len()),
        "docs/credential-rules.md says what a rule promises",
    ))
}
