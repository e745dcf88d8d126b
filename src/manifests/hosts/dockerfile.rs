//! Image recipes: secrets that building asks for, and those that stay in the image.

use super::super::context::Context;
use super::super::has_extension;
use super::{Runs, column, lines};
use crate::model::{ConsumerClass, Declarations, Grade};

/// Whether a name is that of an image recipe.
pub(in super::super) fn is_recipe(name: &str) -> bool {
    ["Dockerfile", "Containerfile"].iter().any(|known| {
        name == *known
            || name
                .strip_prefix(known)
                .is_some_and(|rest| rest.starts_with('.'))
            || name
                .strip_suffix(known)
                .is_some_and(|rest| rest.ends_with('.'))
    }) || has_extension(name, &["dockerfile"])
}

/// Reads a recipe. One that touches no secret declares nothing.
pub(in super::super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let mut runs: Option<Runs> = None;
    for (number, line) in lines(context.text.as_str()) {
        let place = (number, column(line));
        let trimmed = line.trim_start();
        let (word, rest) = trimmed
            .split_once(char::is_whitespace)
            .unwrap_or((trimmed, ""));
        if word.eq_ignore_ascii_case("FROM") && runs.is_none() {
            let why = "built from this recipe; what runs it is not told";
            let name = format!(
                "image {}",
                context.uri.rsplit('/').nth(1).unwrap_or(context.repository)
            );
            runs = Some(Runs::new(
                "docker",
                &name,
                ConsumerClass::Unknown,
                why,
                place,
            ));
        }
        let Some(runs) = runs.as_mut() else {
            continue;
        };
        let names = &context.tables.names;
        if word.eq_ignore_ascii_case("ARG") || word.eq_ignore_ascii_case("ENV") {
            let baked = word.eq_ignore_ascii_case("ENV");
            for (name, value) in assignments(rest) {
                if !names.secret_like(name) {
                    continue;
                }
                let told = match (baked, value) {
                    (true, _) => format!("{name} stays in the image (ENV)"),
                    (false, _) => format!("{name} stays in the history of the image (ARG)"),
                };
                runs.risks.push(super::clean(&told));
                if value.is_none_or(|value| value.is_empty() || value.starts_with('$')) {
                    runs.uses("docker-build-arguments", name, None, false, place);
                }
            }
        } else if word.eq_ignore_ascii_case("RUN") {
            for (at, _) in rest.match_indices("--mount=type=secret") {
                let options = rest.get(at..).unwrap_or_default();
                let options = options.split_whitespace().next().unwrap_or_default();
                let id = options
                    .split(',')
                    .find_map(|option| option.strip_prefix("id="));
                if let Some(id) = id {
                    runs.uses("docker-secrets", id, None, false, place);
                }
            }
        }
    }
    if let Some(runs) = runs.filter(|runs| runs.uses_something() || !runs.risks.is_empty()) {
        runs.declare(context, Grade::B, out);
    }
}

/// `NAME=value NAME="value"`, or `NAME value`.
fn assignments(rest: &str) -> Vec<(&str, Option<&str>)> {
    let rest = rest.trim().trim_end_matches('\\').trim_end();
    if !rest.contains('=') {
        let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        return vec![(name, (!value.is_empty()).then_some(value.trim()))];
    }
    rest.split_whitespace()
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name, Some(value.trim_matches(['"', '\'']))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::declared;

    #[test]
    fn secrets_of_a_build_are_told_and_plain_recipes_are_silent() {
        let out = declared(
            "api/Dockerfile",
            "FROM a\nARG NPM_TOKEN\nENV PORT=80\nRUN --mount=type=secret,id=pip,target=/x make\n",
        );
        let names: Vec<String> = out
            .references
            .iter()
            .map(|reference| {
                format!(
                    "{} {} {}",
                    reference.store,
                    reference.name,
                    reference.location.display()
                )
            })
            .collect();
        insta::assert_snapshot!(names.join("\n"), @"
        docker-build-arguments NPM_TOKEN shop/api/Dockerfile:2
        docker-secrets pip shop/api/Dockerfile:4
        ");
        assert_eq!(
            out.consumers[0].risks,
            ["NPM_TOKEN stays in the history of the image (ARG)"]
        );
        let silent = declared("web/Dockerfile", "FROM a\nENV PORT=80\nCMD x\n");
        assert!(silent.consumers.is_empty() && silent.identities.is_empty());
    }
}
