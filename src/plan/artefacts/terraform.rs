//! Terraform for a role: it reads the policies beside it, so that both say the same.

use super::Made;
use super::facts::Facts;
use super::policies::Documents as Policies;
use super::text::{hcl, slug};
use super::trust::Documents as Trust;
use crate::model::ArtefactKind;
use std::fmt::Write as _;

/// The role with trust, boundary and permissions.
pub(super) fn role(facts: &Facts<'_>, trust: &Trust, policies: &Policies) -> Vec<Made> {
    let name = facts.values.get("role").map_or("__ROLE__", String::as_str);
    let exists = facts.keeps_role();
    let seconds: u64 = facts
        .values
        .get("ttl_seconds")
        .and_then(|text| text.parse().ok())
        .unwrap_or(3600);
    let mut out = String::from(HEAD);
    if exists {
        let _ = write!(
            out,
            "\n# The role is there already: take it into the state, then plan shows what changes.\nimport {{\n  to = aws_iam_role.task\n  id = \"{}\"\n}}\n",
            hcl(name)
        );
    }
    if let Some((issuer, audience)) = &trust.issuer {
        let known = facts
            .issuers
            .iter()
            .any(|known| known.trim_start_matches("https://").trim_end_matches('/') == issuer);
        let _ = write!(
            out,
            "\nvariable \"create_oidc_provider\" {{\n  description = \"false where the account has the provider already: there can be only one for each issuer\"\n  type        = bool\n  default     = {}\n}}\n\nresource \"aws_iam_openid_connect_provider\" \"issuer\" {{\n  count          = var.create_oidc_provider ? 1 : 0\n  url            = \"https://{}\"\n  client_id_list = [\"{}\"]\n}}\n",
            !known,
            hcl(issuer),
            hcl(audience)
        );
    }
    if trust.forms.len() > 1 {
        let files: Vec<String> = trust
            .forms
            .iter()
            .map(|form| Trust::path(&form.0))
            .collect();
        let _ = write!(
            out,
            "\nvariable \"trust_policy\" {{\n  description = \"which form of the trust: {}\"\n  type        = string\n  default     = \"trust-policy.json\"\n}}\n",
            files.join(" or ")
        );
    }
    let file = if trust.forms.len() > 1 {
        "${path.module}/${var.trust_policy}"
    } else {
        "${path.module}/trust-policy.json"
    };
    if policies.boundary.is_some() {
        let _ = write!(
            out,
            "\nresource \"aws_iam_policy\" \"boundary\" {{\n  name   = \"{}-boundary\"\n  policy = file(\"${{path.module}}/permissions-boundary.json\")\n}}\n",
            hcl(name)
        );
    }
    // AWS gives roles sessions of an hour at least; what is shorter is asked for with each session.
    let _ = write!(
        out,
        "\nresource \"aws_iam_role\" \"task\" {{\n  name                 = \"{}\"\n  assume_role_policy   = file(\"{file}\")\n  max_session_duration = {}\n",
        hcl(name),
        seconds.clamp(3600, 43_200)
    );
    if policies.boundary.is_some() {
        out.push_str("  permissions_boundary = aws_iam_policy.boundary.arn\n");
    }
    let _ = write!(
        out,
        "  tags = {{\n    Purpose = \"{}\"\n    Owner   = \"{}\"\n  }}\n}}\n",
        hcl(&tag(&facts.item.approval.reason)),
        hcl(&tag(&facts.item.approval.approver))
    );
    for permission in &policies.permissions {
        for (number, path) in permission.paths().into_iter().enumerate() {
            let resource = resource(permission.set, number);
            let elevated = permission.set == "elevated";
            let role = if elevated { "elevated" } else { "task" };
            let _ = write!(
                out,
                "\nresource \"aws_iam_policy\" \"{resource}\" {{\n  name   = \"{}-{}\"\n  policy = file(\"${{path.module}}/{path}\")\n}}\n\nresource \"aws_iam_role_policy_attachment\" \"{resource}\" {{\n  role       = aws_iam_role.{role}.name\n  policy_arn = aws_iam_policy.{resource}.arn\n}}\n",
                hcl(name),
                slug(&resource, 40),
            );
        }
    }
    if policies.permissions.is_empty() && !exists {
        out.push_str("\n# What the role may do is in no policy of this folder: nothing shows what is used. Attach what the task needs, and no more.\n");
    }
    if policies.permissions.iter().any(|one| one.set == "elevated") {
        elevated(&mut out, name, policies.boundary.is_some());
    }
    out.push_str(&platform(facts));
    vec![Made::new(
        "main.tf",
        ArtefactKind::Terraform,
        "role, trust, boundary and permissions as code, from the policies of this folder",
        out,
    )]
}

/// Name of the policy of one document of a set, in the code.
fn resource(set: &str, number: usize) -> String {
    let set = if set.is_empty() { "used" } else { set };
    format!("{set}_{}", number + 1)
}

/// Names of the policies that the role itself gets by the code.
pub(super) fn attached(role: &str, policies: &Policies) -> Vec<String> {
    policies
        .permissions
        .iter()
        .filter(|permission| permission.set != "elevated")
        .flat_map(|permission| {
            (0..permission.documents.len())
                .map(|number| format!("{role}-{}", slug(&resource(permission.set, number), 40)))
        })
        .collect()
}

const HEAD: &str = r#"terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
"#;

/// The role that is asked for task by task: the stable one may take it for an hour at most, and names the task.
fn elevated(out: &mut String, name: &str, bounded: bool) {
    let boundary = if bounded {
        "  permissions_boundary = aws_iam_policy.boundary.arn\n"
    } else {
        ""
    };
    let name = hcl(name);
    let _ = write!(
        out,
        r#"
# A session that was got with another role's session lasts an hour at most, whatever is set here.
resource "aws_iam_role" "elevated" {{
  name                 = "{name}-elevated"
  max_session_duration = 3600
{boundary}  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "OnlyTheStableIdentity"
      Effect    = "Allow"
      Principal = {{ AWS = aws_iam_role.task.arn }}
      # Sessions of pods carry tags, which go on to whatever role is taken with them.
      Action    = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
      Condition = {{ StringLike = {{ "sts:SourceIdentity" = "?*" }} }}
    }}]
  }})
}}

resource "aws_iam_role_policy" "may_ask" {{
  name = "may-ask-for-elevation"
  role = aws_iam_role.task.name
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid      = "AskForElevation"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
      Resource = aws_iam_role.elevated.arn
    }}]
  }})
}}
"#
    );
}

/// What binds the role to the platform.
fn platform(facts: &Facts<'_>) -> String {
    let value = |name: &'static str| {
        facts
            .values
            .get(name)
            .map_or_else(|| super::text::placeholder(name), |value| hcl(value))
    };
    match facts.item.mechanism.as_str() {
        "aws-pod-identity" => format!(
            "\nresource \"aws_eks_pod_identity_association\" \"task\" {{\n  cluster_name    = \"{}\"\n  namespace       = \"{}\"\n  service_account = \"{}\"\n  role_arn        = aws_iam_role.task.arn\n}}\n",
            value("cluster"),
            value("namespace"),
            value("service_account")
        ),
        "aws-instance-profile" => "\nresource \"aws_iam_instance_profile\" \"task\" {\n  name = aws_iam_role.task.name\n  role = aws_iam_role.task.name\n}\n".to_owned(),
        "aws-roles-anywhere" => format!(
            "\nresource \"aws_rolesanywhere_profile\" \"task\" {{\n  name             = aws_iam_role.task.name\n  enabled          = true\n  role_arns        = [aws_iam_role.task.arn]\n  duration_seconds = {}\n}}\n",
            value("ttl_seconds")
        ),
        _ => String::new(),
    }
}

/// A tag's value as AWS takes it.
fn tag(text: &str) -> String {
    super::text::tame(text)
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || " _.:/=+-@".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(200)
        .collect()
}
