//! `overstay can` and `overstay who-can`.

use super::args::{AskedOf, Can, Global, WhoCan};
use super::exit::{CommandResult, Failure, Outcome};
use super::{print, runs};
use crate::ask::{self, Accounts, AskError, Asked, Documents};
use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

/// Largest policy document read, in bytes.
const MAX_DOCUMENT: u64 = 1024 * 1024;
/// Longest request of a list, in bytes.
const MAX_REQUEST: u64 = 4 * 1024 * 1024;

/// Answers whether a principal may do something.
pub(super) fn can(args: &Can, global: &Global) -> CommandResult {
    if let Some(file) = &args.requests {
        return answer_all(file, args, global);
    }
    let accounts = accounts_of(&args.of, global)?;
    let principal = args.principal.as_deref().unwrap_or_default();
    let action = args.action.as_deref().unwrap_or_default();
    let asked = asked(&accounts, &args.of, action, args.resource.as_deref())?;
    let world = accounts.world();
    let reply = ask::can(&world, accounts.tables(), principal, &asked).map_err(refused)?;
    if args.of.json {
        return print_json(&reply);
    }
    print(ask::render(&reply).as_bytes())?;
    Ok(Outcome::Done)
}

/// Lists who may do something.
pub(super) fn who_can(args: &WhoCan, global: &Global) -> CommandResult {
    let accounts = accounts_of(&args.of, global)?;
    let asked = asked(&accounts, &args.of, &args.action, args.resource.as_deref())?;
    let world = accounts.world();
    let replies = ask::who_can(&world, accounts.tables(), &asked).map_err(refused)?;
    if args.of.json {
        return print_json(&replies);
    }
    let resource = args.resource.as_deref().unwrap_or("*");
    print(ask::render_who(&args.action, resource, &replies).as_bytes())?;
    Ok(Outcome::Done)
}

/// Answers a list of requests; a request that cannot be answered costs only its own line.
fn answer_all(file: &Path, args: &Can, global: &Global) -> CommandResult {
    let accounts = if args.of.aws_snapshot.is_empty() && args.of.run.is_none() {
        // Requests may bring all their policies: a run is a help, not a need.
        match runs::accounts(global, None) {
            Ok(accounts) => Accounts::new(accounts),
            Err(_) => Accounts::new(Vec::new()),
        }
        .map_err(refused)?
    } else {
        accounts_of(&args.of, global)?
    };
    let world = accounts.world();
    let reader: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(
            std::fs::File::open(file)
                .with_context(|| format!("reading the requests {}", file.display()))
                .map_err(|error| Failure::usage(error, "give an existing file, or `-`"))?,
        )
    };
    let mut reader = BufReader::new(reader);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader)
            .take(MAX_REQUEST)
            .read_until(b'\n', &mut line)
            .context("reading the requests")?;
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match ask::answer_line(&accounts, &world, text.trim()) {
            Ok(reply) => serde_json::to_writer(&mut out, &reply),
            Err(error) => {
                serde_json::to_writer(&mut out, &serde_json::json!({"error": error.to_string()}))
            }
        }
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .context("writing to standard output")?;
    }
    out.flush().context("writing to standard output")?;
    Ok(Outcome::Done)
}

fn accounts_of(of: &AskedOf, global: &Global) -> Result<Accounts, Failure> {
    if of.aws_snapshot.is_empty() {
        return Accounts::new(runs::accounts(global, of.run.as_deref())?).map_err(refused);
    }
    for path in &of.aws_snapshot {
        std::fs::metadata(path)
            .with_context(|| format!("the account snapshot {} does not exist", path.display()))
            .map_err(|error| Failure::usage(error, "docs/aws-snapshot.md says how to make one"))?;
    }
    let (accounts, coverage) = Accounts::read(&of.aws_snapshot).map_err(refused)?;
    for entry in coverage.iter().filter(|entry| entry.status.incomplete()) {
        tracing::warn!(unit = %entry.unit, "{}", entry.reason);
    }
    if accounts.is_empty() {
        return Err(Failure::new(
            Outcome::Nothing,
            anyhow!("the snapshot has no AWS account to ask"),
            "docs/aws-snapshot.md says how to make one",
        ));
    }
    Ok(accounts)
}

fn asked(
    accounts: &Accounts,
    of: &AskedOf,
    action: &str,
    resource: Option<&str>,
) -> Result<Asked, Failure> {
    let documents = Documents {
        session: read_all(&of.session_policy)?,
        endpoint: read_all(&of.endpoint_policy)?,
        resource: match &of.resource_policy {
            Some(path) if path == Path::new("none") => Some(Value::Null),
            Some(path) => Some(read(path)?),
            None => None,
        },
        session_grants_unlimited: of.session_grants_unlimited,
    };
    let mut asked = Asked {
        action: action.to_owned(),
        resource: resource.map(str::to_owned),
        resource_account: of.resource_account.clone(),
        given: accounts.ready(&documents).map_err(refused)?,
        unlisted: of.unlisted_action,
        ..Asked::default()
    };
    let mut keys: Vec<(&str, Vec<String>)> = Vec::new();
    for entry in &of.context {
        let (key, value) = match entry.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (entry.as_str(), None),
        };
        if key.is_empty() {
            return Err(Failure::usage(
                anyhow!("`--context {entry}` names no key"),
                "--context aws:SourceIp=203.0.113.7",
            ));
        }
        match (
            value,
            keys.iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(key)),
        ) {
            (None, _) => asked.context.set_absent(key),
            (Some(value), Some((_, values))) => values.push(value.to_owned()),
            (Some(value), None) => keys.push((key, vec![value.to_owned()])),
        }
    }
    for (key, values) in keys {
        asked.context.set_all(key, values);
    }
    if of.context_complete {
        asked.context.complete();
    }
    Ok(asked)
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<Value>, Failure> {
    paths.iter().map(|path| read(path)).collect()
}

/// Reads a policy document.
fn read(path: &Path) -> Result<Value, Failure> {
    let wrong =
        |error: anyhow::Error| Failure::usage(error, "give a file with one policy document");
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_DOCUMENT).read_to_end(&mut text))
        .with_context(|| format!("reading the policy {}", path.display()))
        .map_err(wrong)?;
    serde_json::from_slice(&text)
        .map_err(|_| wrong(anyhow!("the policy {} is not JSON", path.display())))
}

fn print_json(value: &impl Serialize) -> CommandResult {
    let mut text = serde_json::to_vec_pretty(value).context("writing the answer")?;
    text.push(b'\n');
    print(&text)?;
    Ok(Outcome::Done)
}

fn refused(error: AskError) -> Failure {
    match error {
        AskError::Rules(error) => anyhow::Error::new(error).into(),
        AskError::NoAction { .. } => {
            Failure::usage(error, "--unlisted-action asks for it all the same")
        }
        other => Failure::usage(other, "`overstay can --help` says what can be asked"),
    }
}
