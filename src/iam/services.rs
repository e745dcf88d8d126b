//! Where one service decides differently from all others.

use super::request::Target;

/// Ways to take on a role, and what goes with it: the role's trust policy decides.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

/// Whether the resource's own policy must let the caller in even inside one account: roles and keys.
pub(super) fn needs_own_policy(action: &str, target: &Target<'_>) -> bool {
    let Some(resource) = target.resource_in() else {
        return false;
    };
    match service_of(action) {
        "sts" => {
            TRUST_ACTIONS
                .iter()
                .any(|known| action.eq_ignore_ascii_case(known))
                && (resource.starts_with("role/") || resource == "*")
        }
        "kms" => resource.starts_with("key/") || resource == "*",
        _ => false,
    }
}

/// Whether an action makes its caller a role.
pub(super) fn becomes_role(action: &str) -> bool {
    TRUST_ACTIONS
        .iter()
        .any(|known| action.eq_ignore_ascii_case(known))
}

/// Services whose resources have policies of their own that decide beside those of the caller.
const RESOURCE_POLICIES: [&str; 42] = [
    "acm-pca",
    "aoss",
    "apigateway",
    "backup",
    "bedrock",
    "cloudtrail",
    "codeartifact",
    "codebuild",
    "codecommit",
    "dynamodb",
    "ecr",
    "ecr-public",
    "elasticfilesystem",
    "es",
    "events",
    "execute-api",
    "glacier",
    "glue",
    "iot",
    "kafka",
    "kinesis",
    "kms",
    "lambda",
    "lex",
    "logs",
    "mediastore",
    "network-firewall",
    "organizations",
    "ram",
    "redshift",
    "redshift-serverless",
    "rekognition",
    "route53resolver",
    "s3",
    "s3-object-lambda",
    "s3-outposts",
    "s3express",
    "s3tables",
    "schemas",
    "secretsmanager",
    "sns",
    "sqs",
];

/// Whether resources of a service can have a policy of their own.
pub(super) fn has_resource_policies(service: &str) -> bool {
    RESOURCE_POLICIES.binary_search(&service).is_ok()
}

/// Whether the caller needs no permission at all, whatever is denied.
pub(super) fn is_free(action: &str) -> bool {
    action.eq_ignore_ascii_case("sts:GetCallerIdentity")
}

/// Begins of the names of actions that change nothing.
const READING: [&str; 4] = ["get", "list", "generate", "simulate"];

/// Why AWS lets nobody do it, if so: what it manages itself cannot be changed by its customers.
pub(super) fn refused(action: &str, target: &Target<'_>) -> Option<&'static str> {
    let resource = target.resource_in()?;
    let name = action
        .split_once(':')
        .map_or(action, |(_, name)| name)
        .to_ascii_lowercase();
    let reads = READING.iter().any(|verb| name.starts_with(verb));
    match service_of(action) {
        "iam" if reads => None,
        "iam" if target.account_in() == Some("aws") && resource.starts_with("policy/") => {
            // Attaching one changes the principal, and is asked of the principal.
            Some("AWS's managed policies cannot be changed")
        }
        "iam" if resource.starts_with("role/aws-reserved/") => {
            Some("roles that Identity Center keeps cannot be changed or passed")
        }
        "iam"
            if resource.starts_with("role/aws-service-role/")
                && SERVICE_LINKED.contains(&name.as_str()) =>
        {
            Some("only its service can change a service-linked role")
        }
        "kms"
            if resource.starts_with("alias/aws/")
                && matches!(name.as_str(), "createalias" | "deletealias" | "updatealias") =>
        {
            Some("the aliases of AWS's keys cannot be changed")
        }
        _ => None,
    }
}

/// Changes that IAM refuses on a service-linked role.
const SERVICE_LINKED: [&str; 9] = [
    "attachrolepolicy",
    "detachrolepolicy",
    "putrolepolicy",
    "deleterolepolicy",
    "deleterole",
    "updateassumerolepolicy",
    "updaterole",
    "putrolepermissionsboundary",
    "deleterolepermissionsboundary",
];

fn service_of(action: &str) -> &str {
    let service = action.split(':').next().unwrap_or_default();
    // The three services that matter here.
    ["iam", "kms", "sts"]
        .into_iter()
        .find(|known| service.eq_ignore_ascii_case(known))
        .unwrap_or(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_keys_need_their_own_policy() {
        for (action, resource, needs) in [
            ("sts:AssumeRole", "arn:aws:iam::1:role/r", true),
            ("STS:assumerole", "arn:aws:iam::1:role/r", true),
            (
                "sts:GetFederationToken",
                "arn:aws:sts::1:federated-user/f",
                false,
            ),
            ("kms:Decrypt", "arn:aws:kms:eu-west-1:1:key/k", true),
            ("kms:CreateAlias", "arn:aws:kms:eu-west-1:1:alias/a", false),
            ("s3:GetObject", "arn:aws:s3:::b/k", false),
        ] {
            let target = Target::parse(resource, false);
            assert_eq!(
                needs_own_policy(action, &target),
                needs,
                "{action} {resource}"
            );
        }
        assert!(!needs_own_policy("kms:ListKeys", &Target::parse("*", true)));
    }

    #[test]
    fn what_belongs_to_aws_cannot_be_changed() {
        for (action, resource, refuses) in [
            (
                "iam:CreatePolicyVersion",
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
                true,
            ),
            (
                "iam:GetPolicyVersion",
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
                false,
            ),
            ("iam:CreatePolicyVersion", "arn:aws:iam::1:policy/p", false),
            (
                "iam:PassRole",
                "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/R",
                true,
            ),
            (
                "iam:GetRole",
                "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/R",
                false,
            ),
            (
                "iam:PutRolePolicy",
                "arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/R",
                true,
            ),
            (
                "iam:DeleteServiceLinkedRole",
                "arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/R",
                false,
            ),
            (
                "kms:DeleteAlias",
                "arn:aws:kms:eu-west-1:1:alias/aws/s3",
                true,
            ),
            (
                "kms:DeleteAlias",
                "arn:aws:kms:eu-west-1:1:alias/mine",
                false,
            ),
        ] {
            let target = Target::parse(resource, false);
            assert_eq!(
                refused(action, &target).is_some(),
                refuses,
                "{action} {resource}"
            );
        }
    }
}
