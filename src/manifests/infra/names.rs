//! What the things that code makes are called once they are made, where that follows from what code says.

/// Section of an IAM resource type in its ARN.
pub(in crate::manifests) fn iam_section(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "aws_iam_role" => "role",
        "aws_iam_user" => "user",
        "aws_iam_group" => "group",
        "aws_iam_policy" => "policy",
        "aws_iam_instance_profile" => "instance-profile",
        _ => return None,
    })
}

/// ARN of an IAM thing; account `aws` for those of AWS itself.
pub(in crate::manifests) fn iam_arn(
    account: &str,
    section: &str,
    path: &str,
    name: &str,
) -> String {
    let path = path.trim_matches('/');
    if path.is_empty() {
        format!("arn:aws:iam::{account}:{section}/{name}")
    } else {
        format!("arn:aws:iam::{account}:{section}/{path}/{name}")
    }
}

/// ARN of an OIDC provider by its address.
pub(in crate::manifests) fn oidc_arn(account: &str, url: &str) -> String {
    let host = url.strip_prefix("https://").unwrap_or(url);
    format!(
        "arn:aws:iam::{account}:oidc-provider/{}",
        host.trim_end_matches('/')
    )
}

/// Attributes of resources that follow from others: type, attribute, and the form, with `{account}`, `{region}` and
/// attributes in braces. Known from the providers' documentation of exported attributes, 2026-11-22.
pub(in crate::manifests) const CREATED: [(&str, &str, &str); 26] = [
    ("aws_s3_bucket", "arn", "arn:aws:s3:::{bucket}"),
    ("aws_s3_bucket", "id", "{bucket}"),
    (
        "aws_dynamodb_table",
        "arn",
        "arn:aws:dynamodb:*:{account}:table/{name}",
    ),
    ("aws_dynamodb_table", "id", "{name}"),
    ("aws_sqs_queue", "arn", "arn:aws:sqs:*:{account}:{name}"),
    ("aws_sns_topic", "arn", "arn:aws:sns:*:{account}:{name}"),
    ("aws_sns_topic", "id", "arn:aws:sns:*:{account}:{name}"),
    (
        "aws_lambda_function",
        "arn",
        "arn:aws:lambda:*:{account}:function:{function_name}",
    ),
    ("aws_lambda_function", "id", "{function_name}"),
    (
        "aws_cloudwatch_log_group",
        "arn",
        "arn:aws:logs:*:{account}:log-group:{name}",
    ),
    ("aws_cloudwatch_log_group", "id", "{name}"),
    (
        "aws_ecr_repository",
        "arn",
        "arn:aws:ecr:*:{account}:repository/{name}",
    ),
    (
        "aws_ecs_cluster",
        "arn",
        "arn:aws:ecs:*:{account}:cluster/{name}",
    ),
    (
        "aws_kinesis_stream",
        "arn",
        "arn:aws:kinesis:*:{account}:stream/{name}",
    ),
    (
        "aws_kinesis_firehose_delivery_stream",
        "arn",
        "arn:aws:firehose:*:{account}:deliverystream/{name}",
    ),
    (
        "aws_secretsmanager_secret",
        "arn",
        "arn:aws:secretsmanager:*:{account}:secret:{name}-{suffix}",
    ),
    (
        "aws_secretsmanager_secret",
        "id",
        "arn:aws:secretsmanager:*:{account}:secret:{name}-{suffix}",
    ),
    (
        "aws_ssm_parameter",
        "arn",
        "arn:aws:ssm:*:{account}:parameter/{name}",
    ),
    ("aws_kms_key", "arn", "arn:aws:kms:*:{account}:key/{key_id}"),
    ("aws_kms_alias", "arn", "arn:aws:kms:*:{account}:{name}"),
    (
        "aws_sfn_state_machine",
        "arn",
        "arn:aws:states:*:{account}:stateMachine:{name}",
    ),
    (
        "aws_codebuild_project",
        "arn",
        "arn:aws:codebuild:*:{account}:project/{name}",
    ),
    (
        "aws_codecommit_repository",
        "arn",
        "arn:aws:codecommit:*:{account}:{repository_name}",
    ),
    (
        "aws_eks_cluster",
        "arn",
        "arn:aws:eks:*:{account}:cluster/{name}",
    ),
    (
        "aws_cloudwatch_event_bus",
        "arn",
        "arn:aws:events:*:{account}:event-bus/{name}",
    ),
    (
        "aws_efs_file_system",
        "arn",
        "arn:aws:elasticfilesystem:*:{account}:file-system/{id}",
    ),
];

/// A form with its fields filled in.
pub(in crate::manifests) fn filled(
    form: &str,
    account: &str,
    field: impl Fn(&str) -> String,
) -> String {
    let mut out = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "account" => out.push_str(account),
            name => {
                let value = field(name);
                // Names that begin with a slash bring the one of the form.
                out.push_str(value.strip_prefix('/').unwrap_or(&value));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
