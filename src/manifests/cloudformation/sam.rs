//! Functions of the Serverless Application Model: each has a role, its own or one that is made for it.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::infra::cloud::Unit;
use super::super::infra::draft::{Draft, Holder, Principal};
use super::super::infra::value::{Val, later};
use super::intrinsics::Template;
use super::{Resource, resources};
use crate::model::{ConsumerClass, Declarations, UNKNOWN_ACCOUNT};
use serde_json::json;

/// Reads a function, state machine or the like.
pub(super) fn add(
    context: &Context<'_>,
    unit: &Unit<'_>,
    template: &Template<'_>,
    resource: &Resource<'_>,
    draft: &mut Draft,
    out: &mut Declarations,
) {
    let (section, service, class, runtime) = match resource.kind {
        "AWS::Serverless::Function" => (
            "Function",
            "lambda.amazonaws.com",
            ConsumerClass::Function,
            "lambda",
        ),
        "AWS::Serverless::StateMachine" => (
            "StateMachine",
            "states.amazonaws.com",
            ConsumerClass::Function,
            "step-functions",
        ),
        _ => return,
    };
    let globals = template.globals(section);
    let property = |name: &str| match resource.properties.get(name) {
        Val::Null => globals.get(name),
        value => value,
    };
    let given = property("Role").as_text().filter(|role| !role.is_empty());
    let role = given.unwrap_or_else(|| {
        let name = later(&format!("{}Role", resource.name));
        let mut declared = resource.declared.clone();
        declared.address = format!("{}Role", resource.name);
        let mut role = Principal::named(Holder::Role, name.clone());
        role.trust = Val::from_json(&json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service},
        }]}));
        role.max_session = Some(3_600);
        role.tags = resources::tags(&property("Tags"));
        role.boundary = property("PermissionsBoundary").as_text();
        draft.principal(declared, role);
        policies(
            draft,
            resource,
            &name,
            &property("Policies"),
            section == "Function",
        );
        format!("arn:aws:iam::{UNKNOWN_ACCOUNT}:role/{name}")
    });
    let timeout = property("Timeout").as_number();
    let mut consumer =
        resources::running(context, unit, resource, class, runtime, &[role], timeout);
    let schedule = schedule(&property("Events"));
    if let Some(schedule) = schedule {
        consumer.class = ConsumerClass::Scheduled;
        consumer.schedule = Some(schedule);
    }
    out.consumers.push(consumer);
}

/// The schedule among the events that start a function, if there is nothing else.
fn schedule(events: &Val) -> Option<String> {
    let Val::Map(events) = events else {
        return None;
    };
    let schedules: Vec<String> = events
        .values()
        .filter_map(|event| {
            let kind = event.get("Type").as_text()?;
            let properties = event.get("Properties");
            let expression = properties
                .get("Schedule")
                .known_text()
                .or_else(|| properties.get("ScheduleExpression").known_text())?;
            kind.starts_with("Schedule").then(|| clean(&expression))
        })
        .collect();
    (schedules.len() == events.len())
        .then(|| schedules.join("; "))
        .filter(|text| !text.is_empty())
}

fn policies(draft: &mut Draft, resource: &Resource<'_>, role: &str, policies: &Val, logs: bool) {
    let place = &resource.declared.location;
    if logs {
        let arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        draft.attach(Holder::Role, role, arn, place);
    }
    for (at, policy) in policies.items().unwrap_or_default().into_iter().enumerate() {
        let name = format!("policy {}", at + 1);
        match &policy {
            Val::Map(map) if map.contains_key("Statement") => {
                draft.inline(Holder::Role, role, &name, &policy, place);
            }
            Val::Map(map) => {
                for (template, parameters) in map.iter() {
                    let document = from_template(template, parameters);
                    draft.inline(Holder::Role, role, template, &document, place);
                }
            }
            other => {
                let Some(text) = other.as_text() else {
                    continue;
                };
                let arn = if text.starts_with("arn:") {
                    text
                } else {
                    format!("arn:aws:iam::aws:policy/{text}")
                };
                draft.attach(Holder::Role, role, &arn, place);
            }
        }
    }
}

/// Actions of SAM's policy templates, the parameter that names the resource, and the form of the resource. Known from the
/// model's documentation of policy templates, 2026-11-22.
const TEMPLATES: [(&str, &str, &str, &[&str]); 14] = [
    (
        "DynamoDBCrudPolicy",
        "TableName",
        "arn:aws:dynamodb:*:{account}:table/{}",
        &[
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:ConditionCheckItem",
        ],
    ),
    (
        "DynamoDBReadPolicy",
        "TableName",
        "arn:aws:dynamodb:*:{account}:table/{}",
        &[
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
        ],
    ),
    (
        "DynamoDBWritePolicy",
        "TableName",
        "arn:aws:dynamodb:*:{account}:table/{}",
        &[
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
        ],
    ),
    (
        "S3ReadPolicy",
        "BucketName",
        "arn:aws:s3:::{}/*",
        &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:GetLifecycleConfiguration",
        ],
    ),
    (
        "S3WritePolicy",
        "BucketName",
        "arn:aws:s3:::{}/*",
        &[
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:PutLifecycleConfiguration",
        ],
    ),
    (
        "S3CrudPolicy",
        "BucketName",
        "arn:aws:s3:::{}/*",
        &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:DeleteObject",
        ],
    ),
    (
        "SQSSendMessagePolicy",
        "QueueName",
        "arn:aws:sqs:*:{account}:{}",
        &["sqs:SendMessage*"],
    ),
    (
        "SQSPollerPolicy",
        "QueueName",
        "arn:aws:sqs:*:{account}:{}",
        &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
    ),
    (
        "SNSPublishMessagePolicy",
        "TopicName",
        "arn:aws:sns:*:{account}:{}",
        &["sns:Publish"],
    ),
    (
        "LambdaInvokePolicy",
        "FunctionName",
        "arn:aws:lambda:*:{account}:function:{}*",
        &["lambda:InvokeFunction"],
    ),
    (
        "StepFunctionsExecutionPolicy",
        "StateMachineName",
        "arn:aws:states:*:{account}:stateMachine:{}",
        &["states:StartExecution"],
    ),
    (
        "AWSSecretsManagerGetSecretValuePolicy",
        "SecretArn",
        "{}",
        &["secretsmanager:GetSecretValue"],
    ),
    (
        "SSMParameterReadPolicy",
        "ParameterName",
        "arn:aws:ssm:*:{account}:parameter/{}",
        &[
            "ssm:DescribeParameters",
            "ssm:GetParameters",
            "ssm:GetParameter",
            "ssm:GetParametersByPath",
        ],
    ),
    (
        "KMSDecryptPolicy",
        "KeyId",
        "arn:aws:kms:*:{account}:key/{}",
        &["kms:Decrypt"],
    ),
];

/// The document a policy template makes; unknown for one that is not in the list.
fn from_template(name: &str, parameters: &Val) -> Val {
    let Some((_, parameter, form, actions)) = TEMPLATES.iter().find(|known| known.0 == name) else {
        return Val::open(format!("the policy template {name}"));
    };
    let value = parameters
        .get(parameter)
        .as_text()
        .unwrap_or_else(|| later(parameter));
    let resource = form
        .replace("{account}", UNKNOWN_ACCOUNT)
        .replace("{}", &value);
    Val::from_json(&json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": actions, "Resource": resource,
    }]}))
}
