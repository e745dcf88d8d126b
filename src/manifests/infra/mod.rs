//! What all infrastructure code has in common: values of which some are unknown, policies, names, and the account that
//! declared IAM makes. Terraform, CloudFormation, Pulumi, Serverless and state read into these.

pub(super) mod ansible;
mod aws;
mod azure;
mod bindings;
pub(super) mod cloud;
mod code_hosts;
pub(super) mod draft;
mod google;
mod hcp;
pub(super) mod issued;
pub(super) mod item;
mod kubernetes;
pub(super) mod names;
mod placed;
pub(super) mod policy;
pub(super) mod pulumi;
pub(super) mod serverless;
pub(super) mod tasks;
pub(super) mod value;
mod workloads;
