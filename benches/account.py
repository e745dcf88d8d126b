"""Writes the description of an AWS account of any size, as `aws iam get-account-authorization-details` gives it.

    python3 benches/account.py --principals 12200 --out account.json

The same size gives the same bytes. A tenth of the account is made of each of ten teams' shapes: people in groups, users of
machines with keys, roles of functions, instances, builds and containers, deployers that pass roles, roles that trust the
account and roles that trust one other, administrators, and those that lead to one. One principal in twenty is bounded.
Policies are partly AWS's own (from the project's rules, so that documents are those of real accounts), partly written here.
"""

import argparse
import json
import pathlib
import random

ACCOUNT = "111122223333"
RULES = pathlib.Path(__file__).resolve().parent.parent / "rules" / "aws"
DATE = "2025-03-01T00:00:00+00:00"


def arn(kind, name):
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more})


def managed():
    """AWS's policies that the project knows, by name."""
    out = {}
    for line in (RULES / "managed-policies.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            name, text = line.split("\t")
            out[name.rsplit("/", 1)[-1]] = (name, json.loads(text))
    return out


class Account:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.known = managed()
        self.users, self.groups, self.roles, self.policies = [], [], [], {}
        self.used = set()

    def aws(self, *names):
        out = []
        for name in names:
            if name in self.known:
                self.used.add(name)
                out.append({"PolicyName": name, "PolicyArn": self.known[name][0]})
        return out

    def customer(self, name, doc):
        self.policies[name] = doc
        return {"PolicyName": name, "PolicyArn": arn("policy", name)}

    def inline(self, name, *statements):
        return {"PolicyName": name, "PolicyDocument": document(*statements)}

    def user(self, name, groups=(), attached=(), inline=(), boundary=None):
        user = {
            "Path": "/", "UserName": name, "UserId": f"AIDA{len(self.users):016d}", "Arn": arn("user", name),
            "CreateDate": DATE, "GroupList": list(groups), "AttachedManagedPolicies": list(attached),
            "UserPolicyList": list(inline), "Tags": [{"Key": "team", "Value": name.split("-")[0]}],
        }
        if boundary:
            user["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
        self.users.append(user)

    def role(self, name, trusts, attached=(), inline=(), boundary=None, profile=False):
        role = {
            "Path": "/", "RoleName": name, "RoleId": f"AROA{len(self.roles):016d}", "Arn": arn("role", name),
            "CreateDate": DATE, "AssumeRolePolicyDocument": trusts, "AttachedManagedPolicies": list(attached),
            "RolePolicyList": list(inline), "InstanceProfileList": [], "Tags": [{"Key": "team", "Value": name.split("-")[0]}],
            "RoleLastUsed": {"LastUsedDate": "2026-10-01T00:00:00+00:00", "Region": "eu-west-1"},
        }
        if boundary:
            role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
        if profile:
            role["InstanceProfileList"] = [{"InstanceProfileName": name, "Arn": arn("instance-profile", name)}]
        self.roles.append(role)

    def team(self, number):
        """61 principals of one team."""
        t, pick = f"t{number}", self.random.choice
        bucket = [f"arn:aws:s3:::{t}-data", f"arn:aws:s3:::{t}-data/*"]
        group = f"{t}-devs"
        self.groups.append({
            "Path": "/", "GroupName": group, "GroupId": f"AGPA{len(self.groups):016d}", "Arn": arn("group", group),
            "CreateDate": DATE, "AttachedManagedPolicies": self.aws("ReadOnlyAccess"),
            "GroupPolicyList": [self.inline("own", allow(
                ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ChangePassword"],
                "arn:aws:iam::*:user/${aws:username}"))],
        })
        shared = self.customer(f"{t}-app", document(
            allow(["s3:GetObject", "s3:PutObject"], bucket),
            allow(["dynamodb:GetItem", "dynamodb:PutItem"], f"arn:aws:dynamodb:*:{ACCOUNT}:table/{t}-*"),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"])))
        edge = self.customer(f"{t}-edge", document(allow(["s3:*", "logs:*", "dynamodb:*", "lambda:*"])))["PolicyArn"]
        for n in range(14):
            self.user(f"{t}-person{n}", [group], boundary=edge if n == 0 else None)
        for n in range(8):
            self.user(f"{t}-machine{n}", attached=[shared], inline=[self.inline("own", allow(
                "sqs:SendMessage", f"arn:aws:sqs:*:{ACCOUNT}:{t}-{n}"))])
        self.user(f"{t}-keys", inline=[self.inline("keys", allow(
            "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/{pick([t, 't0'])}-*"))])
        self.user(f"{t}-power", attached=self.aws("PowerUserAccess"))
        self.user(f"{t}-jump", inline=[self.inline("jump", allow("sts:AssumeRole"))])
        for n in range(12):
            self.role(f"{t}-function{n}", trust({"Service": "lambda.amazonaws.com"}),
                      self.aws("AWSLambdaBasicExecutionRole") + [shared])
        for n in range(6):
            self.role(f"{t}-instance{n}", trust({"Service": "ec2.amazonaws.com"}),
                      self.aws("AmazonSSMManagedInstanceCore") + [shared], profile=True)
        for n in range(4):
            self.role(f"{t}-task{n}", trust({"Service": "ecs-tasks.amazonaws.com"}), [shared], [self.inline(
                "secrets", allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:{t}/{n}-*"))])
        for n in range(3):
            self.role(f"{t}-build{n}", trust({"Service": "codebuild.amazonaws.com"}), inline=[self.inline(
                "build", allow(["codebuild:StartBuild", "codebuild:UpdateProject", "ecr:*"]),
                allow("iam:PassRole", arn("role", f"{t}-*"), Condition={
                    "StringEquals": {"iam:PassedToService": "codebuild.amazonaws.com"}}))])
        for n in range(2):
            self.role(f"{t}-deploy{n}", trust({"AWS": arn("user", f"{t}-machine{n}")}), inline=[self.inline(
                "deploy", allow(["cloudformation:*", "lambda:*", "s3:*"]), allow("iam:PassRole", arn("role", "*")))])
        for n in range(4):
            self.role(f"{t}-shared{n}", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition={} if n else {
                "StringEquals": {"aws:PrincipalTag/team": t}}), [shared])
        self.role(f"{t}-chain", trust({"AWS": arn("role", f"{t}-shared1")}), inline=[self.inline(
            "self", allow("iam:PutRolePolicy", arn("role", f"{t}-chain")))])
        self.role(f"{t}-stack", trust({"Service": "cloudformation.amazonaws.com"}), self.aws("AdministratorAccess"))
        self.role(f"{t}-audit", trust({"AWS": "arn:aws:iam::444455556666:root"}, Condition={
            "StringEquals": {"sts:ExternalId": t}}), self.aws("SecurityAudit"))
        self.role(f"{t}-limited", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), self.aws("AdministratorAccess"),
                  boundary=edge)
        self.role(f"{t}-denied", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), self.aws("AdministratorAccess"),
                  [self.inline("no", {"Effect": "Deny", "NotAction": ["s3:Get*", "s3:List*"], "Resource": "*"})])

    def described(self, limit):
        self.users = self.users[: max(0, limit - len(self.roles))] if limit < len(self.users) + len(self.roles) else self.users
        for name in sorted(self.used):
            self.policies[name] = None
        listed = []
        for name, doc in sorted(self.policies.items()):
            path = self.known[name][0] if doc is None else arn("policy", name)
            listed.append({
                "PolicyName": name, "Arn": path, "DefaultVersionId": "v1",
                "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True,
                                       "Document": self.known[name][1] if doc is None else doc}],
            })
        return {"UserDetailList": self.users, "GroupDetailList": self.groups,
                "RoleDetailList": self.roles, "Policies": listed, "IsTruncated": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--principals", type=int, default=122)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    account = Account(options.seed)
    number = 0
    while len(account.users) + len(account.roles) < options.principals:
        account.team(number)
        number += 1
    pathlib.Path(options.out).write_text(json.dumps(account.described(options.principals)))


if __name__ == "__main__":
    main()
