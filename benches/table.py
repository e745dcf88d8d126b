"""The table: a row for each tool and input, what overstay costs beside it, and whether both read the same bytes."""

from dataclasses import dataclass, field
from statistics import median

from inputs import Size, amount
from scanners import Counts

TITLES = {
    "history": "Git history",
    "tree": "Source tree",
    "start-up": "Start-up on a one-line file",
    "staged": "What is staged",
}
# Below this part of a difference two counts of bytes are called the same.
SAME = 0.01


@dataclass
class Cell:
    """All runs of one tool on one input. `failure` is empty for what the tool is not meant to do.

    `counted` says what the tool's count of bytes means, where that needs words.
    """

    counted: str = ""
    runs: list[dict] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    failure: str | None = None

    def add(self, cost: dict) -> None:
        self.runs.append(cost)

    def last(self) -> str:
        if self.failure is not None:
            return self.failure or "not meant for this"
        return f"{self.runs[-1]['user'] + self.runs[-1]['system']:.2f} s CPU, {self.runs[-1]['wall']:.2f} s"

    def done(self) -> bool:
        return bool(self.runs) and self.failure is None

    def cpu(self) -> float:
        return median(run["user"] + run["system"] for run in self.runs)

    def wall(self) -> float:
        return median(run["wall"] for run in self.runs)

    def best_wall(self) -> float:
        return min(run["wall"] for run in self.runs)

    def peak(self) -> float:
        return median(run["peak"] for run in self.runs)


@dataclass
class Row:
    """One input and what every tool made of it."""

    kind: str
    size: Size
    cells: dict[str, Cell]


def render(rows: list[Row], left_out: dict[str, str]) -> str:
    parts = []
    for row in rows:
        title = TITLES[row.kind]
        parts.append(f"### {title}: {row.size.words}\n\n" + one(row) + "".join(notes(row)))
    parts.extend(f"Left out: {name} ({reason}).\n" for name, reason in sorted(left_out.items()))
    return "\n".join(parts)


def one(row: Row) -> str:
    own = row.cells["overstay"]
    lines = [
        "| tool | CPU s | wall s (best) | peak MB | bytes covered | findings | overstay's CPU | overstay's wall |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, cell in row.cells.items():
        if not cell.done():
            continue
        digits = 3 if row.kind in ("start-up", "staged") else 2
        beside = ["", ""]
        if name != "overstay" and own.done():
            beside = [ratio(own.cpu(), cell.cpu()), ratio(own.wall(), cell.wall())]
        findings = "–" if cell.counts.findings is None else f"{cell.counts.findings:,}"
        fields = [
            name,
            f"{cell.cpu():.{digits}f}",
            f"{cell.wall():.{digits}f} ({cell.best_wall():.{digits}f})",
            f"{cell.peak() / 1e6:,.0f}",
            "all" if name == "floor" else covered(row, cell.counts),
            findings,
            *beside,
        ]
        lines.append("| " + " | ".join(fields) + " |")
    return "\n".join(lines) + "\n"


def ratio(own: float, other: float) -> str:
    return f"{own / other:.2f}×" if other > 0 else "–"


def bytes_of(row: Row, counts: Counts) -> int | None:
    """Bytes a tool covers; where it tells blobs only, those of all blobs when it had all of them."""
    if counts.bytes is None and row.kind == "history" and counts.blobs == row.size.items:
        return row.size.bytes
    return counts.bytes


def covered(row: Row, counts: Counts) -> str:
    size = bytes_of(row, counts)
    blobs = f", {counts.blobs:,} blobs" if counts.blobs is not None and row.kind == "history" else ""
    if size is None:
        return f"not told{blobs}"
    return f"{amount(size)}{blobs}"


def notes(row: Row) -> list[str]:
    """What a reader has to know before comparing two lines."""
    out = []
    own = row.cells["overstay"]
    own_size = bytes_of(row, own.counts)
    for name, cell in row.cells.items():
        if cell.failure:
            out.append(f"{name} is left out: {cell.failure}.\n")
        if cell.done() and cell.counts.notes:
            out.append(f"{name} says it is incomplete: {'; '.join(sorted(set(cell.counts.notes)))}.\n")
        if not cell.done() or name == "floor":
            continue
        size = bytes_of(row, cell.counts)
        if size is None:
            out.append(f"{name} does not tell its bytes: whether it covers the same is not known.\n")
        elif name == "overstay" and differs(size, row.size.bytes):
            out.append(f"overstay covers {part(size, row.size.bytes)} of the {amount(row.size.bytes)} there are.\n")
        elif name != "overstay" and own_size is not None and differs(size, own_size):
            why = f" ({cell.counted})" if cell.counted else ""
            out.append(
                f"{name} does not cover the same bytes: {amount(size)}, {part(size, own_size)} of overstay's"
                f" {amount(own_size)}{why}.\n"
            )
    return ["\n" + "\n".join(f"- {note.strip()}" for note in out) + "\n"] if out else []


def differs(one_size: int, other: int) -> bool:
    return abs(one_size - other) > SAME * max(other, 1)


def part(size: int, whole: int) -> str:
    share = 100 * size / max(whole, 1)
    return f"{share:.0f} %" if share >= 1 else f"{share:.2f} %"
