"""Many repositories and large ones: parts by several processes, and what a second night costs."""

import json
import pathlib
import random
import re
import shutil
import time

from place import CALM, WORKFLOW, check, leak, same

LONG = 900


def inputs(place, out):
    return set(place.report(out)["run"]["inputs"])


def shards(place, options):
    """N processes at once, one killed and made again; together they tell what one run tells."""
    place.estate(9, 4)
    place.key("key/f")
    time.sleep(CALM)
    place.scan("single", "single-state", 1, more=["--key-file", "key/f"]).expect(0)
    words = lambda part, of: place.scan_words(f"part-{part}", f"s{part}", 1, more=["--shard", f"{part}/{of}", "--key-file", "key/f"])
    of = 4
    workers = {part: place.start(*words(part, of)) for part in range(1, of + 1)}
    time.sleep(0.05)
    workers[2].kill()
    for worker in workers.values():
        worker.communicate()
    check(workers[2].returncode != 0, "the worker had ended before it was killed")
    check({workers[part].returncode for part in (1, 3, 4)} == {0}, "the others were troubled")
    parts = [f"part-{part}" for part in (3, 1, 4)]
    less = place.run("merge", *parts, "--out", "less", "--state", "less-state", "--key-file", "key/f").expect(4)
    check("part 2/4" in json.dumps(place.report("less")["coverage"]), less.err)
    place.run(*words(2, of)).expect(0)
    place.run("merge", *parts, "part-2", "--out", "merged", "--state", "merged-state", "--key-file", "key/f").expect(0)
    same(place.path("merged"), place.path("single"))
    # The next night as well: the states of both go on.
    place.write("w/plain/c.env", leak(77_777))
    place.scan("single", "single-state", 2, more=["--key-file", "key/f"]).expect(0)
    for part in range(1, of + 1):
        place.run(*[word if word != "2026-10-02T00:00:00Z" else "2026-10-03T00:00:00Z" for word in words(part, of)]).expect(0)
    place.run("merge", *(f"part-{part}" for part in range(1, of + 1)), "--out", "merged", "--state", "merged-state",
              "--key-file", "key/f").expect(0)
    same(place.path("merged"), place.path("single"))
    check(any(one["status"] == "new" for one in place.report("merged")["findings"]), "nothing is new on the second night")
    # Adding a repository moves no other.
    before = {part: inputs(place, f"part-{part}") for part in range(1, of + 1)}
    for at in range(5):
        name = place.repository(f"w/a-new-one-{at}")
        place.commit(name, {"z.env": leak(70_000 + at)})
    for part in range(1, of + 1):
        place.run(*words(part, of)).expect(0)
    after = {part: inputs(place, f"part-{part}") for part in range(1, of + 1)}
    check(all(before[part] <= after[part] for part in before), f"{before} {after}")
    check(sum(map(len, after.values())) == sum(map(len, before.values())) + 5, "not each is in one part")
    other = place.run("merge", "part-1", "part-1", "part-2", "--out", "x", "--state", "x-state", "--key-file", "key/f")
    check(other.code == 4, f"{other.code}")
    place.path("part-3/part.overstay").write_bytes(place.path("part-3/part.overstay").read_bytes()[:-5])
    place.run("merge", "part-1", "part-3", "--out", "x", "--state", "x-state", "--key-file", "key/f").expect(2)
    return f"{of} at once, one killed; parts of {[len(names) for names in after.values()]}"


def listed(place, options):
    """`--repos-from`: what is listed is read, what is not there costs nothing but completeness."""
    place.estate(3, 1)
    place.write("list", "# comment\nw/r0\n\nw/r2\n  w/plain  \n")
    place.run("scan", "--repos-from", "list", "--out", "out", "--state", "s", "--now", "2026-11-01").expect(0)
    check(inputs(place, "out") == {"r0", "r2", "plain"}, str(inputs(place, "out")))
    place.write("list", "w/r0\nw/gone\n")
    place.run("scan", "--repos-from", "list", "--out", "out", "--state", "s", "--now", "2026-11-02").expect(4)
    report = place.report("out")
    check(inputs(place, "out") == {"r0"} and "gone" in json.dumps(report["coverage"]), "what is missing is not told")
    fixed = [one for one in (report["changes"] or {}).get("fixed", []) if one["locations"][0].get("repository") == "r0"]
    check(not fixed, "what is still there is told to be fixed")
    place.write("list", "\n# nothing\n")
    place.run("scan", "--repos-from", "list", "--out", "out", "--state", "s").expect(2)
    place.run("scan", "--repos-from", "no-such", "--out", "out", "--state", "s").expect(2)
    return "read, missing and empty lists"


def history(place, options):
    """The nightly run over a large repository that did not change, beside the first one."""
    if not options.history:
        return None
    shutil.copytree(options.history, place.path("w/large.git"))
    time.sleep(CALM)
    # Into one folder, as from cron: the files of the plan stay where they are.
    first = place.scan("night", "state", 1).expect(0, 4)
    second = place.scan("night", "state", 2).expect(0, 4)
    place.copy("state", "full-state")
    third = place.scan("night", "state", 3).expect(0, 4)
    full = place.scan("full", "full-state", 3, more=["--full"]).expect(0, 4)
    same(place.path("night"), place.path("full"))
    size = place.path("state/overstay.sqlite3").stat().st_size / 1e6
    share = 100 * min(second.cpu, third.cpu) / first.cpu
    words = (f"first {first.cpu:.1f} s of CPU ({first.wall:.1f} s), again {second.cpu:.2f} and {third.cpu:.2f} s, with --full {full.cpu:.1f} s: "
             f"{100 * second.cpu / first.cpu:.2f} % and {100 * third.cpu / first.cpu:.2f} %; state {size:.0f} MB")
    check(share < 2, words)
    return words


def small(place, options):
    """A thousand small repositories: the first night, the second, one that changed, and four parts at once."""
    draw = random.Random(options.seed)
    template = place.repository("template")
    place.commit(template, {"README.md": "template\n"})
    for at in range(options.small):
        name = f"w/group{at % 10}/repo{at}"
        shutil.copytree(place.path(template), place.path(name))
        stream = []
        for number in range(5):
            files = {f"src/f{number}.py": "".join(f"x{draw.random()} = {row}\n" for row in range(40))}
            if number == 2 and at % 10 == 0:
                files["deploy/a.env"] = leak(at)
            if number == 3 and at % 10 == 0:
                files[".github/workflows/deploy.yml"] = WORKFLOW
            stream.append(f"commit refs/heads/main\ncommitter Ada <ada@example.com> {1_760_000_000 + at * 10 + number} +0000\ndata 1\nx\n")
            if number == 0:
                stream.append("from refs/heads/main^0\n")
            for path, text in files.items():
                stream.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
        place.git(name, "fast-import", "--quiet", "--force", stdin="".join(stream))
        place.git(name, "reset", "--quiet", "--hard")
    time.sleep(CALM)
    first = place.scan("first", "state", 1).expect(0)
    second = place.scan("second", "state", 2).expect(0)
    place.commit("w/group3/repo3", {"new.env": leak(99_999)})
    place.copy("state", "full-state")
    third = place.scan("third", "state", 3).expect(0)
    full = place.scan("full", "full-state", 3, more=["--full"]).expect(0)
    same(place.path("third"), place.path("full"))
    fresh = [one for one in place.report("third")["findings"] if one["status"] == "new"]
    check(fresh, "the new one is not told of")
    place.scan("single", "single-state", 3).expect(0)
    workers = [place.start(*place.scan_words(f"part-{part}", f"s{part}", 3, more=["--shard", f"{part}/4"])) for part in range(1, 5)]
    for worker in workers:
        worker.communicate()
        check(worker.returncode == 0, f"a worker ended with {worker.returncode}")
    place.run("merge", *(f"part-{part}" for part in range(1, 5)), "--out", "merged", "--state", "merged-state").expect(0)
    same(place.path("merged"), place.path("single"))
    return (f"{options.small} repositories: first {first.cpu:.2f} s of CPU ({first.wall:.2f} s), unchanged {second.cpu:.2f} s, "
            f"one changed {third.cpu:.2f} s, with --full {full.cpu:.2f} s; merge of 4 parts is the single report")


CASES = [shards, listed, history, small]
