"""Tests of what is read from reports and of what the table says; no program is run."""

import unittest

from inputs import Size, amount
from scanners import Counts, kingfisher_counts, leaks_counts, overstay_counts
from table import Cell, Row, covered, notes, render


def coverage(source: str, status: str, reason: str) -> dict:
    return {"source": source, "unit": "app", "status": status, "reason": reason}


def cell(wall: float, user: float, counts: Counts) -> Cell:
    out = Cell(counts=counts)
    for factor in (1, 2, 5):
        out.add({"wall": wall * factor, "user": user * factor, "system": 0.0, "peak": 5_000_000})
    return out


class Reports(unittest.TestCase):
    def test_overstay_files(self):
        report = {"credentials": [{}, {}], "coverage": [
            coverage("files", "read", "49,742 files, 400,812,345 bytes"),
            coverage("git", "skipped", "history was not read, as asked"),
            coverage("archives", "read", "13 archives, 926 documents inside"),
        ]}
        self.assertEqual(overstay_counts(report), Counts(bytes=400_812_345, findings=2))

    def test_overstay_history(self):
        report = {"credentials": [], "coverage": [
            coverage("files", "read", "2,951 files, 17,884,942 bytes"),
            coverage("git", "partial", "23,815 commits, 58,584 blobs; 1 object missing"),
            coverage("git", "skipped", "3 blobs larger than the cap of 32 MiB"),
        ]}
        self.assertEqual(
            overstay_counts(report), Counts(bytes=None, blobs=58_584, findings=0, notes=["git partial"])
        )

    def test_overstay_history_with_bytes(self):
        report = {"credentials": [], "coverage": [coverage("git", "read", "1 commit, 1 blob, 7 bytes")]}
        self.assertEqual(overstay_counts(report), Counts(bytes=7, blobs=1, findings=0))

    def test_overstay_staged(self):
        report = {"credentials": [{}], "coverage": [coverage("given", "read", "3 documents, 7517 bytes")]}
        self.assertEqual(overstay_counts(report), Counts(bytes=7_517, findings=1))

    def test_kingfisher(self):
        summary = {"findings": 3, "bytes_scanned": 16, "blobs_scanned": 1}
        report = {"findings": [{}, {}, {}], "metadata": {"summary": summary}}
        self.assertEqual(kingfisher_counts(report), Counts(bytes=16, blobs=1, findings=3))

    def test_leaks(self):
        log = "\x1b[90m5:55AM\x1b[0m \x1b[32mINF\x1b[0m \x1b[1mscanned ~41865149 bytes (41.87 MB) in 11.9s\x1b[0m\n"
        self.assertEqual(leaks_counts([{}], log), Counts(bytes=41_865_149, findings=1))
        self.assertEqual(leaks_counts({"findings": None}, ""), Counts(bytes=None, findings=0))


class Table(unittest.TestCase):
    def row(self, peer: Counts) -> Row:
        own = cell(1.0, 1.0, Counts(blobs=10, findings=4))
        return Row("history", Size(2_000_000, 10, "10 blobs"), {"overstay": own, "peer": cell(4.0, 2.0, peer)})

    def test_ratios_are_those_of_the_medians(self):
        line = render([self.row(Counts(bytes=2_000_000, findings=1))], {}).splitlines()[5]
        self.assertEqual(line, "| peer | 4.00 | 8.00 (4.00) | 5 | 2.0 MB | 1 | 0.50× | 0.25× |")

    def test_all_blobs_are_all_bytes(self):
        row = self.row(Counts())
        self.assertEqual(covered(row, Counts(blobs=10)), "2.0 MB, 10 blobs")
        self.assertEqual(covered(row, Counts(blobs=9)), "not told, 9 blobs")

    def test_other_bytes_are_said(self):
        self.assertEqual(notes(self.row(Counts(bytes=1_999_000))), [])
        self.assertIn("100.0 kB, 5 % of overstay's 2.0 MB", notes(self.row(Counts(bytes=100_000)))[0])
        row = self.row(Counts(bytes=100_000))
        row.cells["peer"].counted = "added lines only"
        self.assertIn("2.0 MB (added lines only).", notes(row)[0])
        self.assertIn("not known", notes(self.row(Counts()))[0])

    def test_what_failed_is_named(self):
        row = self.row(Counts(bytes=2_000_000))
        row.cells["peer"].failure = "ended with code 2"
        text = render([row], {"other": "could not be installed"})
        self.assertIn("- peer is left out: ended with code 2.", text)
        self.assertIn("Left out: other (could not be installed).", text)
        self.assertNotIn("| peer |", text)

    def test_amounts(self):
        self.assertEqual([amount(16), amount(1_500), amount(400_800_000)], ["16 B", "1.5 kB", "400.8 MB"])


def run() -> int:
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__(__name__))
    return 0 if unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful() else 1
