"""A place to work in: repositories with made-up secrets, the program run in it, and how its outputs compare."""

import json
import os
import pathlib
import random
import resource
import secrets
import shutil
import subprocess
import time

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
CALM = 3.1  # seconds after which a file counts as settled


def leak(seed):
    """An AWS key that nobody has, made at run time."""
    draw = random.Random(seed)
    key = "AK" + "IA" + "".join(draw.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    secret = "".join(draw.choice(ALPHABET) for _ in range(40))
    return f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}\n"


WORKFLOW = """on: push
permissions: write-all
jobs:
  deploy:
    runs-on: ubuntu-latest
    env: {KEY: "${{ secrets.AWS_ACCESS_KEY_ID }}"}
    steps: [{run: echo}]
"""


class Failed(Exception):
    """What was expected did not come."""


def check(held, words):
    if not held:
        raise Failed(words)


class Done:
    """A command that has ended."""

    def __init__(self, process, out, err, cpu, wall):
        self.code, self.out, self.err, self.cpu, self.wall = process.returncode, out, err, cpu, wall

    def expect(self, *codes):
        check(self.code in codes, f"exit code {self.code}, expected {codes}: {self.err[-600:]}{self.out[-200:]}")
        return self


class Place:
    def __init__(self, root, program):
        self.root, self.program = pathlib.Path(root), str(pathlib.Path(program).resolve())
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "home").mkdir(exist_ok=True)
        self.env = {"HOME": str(self.root / "home"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "USER": "tester"}
        self.clock = 1_760_000_000

    def path(self, below):
        return self.root / below

    def write(self, below, text):
        path = self.path(below)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def key(self, below):
        """A file with a key of fingerprints."""
        path = self.write(below, secrets.token_hex(32) + "\n")
        path.chmod(0o600)
        return path

    def start(self, *words, env=None, limit=None, stdin=None):
        def before():
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [self.program, *map(str, words)], cwd=self.root, env={**self.env, **(env or {})}, text=True,
            stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before)

    def run(self, *words, env=None, limit=None):
        begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = self.start(*words, env=env, limit=limit)
        out, err = process.communicate(timeout=3600)
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        return Done(process, out, err, cpu, time.monotonic() - begun)

    def scan_words(self, out, state, day=None, paths=("w",), more=()):
        words = ["scan", *paths, "--out", out, "--state", state, *more]
        return words if day is None else [*words, "--now", f"2026-{10 + day // 28:02}-{day % 28 + 1:02}T00:00:00Z"]

    def scan(self, out, state, day=None, paths=("w",), more=(), **how):
        return self.run(*self.scan_words(out, state, day, paths, more), **how)

    def report(self, out):
        return json.loads((self.path(out) / "report.json").read_text())

    # Repositories.

    def git(self, repository, *words, stdin=None):
        self.clock += 3600
        when = f"{self.clock} +0000"
        env = {**self.env, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-c", "user.name=Ada Test", "-c", "user.email=ada@example.com", "-c", "gc.auto=0",
                   "-c", "init.defaultBranch=main", "-C", str(self.path(repository)), *words]
        done = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"git {' '.join(words)}: {done.stderr}")
        return done.stdout

    def repository(self, below):
        self.path(below).mkdir(parents=True)
        self.git(below, "init", "--quiet")
        return below

    def commit(self, repository, files, message="a change"):
        for name, text in files.items():
            if text is None:
                (self.path(repository) / name).unlink(missing_ok=True)
            else:
                self.write(f"{repository}/{name}", text)
        self.git(repository, "add", "--all")
        self.git(repository, "commit", "--quiet", "--allow-empty", "-m", message)

    def estate(self, repositories=4, commits=6, filler=0):
        """Repositories below `w` with leaks in their history and at their heads, and a folder without git."""
        for at in range(repositories):
            name = self.repository(f"w/r{at}")
            self.commit(name, {"a.env": leak(at), ".github/workflows/deploy.yml": WORKFLOW})
            for number in range(commits):
                body = "".join(f"line {at} {number} {row}\n" for row in range(filler))
                self.commit(name, {"src.py": f"value = {number}\n{body}", f"k{number}.env": leak(100 * at + number)})
            self.commit(name, {"a.env": None, "b.env": leak(at + 50), "shared.env": leak(9_000 + at % 2)})
            self.commit(name, {"shared.env": None})
        self.write("w/plain/c.env", leak(9_001))

    def copy(self, old, new):
        shutil.rmtree(self.path(new), ignore_errors=True)
        shutil.copytree(self.path(old), self.path(new), symlinks=True)


def files(folder):
    return {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}


def same(one, other, leave=()):
    """Two report folders hold the same files with the same bytes."""
    ours, theirs = ({name: path for name, path in files(at).items() if name.name not in leave} for at in (one, other))
    check(ours.keys() == theirs.keys(), f"files differ: {sorted(map(str, ours.keys() ^ theirs.keys()))}")
    for name, path in ours.items():
        check(path.read_bytes() == theirs[name].read_bytes(), f"{one.name}/{name} differs from {other.name}/{name}")


def private(folder):
    """Everything below is for its owner only."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode & 0o777
        check(mode & 0o077 == 0, f"{path} has mode {mode:o}")


def whole(folder):
    """A report folder is whole: every file is of one run, and nothing half-written is read as a report."""
    if not (folder / "report.json").exists():
        return None
    run = json.loads((folder / "report.json").read_text())["run"]["id"]
    json.loads((folder / "results.sarif").read_text())
    return run
