"""Makes a tree of Kubernetes manifests and charts, and measures how long a scan of it takes.

usage: manifests.py BINARY [--count 20000] [--cpus 2]
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path

WORDS = ["orders", "payments", "search", "mail", "ledger", "stock", "web", "auth", "report", "cache", "queue", "audit"]


def account(name: str, namespace: str) -> str:
    return (
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        f"  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/{name}\n"
    )


def role(name: str, namespace: str) -> str:
    return (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        "rules:\n  - apiGroups: ['']\n    resources: [configmaps, pods]\n    verbs: [get, list, watch]\n---\n"
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {name}\n"
        f"subjects:\n  - kind: ServiceAccount\n    name: {name}\n    namespace: {namespace}\n"
    )


def workload(name: str, namespace: str, schedule: bool) -> str:
    pod = (
        f"serviceAccountName: {name}\ncontainers:\n  - name: {name}\n    image: registry/{name}:1\n    env:\n"
        f"      - name: DATABASE_PASSWORD\n        valueFrom:\n          secretKeyRef:\n            name: {name}\n"
        "            key: password\n      - name: LOG_LEVEL\n        value: info\n    resources:\n      limits:\n"
        "        cpu: 500m\n        memory: 256Mi\n    ports:\n      - containerPort: 8080\n"
    )
    pad = lambda text, by: "".join(f"{' ' * by}{line}\n" for line in text.splitlines())
    if schedule:
        return (
            f"apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n"
            "  schedule: '5 1 * * *'\n  jobTemplate:\n    spec:\n      activeDeadlineSeconds: 900\n      template:\n"
            f"        spec:\n{pad(pod, 10)}"
        )
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  replicas: 2\n"
        f"  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n"
        f"    spec:\n{pad(pod, 6)}"
    )


def settings(name: str, namespace: str) -> str:
    values = "".join(f"  key-{at}: value {at} of {name}\n" for at in range(30))
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\ndata:\n{values}"


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: {name}\nversion: 1.0.0\n",
    "values.yaml": "serviceAccount:\n  create: true\n  name: ''\nreplicas: 2\n",
    "templates/_helpers.tpl": '{{{{- define "{name}.fullname" -}}}}\n{{{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 -}}}}\n{{{{- end -}}}}\n',
    "templates/account.yaml": '{{{{- if .Values.serviceAccount.create }}}}\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{{{ include "{name}.fullname" . }}}}\n{{{{- end }}}}\n',
    "templates/deployment.yaml": 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{{{ include "{name}.fullname" . }}}}\nspec:\n  replicas: {{{{ .Values.replicas }}}}\n  template:\n    spec:\n      serviceAccountName: {{{{ include "{name}.fullname" . }}}}\n      containers: []\n',
}


def make(root: Path, count: int) -> None:
    """Writes `count` files: nine of ten plain manifests, the rest charts of five files."""
    chance = random.Random(20261122)
    written = 0
    while written < count:
        name = f"{chance.choice(WORDS)}-{written}"
        namespace = f"team-{chance.randrange(60)}"
        folder = root / f"apps/{chance.choice(WORDS)}/{name}"
        if chance.random() < 0.1:
            files = {f"chart/{path}": text.format(name=name) for path, text in CHART.items()}
        else:
            files = {
                "account.yaml": account(name, namespace),
                "role.yaml": role(name, namespace),
                "workload.yaml": workload(name, namespace, chance.random() < 0.3),
                "settings.yaml": settings(name, namespace),
            }
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            written += 1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("binary")
    arguments.add_argument("--count", type=int, default=20_000)
    arguments.add_argument("--cpus", type=int, default=2)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tree, out, home = (Path(scratch) / name for name in ("tree", "out", "home"))
        make(tree, given.count)
        home.mkdir()
        cpus = sorted(os.sched_getaffinity(0))[: given.cpus]
        times = []
        for _ in range(3):
            before, start = os.times(), time.monotonic()
            subprocess.run(
                [given.binary, "scan", str(tree), "--out", str(out), "--now", "2026-11-01T00:00:00Z"],
                env={"PATH": os.environ["PATH"], "HOME": str(home)}, capture_output=True, check=False,
                preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            )
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            times.append((time.monotonic() - start, spent))
        report = json.loads((out / "report.json").read_text())
        wall, cpu = min(times)
        print(
            f"{given.count:,} files, {len(cpus)} CPUs: {wall:.1f} s, {cpu:.1f} s of CPU; "
            f"{len(report['identities']):,} identities, {len(report['roles']):,} roles, {len(report['consumers']):,} consumers"
        )


if __name__ == "__main__":
    main()
