"""What stays between runs: whatever ends a run, the next one tells what a clean one tells."""

import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import time

from place import CALM, WORKFLOW, check, leak, private, same, whole


def integrity(place, state):
    database = sqlite3.connect(place.path(state) / "overstay.sqlite3")
    check(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the database does not hold together")
    database.close()


def kill(place, options):
    """kill -9 at random moments of a scan, then a run that equals a clean one."""
    place.estate(6, 12, filler=400)
    time.sleep(CALM)
    place.scan("clean", "clean-state", 1).expect(0)
    first = place.scan("timed", "timed-state", 1).expect(0).wall
    draw = random.Random(options.seed)
    ended = 0
    for number in range(options.kills):
        if number % 20 == 0:
            # From nothing again, so that not all of them are killed while little is left to do.
            subprocess.run(["rm", "-rf", place.path("state")], check=True)
        process = place.start(*place.scan_words("out", "state", 1))
        time.sleep(draw.random() * first * 1.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        ended += process.returncode == 0
        whole(place.path("out"))
        if place.path("state/overstay.sqlite3").exists() and number % 5 == 0:
            integrity(place, "state")
        if number % 10 == 9:
            place.scan("out", "state", 1).expect(0)
            same(place.path("out"), place.path("clean"))
            integrity(place, "state")
            private(place.path("state"))
    place.scan("out", "state", 1).expect(0)
    same(place.path("out"), place.path("clean"))
    place.copy("state", "full-state")
    place.scan("later", "state", 2).expect(0)
    place.scan("later-full", "full-state", 2, more=["--full"]).expect(0)
    same(place.path("later"), place.path("later-full"))
    return f"{options.kills} killed within {first * 1.05:.2f} s, {ended} had ended before"


def lock(place, options):
    """Two runs at once: 75 for the second; a lock that a dead process left locks nothing."""
    place.estate(2, 2)
    place.path("state").mkdir(mode=0o700)
    with open(place.path("state/lock"), "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = place.scan("out", "state").expect(75)
        check("another run holds" in busy.err, busy.err)
        check(not place.path("out/report.json").exists(), "a run without the lock wrote reports")
    place.write("state/lock", "999999\n2020-01-01T00:00:00Z\n")
    place.scan("out", "state").expect(0)
    together = [place.start(*place.scan_words(f"o{at}", "state", more=["--full"])) for at in range(6)]
    codes = sorted(process.wait(600) for process in together)
    for process in together:
        process.communicate()
    check(set(codes) <= {0, 75} and 0 in codes, f"exit codes {codes}")
    holder = place.start(*place.scan_words("out", "state", more=["--full"]))
    time.sleep(0.05)
    holder.kill()
    holder.communicate()
    place.scan("out", "state").expect(0)
    return f"six at once ended with {codes}"


def quota(place, options):
    """A disk that is full: a clear error, and the reports are written where there is room for them."""
    place.estate(4, 10, filler=200)
    place.scan("clean", "s0", 1).expect(0)
    told = []
    # Of the size of a file: reports fit, what some nights keep does not.
    for night in range(1, 4):
        place.scan("nights", "s1", night).expect(0)
    largest = max(path.stat().st_size for path in place.path("nights").rglob("*") if path.is_file())
    for night in range(4, 60):
        place.copy("s1", "s3")
        kept = place.scan("out", "s1", night, limit=largest + 4096)
        if kept.code == 2:
            break
        kept.expect(0)
    else:
        check(False, "sixty nights fit into a file of the size of a report")
    place.scan("free", "s3", night).expect(0)
    same(place.path("out"), place.path("free"))
    place.scan("out", "s1", night).expect(0)
    same(place.path("out"), place.path("free"))
    told.append(f"file size, in night {night}")
    # Nor do the reports: those of the run before stay whole.
    before = whole(place.path("out"))
    none = place.scan("out", "s2", 2, limit=largest // 2).expect(2)
    check("with room for the reports" in none.err, none.err)
    check(whole(place.path("out")) == before, "the reports of the run before are not whole")
    check(not [path for path in place.path("out").iterdir() if path.name.endswith(".tmp")], "a half-written file is left")
    # A file system for the state with room for half of it.
    disk = place.path("disk")
    disk.mkdir()
    room = place.path("s0/overstay.sqlite3").stat().st_size // 2048
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}k,mode=700", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode == 0:
        try:
            full = place.scan("out", "disk/state", 1).expect(2)
            check("its reports were written" in full.err, full.err)
            check("make room" in full.err, full.err)
            same(place.path("out"), place.path("clean"))
            told.append("full disk: " + full.err.strip().splitlines()[0][:160])
        finally:
            subprocess.run(["umount", disk], check=True)
    return "; ".join(told) or "no limit could be set"


def damaged(place, options):
    """A database that is damaged, of a later version or of another program."""
    place.estate(2, 3)
    place.scan("clean", "state", 1).expect(0)
    database = place.path("state/overstay.sqlite3")
    good = database.read_bytes()
    draw = random.Random(options.seed)
    met = {0: 0, 2: 0}
    for number in range(options.damages):
        bad = bytearray(good)
        if number % 3 == 0:
            del bad[draw.randrange(1, len(bad)):]
        else:
            at = 0 if number % 3 == 1 else draw.randrange(len(bad))
            for offset in range(at, min(at + 300 * (1 + number), len(bad))):
                bad[offset] = draw.randrange(256)
        place.copy("state", "bad")
        for companion in ("-wal", "-shm"):
            place.path(f"bad/overstay.sqlite3{companion}").unlink(missing_ok=True)
        place.path("bad/overstay.sqlite3").write_bytes(bytes(bad))
        done = place.scan("out", "bad", 1).expect(0, 2)
        met[done.code] += 1
        check("panicked" not in done.err and "internal" not in done.err, done.err)
        if done.code == 2:
            check("damaged" in done.err or "database of another program" in done.err or "cannot use the run database" in done.err, done.err)
            report = place.report("out")
            check(report["credentials"] == place.report("clean")["credentials"], "the report is another")
            doctor = place.run("doctor", "--state", "bad")
            check(doctor.code == 2 and "FAULT" in doctor.out, f"{number}: doctor finds nothing of {done.err}")
        place.path("bad/overstay.sqlite3").unlink()
    for words, step in [("later version", "PRAGMA user_version = 999"), ("another program", "PRAGMA application_id = 7")]:
        place.copy("state", "bad")
        connection = sqlite3.connect(place.path("bad/overstay.sqlite3"))
        connection.execute(step)
        connection.commit()
        connection.close()
        before = place.path("bad/overstay.sqlite3").read_bytes()
        done = place.scan("out", "bad", 1).expect(2)
        check(words in done.err, done.err)
        check(place.path("bad/overstay.sqlite3").read_bytes() == before, "it was written to")
        # What is known of earlier runs cannot be told; what was found is.
        ours, theirs = place.report("out"), place.report("clean")
        check(ours["credentials"] == theirs["credentials"], "the report is another")
        check([one["id"] for one in ours["findings"]] == [one["id"] for one in theirs["findings"]], "the findings are others")
    return f"{options.damages} damaged databases: {met[2]} were told, {met[0]} could still be used"


def clock(place, options):
    """A clock that was moved back: what is known stays known, and a warning says so."""
    place.estate(2, 2)
    place.scan("out", "state", more=["--now", "2031-01-01T00:00:00Z"]).expect(0)
    back = place.scan("out", "state").expect(0)
    check("clock is behind" in back.err, back.err)
    report = place.report("out")
    statuses = {finding["status"] for finding in report["findings"]}
    check(statuses == {"unchanged"}, f"{statuses}")
    late = [one for one in report["findings"] if one["first_seen"] > one["last_seen"]]
    check(not late, f"{len(late)} findings are seen before they are first seen")
    again = place.scan("out", "state").expect(0)
    check("clock is behind" not in again.err, again.err)
    return "unchanged"


def steps(place, draw, number):
    """One of the things that happen to repositories between two nights."""
    repositories = sorted(path for path in place.path("w").iterdir() if (path / ".git").exists())
    some = f"w/{draw.choice(repositories).name}"
    what = draw.choice(["commit", "push", "force", "branch", "forget", "pack", "loose", "rename", "delete", "new", "file",
                        "config", "tag", "clone", "move", "stash", "squash"])
    if what == "commit":
        place.commit(some, {f"n{number}.env": leak(20_000 + number)})
    elif what == "push":
        place.write(f"{some}/dirty.env", leak(30_000 + number))
    elif what == "force":
        many = int(place.git(some, "rev-list", "--count", "HEAD"))
        place.git(some, "reset", "--quiet", "--hard", f"HEAD~{min(2, many - 1)}")
        place.git(some, "reflog", "expire", "--expire=now", "--all")
        place.git(some, "gc", "--quiet", "--prune=now")
    elif what == "branch":
        place.git(some, "branch", "--force", f"b{number % 3}", "HEAD")
    elif what == "forget":
        for branch in ("b0", "b1", "b2"):
            if place.git(some, "branch", "--list", branch).strip():
                place.git(some, "branch", "-D", branch)
    elif what == "pack":
        place.git(some, "repack", "-adq")
    elif what == "loose":
        place.git(some, "pack-refs", "--all")
    elif what == "rename":
        place.path(some).rename(place.path(f"w/renamed{number}"))
    elif what == "delete" and len(repositories) > 3:
        subprocess.run(["rm", "-rf", place.path(some)], check=True)
    elif what == "new":
        name = place.repository(f"w/new{number}")
        place.commit(name, {"z.env": leak(number), ".github/workflows/deploy.yml": WORKFLOW})
    elif what == "file":
        place.write("w/plain/c.env", leak(40_000 + number) if number % 2 else "nothing\n")
    elif what == "config":
        settings = ['[rules]\ndisable = ["aws-access-key"]\n', "", '[[ignore]]\npath = "*/k1.env"\nreason = "test"\n',
                    "[scoring.thresholds]\nlong_lived_days = 30\n"]
        place.write("overstay.toml", settings[number % len(settings)])
    elif what == "tag":
        place.git(some, "tag", "--force", f"t{number % 4}", "HEAD")
    elif what == "clone":
        place.git(".", "clone", "--quiet", "--bare", str(place.path(some)), str(place.path(f"w/bare{number}.git")))
    elif what == "move":
        files = [path for path in place.path(some).rglob("*.env") if ".git" not in path.parts]
        if files:
            place.commit(some, {f"moved{number}/{files[0].name}": files[0].read_text(),
                                str(files[0].relative_to(place.path(some))): None})
    elif what == "squash":
        place.git(some, "checkout", "--quiet", "--orphan", f"fresh{number}")
        place.commit(some, {})
        place.git(some, "branch", "-D", "main") if "main" in place.git(some, "branch", "--list", "main") else None
        place.git(some, "branch", "--move", "main")
    return what


def changes(place, options):
    """Whatever happens to the repositories, an incremental run tells what a full one tells."""
    place.estate(5, 4)
    place.write("overstay.toml", "")
    draw = random.Random(options.seed)
    met = []
    place.path("state").mkdir(mode=0o700)
    for number in range(options.steps):
        for _ in range(draw.randrange(3)):
            met.append(steps(place, draw, len(met)))
        # Not always settled: what was just written must be right as well.
        time.sleep(CALM if number % 3 else 0)
        place.copy("state", "full-state")
        place.scan("out", "state", number).expect(0)
        full = place.scan("full", "full-state", number, more=["--full"]).expect(0)
        try:
            same(place.path("out"), place.path("full"))
        except Exception as error:
            raise type(error)(f"after {met}: {error}") from error
        check("panicked" not in full.err, full.err)
    return f"{len(met)} changes in {options.steps} nights: {', '.join(sorted(set(met)))}"


CASES = [kill, lock, quota, damaged, clock, changes]
if os.name != "posix":
    CASES = []
