"""What people decide: from scripts, by two of them at once, and what a record of a review covers."""

import json
import sqlite3

from place import WORKFLOW, check, leak


def decide(place, verdict, *words, state="state", day="2026-11-02", actor="ada"):
    return place.run("decide", verdict, *words, "--reason", "because", "--actor", actor, "--state", state,
                     "--now", f"{day}T10:00:00Z")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


VERDICTS = [("accept-risk",), ("false-positive",), ("remediate",), ("defer",), ("break-glass", "--value", "yes"),
            ("owner", "--value", "team-a"), ("purpose", "--value", "deploys"), ("disposition", "--value", "keep-standing"),
            ("reopen",)]


def verdicts(place, options):
    """Every verdict on every scope, from scripts; what cannot be said is refused and nothing is recorded."""
    repository = place.repository("w/app")
    place.commit(repository, {"a.env": leak(1), "b.env": leak(2), ".github/workflows/deploy.yml": WORKFLOW})
    place.scan("out", "state", 40).expect(0)
    report = place.report("out")
    finding = next(one for one in report["findings"] if one.get("credential") and one["rule"].startswith("leaked-secret"))
    identity = next(one["identity"] for one in report["findings"] if one.get("identity"))
    scopes = {
        "finding": [finding["id"]],
        "credential": [finding["credential"]],
        "identity": [identity],
        "rule-path": ["--about", "rule-path", "--rule", finding["rule"], "--path", "*/b.env"],
    }
    met = {}
    log = place.path("state/decisions.jsonl")
    for verdict, *value in VERDICTS:
        for scope, words in scopes.items():
            before = lines(log) if log.exists() else []
            done = decide(place, verdict, *words, *value, "--ticket", "SEC-1").expect(0, 2)
            after = lines(log) if log.exists() else []
            if before == after and done.code == 2:
                met.setdefault("refused", []).append(f"{verdict}/{scope}: {done.err.splitlines()[0]}")
                continue
            met.setdefault("recorded", []).append(f"{verdict}/{scope}")
            check(len(after) == len(before) + 1, f"{verdict} on a {scope}: {len(after) - len(before)} events")
            event = after[-1]
            check(all(event.get(key) for key in ("at", "actor", "scope", "decision", "reason", "ticket")), str(event))
            check(("expires" in event) == (verdict in ("accept-risk", "defer")), f"{verdict}: {event}")
            place.scan("again", "state", 41).expect(0)
    # What each does.
    decide(place, "reopen", *scopes["finding"])
    decide(place, "reopen", *scopes["credential"])
    decide(place, "reopen", *scopes["rule-path"])
    decide(place, "owner", identity, "--value", "team-b").expect(0)
    decide(place, "purpose", identity, "--value", "ships it").expect(0)
    decide(place, "accept-risk", finding["id"], "--expires", "2026-11-20").expect(0)
    place.scan("after", "state", 42).expect(0)
    after = place.report("after")
    person = next(one for one in after["identities"] if one["id"] == identity)
    check((person["owner"], person["purpose"]) == ("team-b", "ships it"), str(person))
    status = {one["id"]: one["status"] for one in after["findings"]}
    check(status[finding["id"]] == "accepted", status[finding["id"]])
    place.scan("late", "state", 52).expect(0)
    late = place.report("late")
    status = {one["id"]: one["status"] for one in late["findings"]}
    check(status[finding["id"]] == "accepted-expired", status[finding["id"]])
    check(any("ran out" in one["reason"] for one in late["coverage"]), "nothing tells that it ran out")
    decide(place, "accept-risk", "--about", "rule-path", "--rule", "no-such-rule", "--path", "nowhere/*").expect(0)
    place.scan("unmatched", "state", 53).expect(0)
    check(any("matches nothing" in one["reason"] for one in place.report("unmatched")["coverage"]), "nothing tells that it matches nothing")
    return f"recorded {len(met['recorded'])}; refused: {'; '.join(met.get('refused', [])) or 'none'}"


def merges(place, options):
    """Two people decide in their own clones of the log; git merges; what they disagree on is shown and not in force."""
    place.write("w/files/a.env", leak(1))
    place.write("w/files/b.env", leak(2))
    place.write("w/files/c.env", leak(3))
    place.scan("out", "state", 40).expect(0)
    leaked = sorted((one for one in place.report("out")["findings"] if one["rule"].startswith("leaked-secret")), key=lambda one: one["id"])
    one, two, three = (finding["id"] for finding in leaked[:3])
    decide(place, "remediate", one).expect(0)
    place.git("state", "init", "--quiet")
    place.git("state", "add", "--all")
    check(place.git("state", "ls-files").split() == [".gitattributes", ".gitignore", "decisions.jsonl"], place.git("state", "ls-files"))
    place.git("state", "commit", "--quiet", "-m", "log")
    for name in ("ada", "lee"):
        place.git(".", "clone", "--quiet", str(place.path("state")), str(place.path(name)))
        for companion in ("overstay.sqlite3",):
            source = sqlite3.connect(place.path(f"state/{companion}"))
            target = sqlite3.connect(place.path(f"{name}/{companion}"))
            source.backup(target)
            source.close()
            target.close()
    decide(place, "accept-risk", two, state="ada", actor="ada").expect(0)
    decide(place, "accept-risk", three, state="ada", actor="ada").expect(0)
    decide(place, "false-positive", one, state="ada", actor="ada").expect(0)
    decide(place, "remediate", two, state="lee", actor="lee").expect(0)
    decide(place, "accept-risk", three, state="lee", actor="lee").expect(0)
    for name in ("ada", "lee"):
        place.git(name, "commit", "--quiet", "-am", f"decisions of {name}")
    told = {}
    for mine, other in (("ada", "lee"), ("lee", "ada")):
        place.copy(mine, f"merged-{mine}")
        place.git(f"merged-{mine}", "pull", "--quiet", "--no-rebase", "--no-edit", str(place.path(other)))
        text = place.path(f"merged-{mine}/decisions.jsonl").read_text()
        check("<<<<" not in text and len(text.splitlines()) == 6, text)
        place.scan(f"report-{mine}", f"merged-{mine}", 41).expect(0)
        report = place.report(f"report-{mine}")
        told[mine] = {finding["id"]: (finding["status"], (finding.get("decision") or {}).get("verdict")) for finding in report["findings"]}
        check(any("people decided differently" in entry["reason"] for entry in report["coverage"]), "no conflict is told of")
        page = place.run("decisions", "--state", f"merged-{mine}", "--now", "2026-11-03").expect(0).out
        check("CONFLICT" in page and "ada" in page and "lee" in page, page)
    check(told["ada"] == told["lee"], "who merges matters")
    check(told["ada"][two][1] == "conflict" and told["ada"][two][0] != "accepted", str(told["ada"][two]))
    check(told["ada"][three][0] == "accepted", "what both accepted is in force")
    check(told["ada"][one] == ("accepted", "false-positive"), str(told["ada"][one]))
    decide(place, "remediate", two, state="merged-ada", actor="mo", day="2026-11-04").expect(0)
    place.scan("settled", "merged-ada", 42).expect(0)
    settled = {finding["id"]: finding for finding in place.report("settled")["findings"]}
    check(settled[two]["decision"]["verdict"] == "remediate", str(settled[two]["decision"]))
    # A merge that was left with its marks: the lines that are events count, the marks are told of.
    log = place.path("merged-lee/decisions.jsonl")
    log.write_text("<<<<<<< HEAD\n" + log.read_text() + "=======\n>>>>>>> other\n")
    place.scan("marks", "merged-lee", 41).expect(0)
    marks = [entry for entry in place.report("marks")["coverage"] if entry["source"] == "decisions" and entry["unit"].startswith("line ")]
    check(len(marks) == 3, f"{marks}")
    return "commutes; conflict shown in report, coverage and `decisions`; settled by a third decision"


def attest(place, options):
    """A record of a review stays valid when the log grows, and names what was altered or removed."""
    place.write("w/files/a.env", leak(1))
    place.write("w/files/b.env", leak(2))
    repository = place.repository("w/app")
    place.commit(repository, {".github/workflows/deploy.yml": WORKFLOW})
    place.scan("out", "state", 40).expect(0)
    findings = [one["id"] for one in place.report("out")["findings"]]
    for id in findings[:4]:
        decide(place, "accept-risk", id).expect(0)
    place.run("attest", "--reviewer", "Dana Lee", "--role", "head of platform", "--period", "2026 Q4", "--state", "state",
              "--now", "2026-11-05T00:00:00Z", "--out", "record.json").expect(0)
    record = json.loads(place.path("record.json").read_text())
    check(record["review"]["reviewer"] == "Dana Lee" and record["review"]["at"] and record["evidence"], "who, when, evidence")
    check(record["accounts"] and len(record["events"]) == 4, "accounts and events")
    check((place.path("record.json").stat().st_mode & 0o777) == 0o600, "mode of the record")
    verify = lambda: place.run("attest", "--verify", "record.json", "--state", "state")
    verify().expect(0)
    log = place.path("state/decisions.jsonl")
    good = log.read_text()
    rows = good.splitlines()
    log.write_text("\n".join(reversed(rows)) + "\n" + rows[0] + "\n")
    verify().expect(0)
    log.write_text(good)
    decide(place, "remediate", findings[5], day="2026-11-06", actor="lee").expect(0)
    check("added" in verify().expect(0).out, "what was added is not told")
    for words, bad in [("altered", good.replace('"actor":"ada"', '"actor":"eve"', 1)), ("removed", "\n".join(rows[1:]) + "\n"),
                       ("reason", good.replace('"because"', '"another"', 1)),
                       ("field", good.replace('{"at"', '{"more":1,"at"', 1))]:
        log.write_text(bad)
        told = verify().expect(1).out
        named = [event["id"] for event in record["events"] if event["id"] in told]
        check(len(named) == 1, f"{words}: {told}")
    log.write_text(good)
    verify().expect(0)
    text = place.path("record.json").read_text()
    for altered in [text.replace("Dana Lee", "Dana Ley"), text.replace('"tier": 0', '"tier": 1', 1),
                    text.replace(record["evidence"], "0" * len(record["evidence"]))]:
        place.write("record.json", altered)
        if altered != text:
            verify().expect(1)
    place.write("record.json", text)
    # The run itself altered in the database.
    return "altered, removed, added events; altered record"


CASES = [verdicts, merges, attest]
