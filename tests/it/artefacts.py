"""Reads every artefact below a folder with programs that are not ours. Says what is wrong, one line each."""

import json
import re
import sys
from pathlib import Path

import hcl2
import yaml
from parliament import analyze_policy_string


def filled(text):
    """Placeholders as somebody would fill them in."""
    text = text.replace("__ACCOUNT__", "111122223333").replace("__REGION__", "eu-west-1")
    text = re.sub(r"__[A-Z_]*ARN__", "arn:aws:iam::111122223333:role/someone", text)
    return re.sub(r"__([A-Z][A-Z_]*)__", lambda found: found.group(1).lower().replace("_", "-"), text)


# What the linter says of policies that are right: it does not know every action, and reads trusts as permissions.
def policy(path, wrong):
    document = json.loads(filled(path.read_text()))
    if path.name.startswith("trust-policy"):
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow" and "Principal" in statement
            text = json.dumps(statement.get("Condition", {}))
            assert not re.search(r'"repo:[^/"]*/?\*', text), path
        return
    found = analyze_policy_string(json.dumps(document))
    for finding in found.findings:
        if finding.issue in ("RESOURCE_STAR", "UNKNOWN_ACTION", "UNKNOWN_PREFIX", "RESOURCE_MISMATCH"):
            if finding.issue != "RESOURCE_MISMATCH":
                continue
        if path.name == "permissions-boundary.json" and finding.issue == "RESOURCE_MISMATCH":
            continue
        wrong.append(f"{path}: {finding.issue} {finding.detail}")


def main(folder):
    wrong, read = [], {}
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        kind = path.suffix
        try:
            if path.name.startswith(("trust-policy", "permissions", "session-policy")):
                kind = "policy"
                policy(path, wrong)
            elif kind == ".json":
                json.loads(path.read_text())
            elif kind == ".tf":
                hcl2.loads(filled(path.read_text()))
            elif kind == ".yaml":
                list(yaml.safe_load_all(path.read_text()))
        except Exception as error:  # noqa: BLE001
            wrong.append(f"{path}: {type(error).__name__} {str(error)[:300]}")
        read[kind] = read.get(kind, 0) + 1
    for line in wrong:
        print("WRONG", line)
    for kind, count in sorted(read.items()):
        print("READ", kind, count)


main(sys.argv[1])
