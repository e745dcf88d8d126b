#!/usr/bin/env python3
"""Compares the cost of overstay with that of other credential scanners; benches/README.md says how to run it.

Python 3.11 or later and nothing but its standard library. Writes a Markdown table to standard output.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import inputs
import selftest
from scanners import Betterleaks, Floor, Gitleaks, Job, Kingfisher, Overstay, Peers, Tool
from table import Cell, Row, render

ROWS = ("history", "tree", "start-up", "staged", "matcher")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("overstay", nargs="?", type=Path, help="release binary of overstay")
    parser.add_argument("--history", type=Path, help="bare git repository for the history row")
    parser.add_argument("--tree", type=Path, help="folder of source files without git for the tree row")
    parser.add_argument("--rows", default=",".join(ROWS), help="rows to measure, with commas between [default: all]")
    parser.add_argument("--runs", type=int, default=3, help="runs of each tool; the median counts [default: 3]")
    parser.add_argument("--jobs", type=int, default=2, help="threads and cores for each tool [default: 2]")
    parser.add_argument("--limit", type=int, default=900, help="seconds after which a run is given up [default: 900]")
    parser.add_argument("--scratch", type=Path, help="folder for peers and reports [default: a temporary one, removed]")
    parser.add_argument("--venv", type=Path, help="virtual environment that has the peers already: nothing is installed")
    parser.add_argument("--skip", default="", help="tools to leave out, with commas between")
    parser.add_argument("--label", default="", help="what the binary was built from, for the report's head")
    parser.add_argument("--self-test", action="store_true", help="test how reports are read, and nothing else")
    args = parser.parse_args()
    if args.self_test:
        return args
    if args.overstay is None or not args.overstay.is_file():
        parser.error("the path of an overstay binary is needed")
    unknown = set(args.rows.split(",")) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return args


def main() -> int:
    args = arguments()
    if args.self_test:
        return selftest.run()
    if args.scratch is None:
        with tempfile.TemporaryDirectory(prefix="overstay-bench-") as folder:
            return compare(args, Path(folder))
    args.scratch.mkdir(parents=True, exist_ok=True)
    return compare(args, args.scratch)


def compare(args: argparse.Namespace, scratch: Path) -> int:
    scratch = scratch.resolve()
    # No tool is to find or to leave anything in the user's folders.
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    of_user = dict(os.environ)
    os.environ.update(HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_CACHE_HOME=str(home), XDG_STATE_HOME=str(home))
    # One scanner makes a commit of what is staged, for which git wants a name.
    for part in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{part}_NAME": "bench", f"GIT_{part}_EMAIL": "bench@example.com"})
    os.environ["GOMAXPROCS"] = str(args.jobs)
    peers = Peers(args.venv.resolve() if args.venv else scratch / "venv", scratch / "install.log")
    skipped = set(filter(None, args.skip.split(",")))
    if args.venv is None:
        say("installing the peers")
        peers.install()
    peers.find()
    tools, left_out = line_up(args, scratch, peers, skipped)
    wanted = args.rows.split(",")
    print(head(args, tools))
    before = load()
    rows = [row for kind in wanted if (row := one_row(kind, args, scratch, tools)) is not None]
    print(render(rows, left_out))
    if "matcher" in wanted and args.tree:
        print(matcher(args.tree.resolve(), of_user))
    print(f"Load average before {before}, after {load()}.")
    return 0


def line_up(args, scratch: Path, peers: Peers, skipped: set[str]) -> tuple[list[Tool], dict[str, str]]:
    """The tools to be compared, overstay first, and those left out with the reason."""
    found = peers.found
    key = scratch / "fingerprint.key"
    key.write_text("00112233445566778899aabbccddeeff" * 2 + "\n")
    key.chmod(0o600)
    line = [Overstay("overstay", args.overstay.resolve(), scratch, args.jobs)]
    if kingfisher := found.get("kingfisher"):
        line.append(Kingfisher("kingfisher", kingfisher, scratch, args.jobs))
        line.append(Kingfisher("kingfisher --turbo", kingfisher, scratch, args.jobs, ("--turbo",)))
    if betterleaks := found.get("betterleaks"):
        line.append(Betterleaks("betterleaks", betterleaks, scratch, args.jobs))
    if gitleaks := found.get("gitleaks"):
        line.append(Gitleaks("gitleaks", gitleaks, scratch, args.jobs))
    line.append(Floor(scratch))
    left_out = dict(peers.missing)
    left_out |= {tool.name: "asked for" for tool in line if tool.name in skipped}
    return [tool for tool in line if tool.name not in skipped], left_out


def one_row(kind: str, args, scratch: Path, tools: list[Tool]) -> Row | None:
    if kind == "history" and args.history:
        path = args.history.resolve()
        covered = inputs.history(path)
        runs = args.runs
    elif kind == "tree" and args.tree:
        path = args.tree.resolve()
        covered = inputs.tree(path)
        runs = args.runs
    elif kind == "start-up":
        path = inputs.one_line(scratch / "one-line")
        covered = inputs.tree(path)
        runs = 3 * args.runs
    elif kind == "staged":
        path = inputs.staged(scratch / "staged")
        covered = inputs.staged_size(path)
        runs = 3 * args.runs
    else:
        return None
    row = Row(kind, covered, {tool.name: Cell(tool.counted.get(kind, "")) for tool in tools})
    warm(tools, Job(kind, path), args, scratch)
    for turn in range(1, runs + 1):
        for tool in tools:
            cell = row.cells[tool.name]
            if cell.failure is None:
                measure(tool, Job(kind, path), cell, args, scratch)
                say(f"{kind} {turn}/{runs} {tool.name}: {cell.last()}")
    return row


def warm(tools: list[Tool], job: Job, args, scratch: Path) -> None:
    """Reads the input once for the page cache and runs each tool on one line for its cache of compiled rules."""
    measure(Floor(scratch), job, Cell(), args, scratch)
    small = Job("start-up", inputs.one_line(scratch / "one-line"))
    for tool in tools:
        measure(tool, small, Cell(), args, scratch)


def measure(tool: Tool, job: Job, cell: Cell, args, scratch: Path) -> None:
    command = tool.command(job)
    if command is None:
        cell.failure = ""
        return
    tool.report.unlink(missing_ok=True)
    result = scratch / "measured.json"
    result.unlink(missing_ok=True)
    wrapper = Path(__file__).with_name("measure.py")
    options = [str(result), str(args.limit), str(args.jobs), str(tool.out), str(tool.err)]
    subprocess.run([sys.executable, "-I", "-S", str(wrapper), *options, *command], cwd=tool.folder(job), check=True)
    cost = json.loads(result.read_text())
    # 1: findings. 4: overstay left something out, which its coverage says.
    if cost["late"]:
        cell.failure = f"not done after {args.limit} s"
    elif cost["code"] not in (0, 1, 4) and not (tool.name.startswith("kingfisher") and cost["code"] == 200):
        cell.failure = f"ended with code {cost['code']}"
    else:
        try:
            cell.counts = tool.counts(job)
        except (OSError, ValueError, KeyError, TypeError):
            cell.failure = "left no report that can be read"
    if cell.failure is None:
        cell.add(cost)


def matcher(tree: Path, environment: dict[str, str]) -> str:
    """What the bench of the matcher prints, when there is one and cargo, which looks for its toolchains at home, is here to build it."""
    root = Path(__file__).resolve().parent.parent
    if not (root / "benches" / "matcher.rs").exists() or shutil.which("cargo") is None:
        return "The matcher alone: left out, its bench or cargo is not here.\n"
    done = subprocess.run(
        ["cargo", "bench", "--quiet", "--bench", "matcher", "--", str(tree)],
        cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"The matcher alone: left out, `cargo bench --bench matcher` failed: {why}\n"
    return "The matcher alone, one core, over the tree's files in memory:\n\n```text\n" + done.stdout + "```\n"


def head(args, tools: list[Tool]) -> str:
    build = f" ({args.label})" if args.label else ""
    versions = {tool.name.split()[0]: tool.version() for tool in tools}
    named = ", ".join(f"{name} {version}".strip() for name, version in versions.items() if name not in ("floor", "overstay"))
    return (
        f"{datetime.date.today():%Y-%m-%d}. {machine()}. overstay {versions['overstay']}{build}; {named or 'no peer'}.\n"
        f"{args.jobs} threads and as many cores for each, warm cache, verification off; median of the runs.\n"
    )


def machine() -> str:
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0] if models else name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {name}, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}"


def load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
