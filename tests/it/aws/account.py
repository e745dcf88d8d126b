"""Fills a moto server with an account, an organization and a member account."""

import json
import sys

import boto3

URL, MANY = sys.argv[1], int(sys.argv[2])


def client(service, key="AKIA" + "T" * 16, secret="t" * 40, token=None):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*"):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def trust(principal, **condition):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Action"] = "sts:AssumeRoleWithWebIdentity"
        statement["Condition"] = condition
    return policy(statement)


iam = client("iam")
iam.create_account_alias(AccountAlias="orchard")
boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
deploy = iam.create_policy(PolicyName="deploy", Path="/ci/", PolicyDocument=policy(allow("lambda:*")))["Policy"]["Arn"]
iam.create_policy_version(PolicyArn=deploy, PolicyDocument=policy(allow(["lambda:*", "iam:PassRole"])), SetAsDefault=True)
iam.create_group(GroupName="people")
iam.attach_group_policy(GroupName="people", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

for n in range(MANY):
    user = f"service-{n:03}"
    iam.create_user(UserName=user, Path="/machines/", Tags=[{"Key": "owner", "Value": "team-a"}])
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy(allow("s3:GetObject")))
    iam.create_access_key(UserName=user)
    role = f"worker-{n:03}"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}), MaxSessionDuration=7200)
    iam.attach_role_policy(RoleName=role, PolicyArn=deploy)

iam.create_user(UserName="ann+ops@example.com")
iam.add_user_to_group(GroupName="people", UserName="ann+ops@example.com")
iam.create_login_profile(UserName="ann+ops@example.com", Password="correct-Horse-9-battery")
device = iam.create_virtual_mfa_device(VirtualMFADeviceName="ann")["VirtualMFADevice"]["SerialNumber"]
iam.enable_mfa_device(
    UserName="ann+ops@example.com", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
)
key = iam.create_access_key(UserName="service-000")["AccessKey"]
iam.update_access_key(UserName="service-000", AccessKeyId=key["AccessKeyId"], Status="Inactive")
iam.upload_ssh_public_key(UserName="service-000", SSHPublicKeyBody="ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB service")

iam.create_role(
    RoleName="github",
    AssumeRolePolicyDocument=trust(
        {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        StringLike={"token.actions.githubusercontent.com:sub": "repo:orchard/*"},
    ),
    PermissionsBoundary=boundary,
)
iam.attach_role_policy(RoleName="github", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
iam.create_instance_profile(InstanceProfileName="web")
iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="worker-000")
iam.create_open_id_connect_provider(
    Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
)
iam.create_saml_provider(
    Name="idp", SAMLMetadataDocument='<EntityDescriptor entityID="https://idp.example/saml"/>' + " " * 1000
)
iam.update_account_password_policy(MinimumPasswordLength=14, MaxPasswordAge=90)

# An organization with one more account, which has a role to read it through.
organizations = client("organizations")
organizations.create_organization(FeatureSet="ALL")
root = organizations.list_roots()["Roots"][0]["Id"]
unit = organizations.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
member = organizations.create_account(AccountName="member", Email="member@example.com")["CreateAccountStatus"]["AccountId"]
organizations.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
limit = organizations.create_policy(
    Name="no-leaving",
    Description="",
    Type="SERVICE_CONTROL_POLICY",
    Content=policy({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}),
)["Policy"]["PolicySummary"]["Id"]
organizations.attach_policy(PolicyId=limit, TargetId=unit)
session = client("sts").assume_role(RoleArn=f"arn:aws:iam::{member}:role/setup", RoleSessionName="setup")["Credentials"]
there = client("iam", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
there.create_user(UserName="lonely")
there.create_role(RoleName="overstay", AssumeRolePolicyDocument=trust({"AWS": "arn:aws:iam::123456789012:root"}))
print(member)
