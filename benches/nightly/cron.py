"""Runs by themselves: what they say, what they end with, what they leave; the queries and the ready-made units."""

import json
import pathlib
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time

from place import CALM, WORKFLOW, check, leak, private, same, whole

TREE = pathlib.Path(__file__).resolve().parents[2]


def says(place, options):
    """Quiet unless something changed, a line for mail, the command that is told, gates, JSON logs, modes."""
    place.estate(2, 2)
    run = lambda day, *more: place.scan("out", "state", day, more=["--cron", "--notify-command", "cat > told; echo \"$OVERSTAY_SUMMARY\" > summary", *more])
    first = run(1).expect(0)
    check(len(first.out.splitlines()) == 1 and first.out.startswith("overstay: ") and not first.err, first.out + first.err)
    check(place.path("told").read_text().startswith(first.out), "the command is told something else")
    check(place.path("summary").read_text() == first.out, "the summary is another")
    place.path("told").unlink()
    quiet = run(2, "--fail-on-new", "low").expect(0)
    check(not quiet.out and not quiet.err and not place.path("told").exists(), "something is said of no change")
    place.write("w/plain/new.env", leak(5_000))
    loud = run(3, "--fail-on-new", "low").expect(1)
    check("new" in loud.out and len(loud.out.splitlines()) == 1, loud.out)
    check(run(4, "--fail-on-new", "low").expect(0).out == "", "it is new again")
    check(run(5, "--fail-on", "low").expect(1).out == "", "a gate that was shut before is a change")
    place.path("w/plain/new.env").unlink()
    check("fixed" in run(6).expect(0).out, "what was fixed is not told")
    place.write("w/plain/new.env", leak(5_001))
    page = run(7, "-v", "--notify-format", "json").expect(0)
    check(len(page.out.splitlines()) > 2, page.out)
    told = json.loads(place.path("told").read_text())
    check(told["statuses"]["new"] >= 1 if "statuses" in told else told, str(told)[:300])
    place.write("w/plain/new.env", leak(5_002))
    failing = place.scan("out", "state", 8, more=["--cron", "--notify-command", "exit 3"]).expect(0)
    check("notify command failed" in failing.err, failing.err)
    logged = place.scan("out", "state", 9, more=["--log-format", "json", "-v", "-q"]).expect(0)
    logged = place.scan("out", "state", 9, more=["--log-format", "json", "--cron"]).expect(0)
    events = [json.loads(line) for line in logged.err.splitlines()]
    check(events, "no events in the log")
    text = json.dumps(events)
    check("milliseconds" in text and "findings" in text, text[:400])
    bad = place.run("scan", "no-such-folder", "--state", "state", "--out", "out", "--log-format", "json").expect(2)
    check(all(json.loads(line) for line in bad.err.splitlines()) and bad.err, bad.err)
    place.path("empty").mkdir()
    place.scan("out3", "state3", 1, paths=["empty"]).expect(3)
    private(place.path("out"))
    private(place.path("state"))
    return f"{first.out.strip()!r}"


def stops(place, options):
    """SIGINT, SIGTERM, SIGHUP and --timeout: a clean end, nothing half-written, and the next run goes on."""
    place.estate(4, 30, filler=3000)
    time.sleep(CALM)
    place.scan("clean", "s0", 1).expect(0)
    place.scan("out", "state", 0, more=["--no-history"]).expect(0)
    before = whole(place.path("out"))
    told = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        place.path("state/overstay.sqlite3").unlink(missing_ok=True)
        for companion in ("-wal", "-shm"):
            place.path(f"state/overstay.sqlite3{companion}").unlink(missing_ok=True)
        process = place.start(*place.scan_words("out", "state", 1))
        while process.poll() is None and not place.path("state/overstay.sqlite3").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        told.append(process.returncode)
        check(process.returncode in (128 + number, 0), f"{process.returncode}: {err}")
        if process.returncode:
            check(whole(place.path("out")) == before, "the reports of the run before are not whole")
            check("no report was written" in err, err)
        check(not [path for path in place.path("out").iterdir() if path.name.startswith(".overstay-")], "a half-written file is left")
    place.scan("out", "state", 1).expect(0)
    same(place.path("out"), place.path("clean"))
    short = place.scan("short", "s2", 1, more=["--timeout", "1s"]).expect(0, 4)
    if short.code == 4:
        check(not place.report("short")["run"]["complete"], "a run that was cut short is told to be complete")
    place.scan("short", "s2", 1).expect(0)
    same(place.path("short"), place.path("clean"))
    return f"exit codes {told}, with --timeout {short.code}"


def statuses(place, options):
    """Every status is reached, diff and history tell of it, --keep and doctor do what they say."""
    app = place.repository("w/app")
    role = lambda policy: f'''resource "aws_iam_role" "r" {{
  name = "deployer"
  assume_role_policy = jsonencode({{Version = "2012-10-17", Statement = [{{Effect = "Allow", Action = "sts:AssumeRole", Principal = {{AWS = "*"}}}}]}})
}}
resource "aws_iam_role_policy" "p" {{
  role = aws_iam_role.r.name
  policy = jsonencode({{Version = "2012-10-17", Statement = [{{Effect = "Allow", Action = {policy}, Resource = "*"}}]}})
}}
'''
    narrow, wide = role('["s3:GetObject"]'), role('["s3:GetObject", "iam:*"]')
    place.commit(app, {"main.tf": narrow, "a.env": leak(1)})
    place.write("w/files/b.env", leak(2))
    met = {}
    day = 0

    def night(*more):
        nonlocal day
        day += 1
        place.scan("out", "state", day, more=more).expect(0)
        report = place.report("out")
        now = {one["id"]: one["status"] for one in report["findings"]} | {one["id"]: one["status"] for one in report["changes"].get("fixed", [])}
        for status in now.values():
            met.setdefault(status, day)
        return report, now

    _, first = night()
    night()
    place.commit(app, {"main.tf": wide})
    worse, _ = night()
    check(any(one["status"] == "worsened" and "reaches more" in " ".join(one["changes"]) for one in worse["findings"]), "drift of reach is no change")
    check(worse["changes"].get("drift"), "drift is not told")
    place.commit(app, {"main.tf": narrow})
    better, _ = night()
    check(any(one["status"] == "improved" for one in better["findings"]), "less reach is no change")
    place.path("w/files/b.env").unlink()
    night()
    place.write("w/files/b.env", leak(2))
    report, now = night()
    leaked = next(one["id"] for one in report["findings"] if one["status"] == "reappeared" and one["rule"].startswith("leaked-secret"))
    place.run("decide", "accept-risk", leaked, "--reason", "r", "--expires", f"2026-10-{day + 3:02}", "--state", "state", "--now", f"2026-10-{day + 1:02}").expect(0)
    night()
    day += 6
    night()
    wanted = {"new", "unchanged", "worsened", "improved", "fixed", "reappeared", "accepted", "accepted-expired"}
    check(wanted <= met.keys(), f"never seen: {wanted - met.keys()}")
    # A moved file, a renamed repository.
    place.git("w/app", "mv", "a.env", "moved.env")
    place.commit(app, {})
    _, moved = night()
    place.path("w/app").rename(place.path("w/application"))
    report, renamed = night()
    lost = {id for id, status in renamed.items() if status in ("new", "fixed")}
    check(not lost, f"renamed: {[(one['id'], one['rule'], one['title'], one['status']) for one in report['findings'] + report['changes'].get('fixed', []) if one['id'] in lost]}")
    runs = [line.split(",")[0] for line in place.run("history", "--format", "csv", "--state", "state").expect(0).out.splitlines()[1:]]
    check(len(runs) == 10, f"{len(runs)} runs")
    chart = place.run("history", "--state", "state").expect(0).out
    for words in ("standing risk", "machine identities", "long-lived", "mean age", "plan done"):
        check(words in chart, chart)
    check("reaches more" in place.run("diff", runs[1], runs[2], "--state", "state").expect(0).out, "diff tells of no drift")
    place.run("diff", runs[0], runs[1], "--exit-code", "--state", "state").expect(0)
    place.run("diff", runs[1], runs[2], "--exit-code", "--state", "state").expect(1)
    place.run("diff", "--state", "state", "--format", "csv").expect(0)
    check("ok    runs" in place.run("doctor", "--state", "state").expect(0).out, "doctor")
    night("--keep", "3")
    database = sqlite3.connect(place.path("state/overstay.sqlite3"))
    check(database.execute("SELECT count(*) FROM runs").fetchone() == (3,), "--keep 3")
    check(database.execute("SELECT count(*) FROM trend").fetchone()[0] == 11, "the trend goes with the runs")
    stray = [table for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall()
             if table in ("findings", "identities", "credentials", "assessments", "plan_items", "coverage")
             and database.execute(f"SELECT count(*) FROM {table} WHERE run NOT IN (SELECT number FROM runs)").fetchone()[0]]
    check(not stray, f"rows without a run: {stray}")
    return f"seen on day {dict(sorted(met.items()))}"


def queries(place, options):
    """The ten questions of docs/store.md with the sqlite3 program, against a state of several nights."""
    place.estate(3, 3)
    for day in range(1, 5):
        if day == 3:
            place.write("w/plain/c.env", "")
        if day == 4:
            place.write("w/plain/d.env", leak(4))
        place.scan("out", "state", day).expect(0)
    blocks = [block.split("```")[0] for block in (TREE / "docs/store.md").read_text().split("```sql\n")[1:]]
    view, questions = blocks[0], blocks[1:]
    check(len(questions) == 10, f"{len(questions)} questions")
    rows = []
    for question in questions:
        command = ["sqlite3", "-readonly", str(place.path("state/overstay.sqlite3"))] if shutil.which("sqlite3") else None
        if command:
            done = subprocess.run(command, input=f"{view};{question}", capture_output=True, text=True, check=False)
            check(done.returncode == 0 and not done.stderr, done.stderr + question)
            rows.append(len(done.stdout.splitlines()))
    check(not rows or rows[0] and rows[1] and rows[3], f"rows {rows}")
    return f"rows {rows}"


def units(place, options):
    """The files of contrib: read by what would read them, and their commands run."""
    contrib, met = TREE / "contrib", []
    tools = place.path("bin")
    tools.mkdir()
    (tools / "overstay").symlink_to(place.program)
    place.estate(3, 1)
    key = place.key("etc/fingerprint.key").read_text().strip()
    if shutil.which("systemd-analyze"):
        folder = place.path("units")
        folder.mkdir()
        service = (contrib / "overstay.service").read_text().replace("/usr/local/bin/overstay", place.program)
        (folder / "overstay.service").write_text(service)
        shutil.copy(contrib / "overstay.timer", folder)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", folder / "overstay.service", folder / "overstay.timer"],
                              capture_output=True, text=True, check=False)
        check(done.returncode == 0 and not done.stderr.strip(), f"systemd-analyze verify: {done.stderr}")
        met.append("systemd-analyze verify")
        done = subprocess.run(["systemd-analyze", "calendar", "*-*-* 02:17:00"], capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stderr)
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", folder / "overstay.service"],
                              capture_output=True, text=True, check=False)
        level = re.search(r"Overall exposure level[^:]*: ([\d.]+)", done.stdout)
        met.append(f"exposure {level.group(1)}" if level else f"security: {done.stderr.strip()[:80]}")
    # The commands of crontab and service, with their folders below this one.
    here = lambda text: (text.replace("/srv/repositories", str(place.path("w"))).replace("/var/lib/overstay", str(place.path("var")))
                         .replace("/etc/overstay", str(place.path("etc"))).replace("${CREDENTIALS_DIRECTORY}", str(place.path("etc")))
                         .replace("/usr/local/bin/overstay", "overstay"))
    environment = {**place.env, "PATH": f"{tools}:{place.env['PATH']}"}
    shell = lambda command, cwd=None, **more: subprocess.run(["sh", "-c", command], env={**environment, **more}, cwd=cwd or place.root, capture_output=True, text=True, check=False)
    line = next(row for row in (contrib / "crontab").read_text().splitlines() if "overstay scan" in row)
    fields = line.split(None, 5)
    check(all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5]) and "%" not in fields[5].replace("\\%", ""), line)
    done = shell(here(fields[5]))
    check(done.returncode == 1 and len(done.stdout.splitlines()) == 1, f"crontab: {done.returncode} {done.stdout}{done.stderr}")
    done = shell(here(fields[5]))
    check(done.returncode == 0 and not done.stdout and not done.stderr, f"crontab again: {done.returncode} {done.stdout}{done.stderr}")
    met.append("crontab line run twice")
    start = next(row for row in (contrib / "overstay.service").read_text().splitlines() if row.startswith("ExecStart="))
    done = shell(here(start.removeprefix("ExecStart=")))
    check(done.returncode == 0, f"ExecStart: {done.stderr}")
    try:
        import yaml
    except ImportError:
        return ", ".join([*met, "no yaml module: manifests not read"])
    load = lambda name: yaml.safe_load((contrib / name).read_text())
    pod = load("kubernetes-cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    words = pod["containers"][0]["args"]
    at = {mount["mountPath"]: str(place.path("kube") / mount["name"]) for mount in pod["containers"][0]["volumeMounts"]}
    at["/repositories"] = str(place.path("w"))
    put = lambda text: re.sub(r"(?<![\w-])/(repositories|state|key|parts)\b", lambda found: at[found.group(0)], text)
    place.key("kube/key/fingerprint.key")
    done = place.run(*[put(word) for word in words]).expect(0)
    check(json.loads(done.err.splitlines()[-1]), done.err)
    check(all({volume["name"] for volume in pod["volumes"]} >= {mount["name"]} for mount in pod["containers"][0]["volumeMounts"]), "a volume is missing")
    met.append("CronJob")
    job = load("kubernetes-indexed-job.yaml")["spec"]
    spec = job["template"]["spec"]
    at = {mount["mountPath"]: str(place.path("job") / mount["name"]) for mount in spec["containers"][0]["volumeMounts"]}
    at["/repositories"] = str(place.path("w"))
    place.key("job/key/fingerprint.key")
    many = job["completions"]
    started = [subprocess.Popen(["sh", "-c", put(spec["containers"][0]["args"][0])], cwd=place.root, stderr=subprocess.PIPE, text=True,
                                env={**environment, "JOB_COMPLETION_INDEX": str(index), "SCAN_TIME": "2026-10-02T00:00:00Z"}) for index in range(many)]
    for worker in started:
        _, err = worker.communicate()
        check(worker.returncode == 0, err)
    place.run("merge", *(f"{at['/parts']}/part-{index + 1}" for index in range(many)), "--out", "merged", "--state", "merged-state",
              "--key-file", f"{at['/key']}/fingerprint.key").expect(0)
    place.scan("single", "single-state", 1, more=["--key-file", f"{at['/key']}/fingerprint.key", "--trust-repo-owner"]).expect(0)
    same(place.path("merged"), place.path("single"))
    met.append(f"Indexed Job, {many} workers at once, merged like one run")
    # Steps of the workflows, with what GitHub would set.
    for name, part in (("github-actions.yml", None), ("github-actions-matrix.yml", 2)):
        flow = load(name)
        for job in flow["jobs"].values():
            check({"runs-on", "timeout-minutes", "steps"} <= job.keys(), f"{name}: {sorted(job)}")
            check(all("uses" in step or "run" in step for step in job["steps"]), name)
            pinned = [step["uses"] for step in job["steps"] if "uses" in step]
            check(all("@" in uses for uses in pinned), str(pinned))
            for step in job["steps"]:
                if "run" not in step:
                    continue
                check("${{" not in step["run"], f"{name}: an expression in a script")
                check(shell(f"set -e; sh -n <<'END'\n{step['run']}\nEND").returncode == 0, f"{name}: {step['run']}")
    work = place.path("checkout")
    shutil.copytree(place.path("w/r0"), work)
    temp = place.path("runner")
    temp.mkdir()
    script = next(step["run"] for step in load("github-actions.yml")["jobs"]["scan"]["steps"] if step.get("name") == "Scan")
    done = subprocess.run(["bash", "-e", "-c", script], cwd=work, env={**environment, "RUNNER_TEMP": str(temp), "FINGERPRINT_KEY": key},
                          capture_output=True, text=True, check=False)
    check(done.returncode == 1 and (temp / "report/results.sarif").exists(), f"workflow: {done.returncode} {done.stderr}")
    met.append("workflow step run")
    return ", ".join(met)


CASES = [says, stops, statuses, queries, units]
