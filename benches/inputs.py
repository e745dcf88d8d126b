"""What is scanned: how much there is of it by an independent count, and the two small inputs that are made here."""

import os
import random
import string
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Size:
    """Bytes and items (files or blobs) of an input, and a line that describes it."""

    bytes: int
    items: int
    words: str


def history(repo: Path) -> Size:
    """Every blob in the object store, by git's own count."""
    listed = subprocess.run(
        ["git", "-C", str(repo), "cat-file", "--batch-all-objects", "--unordered", "--buffer",
         "--batch-check=%(objecttype) %(objectsize)"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    sizes = [int(size) for kind, size in map(str.split, listed) if kind == "blob"]
    packed = sum(file.stat().st_size for file in repo.glob("**/objects/pack/*.pack"))
    words = f"{packed / 1e6:,.0f} MB packed, {len(listed):,} objects, {len(sizes):,} blobs of {sum(sizes) / 1e6:,.1f} MB"
    return Size(sum(sizes), len(sizes), words)


def tree(root: Path) -> Size:
    """Every regular file below a folder."""
    files = total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                files += 1
                total += os.path.getsize(path)
    return Size(total, files, f"{files:,} file{'s' if files != 1 else ''}, {amount(total)}")


def one_line(folder: Path) -> Path:
    """A folder with one file of one line."""
    folder.mkdir(exist_ok=True)
    (folder / "settings.ini").write_text("colour = green\n")
    return folder


def staged(folder: Path) -> Path:
    """A small repository: a hundred files in one commit, ten lines in three of them staged, and a made-up key."""
    if (folder / ".git").exists():
        return folder
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet")
    for index in range(100):
        lines = [f"def step_{index}_{line}(value):\n    return value + {line}\n" for line in range(50)]
        (folder / f"module_{index:03}.py").write_text("\n".join(lines))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Start")
    for index in range(3):
        with open(folder / f"module_{index:03}.py", "a", encoding="utf-8") as file:
            file.writelines(f"setting_{line} = step_{index}_{line}({line})\n" for line in range(10))
    # Made here, so that no file of the project holds one; every scanner is to find it.
    draw = random.Random(7)
    name = "AKIA" + "".join(draw.choices(string.ascii_uppercase + "234567", k=16))
    value = "".join(draw.choices(string.ascii_letters + string.digits + "+/", k=40))
    with open(folder / "module_001.py", "a", encoding="utf-8") as file:
        file.write(f'aws_access_key_id = "{name}"\naws_secret_access_key = "{value}"\n')
    git(folder, "add", "--all")
    return folder


def staged_size(folder: Path) -> Size:
    """The files that are staged, whole."""
    names = subprocess.run(
        ["git", "-C", str(folder), "diff", "--cached", "--name-only"], capture_output=True, text=True, check=True
    ).stdout.split()
    total = sum((folder / name).stat().st_size for name in names)
    return Size(total, len(names), f"{len(names)} changed files staged, {amount(total)}, in a repository of 100")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, stdin=subprocess.DEVNULL)


def amount(size: int) -> str:
    """`16 B`, `17.2 kB`, `400.8 MB`."""
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} B"
