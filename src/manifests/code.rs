//! Infrastructure code whose path says what it is, beside Terraform's own files.

use super::context::Context;
use super::hosts::{compose, cron, dockerfile, systemd};
use super::infra::{pulumi, serverless};
use super::terraform::state;
use super::{each, has_extension, jsonc, report_problems, yaml};
use crate::model::Declarations;

/// What a path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    State,
    Compose,
    Recipe,
    Unit,
    Crontab,
    Pulumi,
    Serverless,
}

impl Code {
    /// What a path says.
    pub(super) fn of(folder: &str, name: &str) -> Option<Self> {
        Some(if state::is_state(name) {
            Self::State
        } else if compose::is_compose(name) {
            Self::Compose
        } else if dockerfile::is_recipe(name) {
            Self::Recipe
        } else if systemd::is_unit(name) {
            Self::Unit
        } else if cron::is_crontab(folder, name) {
            Self::Crontab
        } else if pulumi::is_program(name) {
            Self::Pulumi
        } else if serverless::is_service(name) {
            Self::Serverless
        } else {
            return None;
        })
    }

    /// Reads a file.
    pub(super) fn read(self, context: &Context<'_>, out: &mut Declarations) {
        match self {
            Self::State => state::read(context, out),
            Self::Recipe => dockerfile::read(context, out),
            Self::Unit => systemd::read(context, out),
            Self::Crontab => cron::read(context, out),
            Self::Compose | Self::Pulumi | Self::Serverless => {
                let parsed = if has_extension(context.uri, &["json"]) {
                    jsonc::parse(context.text)
                } else {
                    yaml::parse(context.text)
                };
                report_problems(context, &parsed, true, out);
                each(&parsed, |root| match self {
                    Self::Compose => compose::read(context, root, out),
                    Self::Pulumi => pulumi::read(context, root, out),
                    _ => serverless::read(context, root, out),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_what_a_file_is() {
        let of = |folder: &str, name: &str| Code::of(folder, name);
        for (folder, name, code) in [
            ("", "terraform.tfstate", Code::State),
            ("a", "docker-compose.override.yml", Code::Compose),
            ("", "compose.yaml", Code::Compose),
            ("", "Dockerfile.prod", Code::Recipe),
            ("", "api.Dockerfile", Code::Recipe),
            ("units", "a@.service", Code::Unit),
            ("etc/cron.d", "backup", Code::Crontab),
            ("", "Pulumi.yaml", Code::Pulumi),
            ("", "serverless.ts.yml", Code::Serverless),
        ] {
            assert_eq!(of(folder, name), Some(code), "{name}");
        }
        for name in [
            "Pulumi.dev.yaml",
            "composer.yml",
            "service",
            "main.rs",
            "Dockerfiles",
        ] {
            assert_eq!(of("", name), None, "{name}");
        }
    }
}
