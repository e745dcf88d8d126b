//! Jenkinsfiles, declarative and scripted: the pipeline is one job; credentials are what bindings and helpers name.

use super::super::clean::clean;
use super::super::context::Context;
use super::System;
use super::groovy::{self, Literal, Program};
use super::job::Job;
use crate::model::Declarations;

/// Most stages named.
const MAX_STAGES: usize = 30;
/// Most credentials read of one file.
const MAX_FOUND: usize = 2_000;

/// Helpers whose text arguments are ids of credentials.
const BY_ARGUMENT: [&str; 3] = ["sshagent", "withRegistry", "withDockerRegistry"];
/// Parameters that name the id of a credential.
const BY_PARAMETER: [&str; 3] = ["credentialsId", "registryCredentialsId", "credentials"];

/// Reads a file.
pub(in crate::manifests) fn read(context: &Context<'_>, out: &mut Declarations) {
    let source = context.text.as_str();
    let program = groovy::read(source);
    let start = ["pipeline", "node", "podTemplate", "properties", "stage"]
        .iter()
        .find_map(|word| program.calls(word).map(|(at, ..)| at).next());
    let called = match start {
        Some(_) => None,
        None => step_of_library(context.uri, &program.code),
    };
    // A library of steps, or no program at all.
    let Some(start) = start.or(called.map(|(at, _)| at)) else {
        return;
    };
    let (line, column) = context.text.position(start);
    let declarative = program.calls("pipeline").any(|(at, ..)| at == start);
    let mut job = Job::new(
        System::Jenkins,
        match (declarative, called) {
            (true, _) => "pipeline",
            (_, Some((_, step))) => step,
            _ => "script",
        },
        line,
        column,
    );
    job.purpose = purpose(context, &program, source);
    if let Some((_, step)) = called {
        job.note(format!(
            "the step `{step}` of a shared library: what it uses beside what is given to it is not told here"
        ));
    } else {
        job.note(if declarative {
            "declarative Jenkins pipeline"
        } else {
            "scripted Jenkins pipeline"
        });
    }
    let stages: Vec<String> = program
        .calls("stage")
        .filter_map(|(_, from, to)| program.literal(from, to))
        .take(MAX_STAGES)
        .map(|literal| clean(text(source, literal)))
        .collect();
    if !stages.is_empty() {
        job.note(format!("stages: {}", stages.join(", ")));
    }
    for name in ["cron", "parameterizedCron", "pollSCM"] {
        for (_, from, to) in program.calls(name) {
            if let Some(literal) = program.literal(from, to) {
                let when = clean(
                    text(source, literal)
                        .replace('\n', "; ")
                        .trim_matches([';', ' ']),
                );
                if name == "pollSCM" {
                    job.note(format!("looks for changes at {when}"));
                } else {
                    job.schedule.push(when);
                }
            }
        }
    }
    limit(context, &program, source, &mut job);
    credentials(context, &program, source, &mut job);
    for literal in &program.literals {
        let inside = text(source, *literal);
        job.native_ids.extend(super::shell::native_ids(inside));
    }
    roles(&program, source, &mut job);
    for (_, from, to) in program.calls("Library") {
        if let Some(literal) = program.literal(from, to) {
            let name = text(source, literal);
            let pinned = name.rsplit_once('@').is_some_and(|(_, version)| {
                version.len() == 40 && version.bytes().all(|b| b.is_ascii_hexdigit())
            });
            if !pinned {
                job.unpinned
                    .insert(format!("unpinned shared library {}", clean(name)));
            }
        }
    }
    job.declare(context, out);
}

/// The first step a file calls at its left margin, with its name: a pipeline may be nothing but a call of a library.
fn step_of_library<'c>(uri: &str, code: &'c str) -> Option<(usize, &'c str)> {
    const NONE: [&str; 16] = [
        "import", "def", "if", "for", "while", "try", "switch", "class", "return", "library",
        "package", "assert", "static", "final", "void", "else",
    ];
    let name = uri.rsplit('/').next().unwrap_or(uri).to_ascii_lowercase();
    if !name.starts_with("jenkinsfile") && !name.ends_with(".jenkinsfile") {
        return None;
    }
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        let end = line
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(line.len());
        let word = line.get(..end).unwrap_or_default();
        let called = line
            .get(end..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\t'])
            .starts_with(['(', '{']);
        if called && word.starts_with(|c: char| c.is_ascii_alphabetic()) && !NONE.contains(&word) {
            return Some((at, word));
        }
        at += line.len();
    }
    None
}

fn text(source: &str, literal: Literal) -> &str {
    source.get(literal.from..literal.to).unwrap_or_default()
}

fn purpose(context: &Context<'_>, program: &Program, source: &str) -> Option<String> {
    let described = program
        .calls("description")
        .find_map(|(_, from, to)| program.literal(from, to));
    let folder = context.uri.rsplit_once('/').map(|(folder, _)| folder);
    described
        .map(|literal| clean(text(source, literal)))
        .or_else(|| {
            Some(clean(&format!(
                "Jenkins pipeline of {}",
                folder.unwrap_or(context.repository)
            )))
        })
}

/// The limit of the whole run: in `options`, or around everything of a script.
fn limit(context: &Context<'_>, program: &Program, source: &str, job: &mut Job) {
    let options: Vec<(usize, usize)> = program
        .calls("options")
        .filter_map(|(_, from, _)| program.block(from))
        .take(1)
        .collect();
    let declared = program
        .calls("timeout")
        .find(|(at, ..)| options.iter().any(|(from, to)| (from..to).contains(&at)));
    let Some((_, from, to)) = declared else {
        if program.calls("timeout").next().is_some() {
            job.note("parts of it have a timeout");
        }
        job.limit(context, "timeout", None);
        return;
    };
    let arguments = program.code.get(from..to).unwrap_or_default();
    let digits: String = arguments
        .split_once("time:")
        .map_or(arguments, |(_, after)| after)
        .chars()
        .skip_while(|c| matches!(c, ' ' | '('))
        .take_while(char::is_ascii_digit)
        .collect();
    let unit = program
        .literal(from, to)
        .map_or("MINUTES", |literal| text(source, literal));
    let seconds: Option<u64> = match unit {
        "SECONDS" => Some(1),
        "MINUTES" => Some(60),
        "HOURS" => Some(3_600),
        "DAYS" => Some(86_400),
        _ => None,
    };
    job.timeout_seconds = digits
        .parse::<u64>()
        .ok()
        .zip(seconds)
        .and_then(|(count, unit)| count.checked_mul(unit));
    job.note(format!("timeout: {digits} {}", clean(&unit.to_lowercase())));
}

/// Ids of credentials wherever a binding, a helper or the environment names them.
fn credentials(context: &Context<'_>, program: &Program, source: &str, job: &mut Job) {
    let mut count = 0;
    let mut found = |job: &mut Job, literal: Literal, around: usize| {
        count += 1;
        if count > MAX_FOUND {
            return;
        }
        let id = text(source, literal);
        if id.is_empty() || id.contains("://") {
            return;
        }
        let told = told(context, program, source, around, id);
        job.secret(
            System::Jenkins.runtime(),
            id,
            told,
            context.text.position(literal.from),
        );
    };
    // `NAME = credentials('id')` of an environment, and `withAWS(credentials: 'id')`.
    for name in BY_PARAMETER {
        for (at, from, _) in program.calls(name) {
            let rest = program.code.get(from..).unwrap_or_default();
            let line = from + rest.find(['\n', ',', ')', ']']).unwrap_or(rest.len());
            let call = rest.trim_start_matches([' ', '\t']).starts_with('(');
            let list = rest.trim_start_matches([' ', '\t', ':']).starts_with('[');
            // `withCredentials([…])` and lists are read by what they hold.
            let end = if call || list {
                from + rest.find([')', ']']).unwrap_or(rest.len())
            } else {
                line
            };
            let mut next = from;
            while let Some(literal) = program.literal(next, end + 1) {
                found(job, literal, at);
                next = literal.to + 1;
                if !list {
                    break;
                }
            }
        }
    }
    for name in BY_ARGUMENT {
        for (at, from, to) in program.calls(name) {
            let named = program
                .code
                .get(from..to)
                .is_some_and(|arguments| BY_PARAMETER.iter().any(|key| arguments.contains(key)));
            if named {
                continue;
            }
            let mut next = from;
            let mut first = true;
            while let Some(literal) = program.literal(next, to) {
                // The first text of `withRegistry` is the registry.
                if !(first && name != "sshagent") {
                    found(job, literal, at);
                }
                first = false;
                next = literal.to + 1;
            }
        }
    }
    // Secrets of a vault: each has a path, and the paths are what is named.
    for (_, from, to) in program.calls("withVault") {
        let body = program.code.get(from..to).unwrap_or_default();
        for (at, _) in body.match_indices("path:") {
            if let Some(literal) = program.literal(from + at, from + at + 200) {
                let place = context.text.position(literal.from);
                job.secret("vault", text(source, literal), None, place);
            }
        }
    }
}

/// What the binding, the variable it goes into, or its own name tells of a credential.
fn told(
    context: &Context<'_>,
    program: &Program,
    source: &str,
    at: usize,
    id: &str,
) -> Option<(String, String)> {
    let names = &context.tables.names;
    if let Some(known) = names.lookup(id) {
        return Some((known.kind.clone(), known.provider.clone()));
    }
    let line_start = program
        .code
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1);
    let before = program.code.get(line_start..at).unwrap_or_default();
    let whole = source.get(line_start..at).unwrap_or_default();
    let word = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'));
    let binding = before
        .split(word)
        .chain(
            program
                .code
                .get(at..)
                .and_then(|rest| rest.split(word).next()),
        )
        .chain(whole.split(['\'', '"']))
        .find_map(|name| context.tables.ci.binding(name));
    if let Some(binding) = binding {
        return Some((binding.kind.clone(), binding.provider.clone()));
    }
    // `NAME = credentials(…)`, and the variables a binding fills further on in its brackets.
    let variable = before.trim_end().strip_suffix('=').map(str::trim_end);
    let variable = variable
        .and_then(|left| left.rsplit(word).next())
        .map(str::to_owned);
    let filled = || {
        let rest = program.code.get(at..)?;
        let end = at + rest.find([')', ']'])?;
        let key = rest.get(..end - at)?.find("ariable")?;
        let literal = program.literal(at + key, end + 1)?;
        Some(text(source, literal).to_owned())
    };
    let variable = variable.filter(|name| !name.is_empty()).or_else(filled)?;
    names
        .lookup(&variable)
        .map(|known| (known.kind.clone(), known.provider.clone()))
}

/// `withAWS(role: 'deploy', roleAccount: '123456789012')` names a role in two texts.
fn roles(program: &Program, source: &str, job: &mut Job) {
    for (_, from, to) in program.calls("withAWS") {
        let arguments = program.code.get(from..to).unwrap_or_default();
        let value = |key: &str| {
            let at = from + arguments.find(key)? + key.len();
            program.literal(at, to).map(|literal| text(source, literal))
        };
        let (Some(role), Some(account)) = (value("role:"), value("roleAccount:")) else {
            continue;
        };
        if role.starts_with("arn:") {
            continue;
        }
        if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
            job.native_ids
                .push(clean(&format!("arn:aws:iam::{account}:role/{role}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::manifests::testing::shown;
    use crate::model::FingerprintKey;

    fn declared(file: &str) -> String {
        let key = FingerprintKey::new([7; 32]);
        shown(&read("shop", "deploy/Jenkinsfile", file.as_bytes(), &key).unwrap())
    }

    #[test]
    fn declarative_pipelines() {
        let file = "\
@Library('shop@main') _
// credentials('not-me')
pipeline {
  agent any
  options { timeout(time: 2, unit: 'HOURS'); disableConcurrentBuilds() }
  triggers { cron('H 4 * * 1-5') }
  environment {
    NPM_TOKEN = credentials('npm-publisher')
    API = credentials(\"api-key\")
  }
  stages {
    stage('Deploy') {
      steps {
        withAWS(credentials: 'aws-prod', role: 'deploy', roleAccount: '123456789012') { sh 'x' }
        withCredentials([
          [$class: 'AmazonWebServicesCredentialsBinding', credentialsId: 'aws-legacy'],
          usernamePassword(credentialsId: 'registry', usernameVariable: 'U', passwordVariable: 'DOCKER_PASSWORD')
        ]) { sh \"assume arn:aws:iam::123456789012:role/other\" }
        sshagent(['git-key', 'host-key']) { sh 'it' }
      }
    }
  }
}
";
        insta::assert_snapshot!(declared(file), @r#"
        3:1 deploy/Jenkinsfile/pipeline | - 7200 s H 4 * * 1-5 | unknown
            as arn:aws:iam::123456789012:role/deploy
            as arn:aws:iam::123456789012:role/other
            9:24 jenkins api-key (?)
            16:75 jenkins aws-legacy (aws-access-key)
            14:31 jenkins aws-prod (aws-access-key)
            19:20 jenkins git-key (ssh-private-key)
            19:31 jenkins host-key (ssh-private-key)
            8:30 jenkins npm-publisher (npm-token)
            17:44 jenkins registry (?)
            risk: unpinned shared library shop@main
            B declarative Jenkins pipeline
            B stages: Deploy
            B timeout: 2 hours
        "#);
    }

    #[test]
    fn scripted_pipelines() {
        let file = "\
properties([pipelineTriggers([cron('@daily')])])
node('linux') {
  timeout(10) {
    stage 'Build'
    git url: 'https://git.example/x', credentialsId: 'git'
    docker.withRegistry('https://registry.example', 'registry-login') { }
  }
}
";
        insta::assert_snapshot!(declared(file), @r#"
        2:1 deploy/Jenkinsfile/script | - - @daily | unknown
            5:55 jenkins git (?)
            6:54 jenkins registry-login (?)
            B scripted Jenkins pipeline
            B stages: Build
            B parts of it have a timeout
            D no timeout in the pipeline's options: none
        "#);
    }

    #[test]
    fn a_library_of_steps_is_no_job() {
        let key = FingerprintKey::new([7; 32]);
        assert!(read("shop", "Jenkinsfile.lib", b"def call() { echo 'x' }", &key).is_none());
    }
}
