"""Checks what nightly runs promise, with a built program, on repositories made on the way.

    python3 benches/nightly target/release/overstay --history HISTORY.git
    python3 benches/nightly target/debug/overstay --only kill,lock --kills 20

A line for each case; exit code 1 when one does not hold.
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback

import cron
import kept
import many
import people
from place import Failed, Place

CASES = {case.__name__: case for module in (kept, people, cron, many) for case in module.CASES}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--only", help=f"cases, separated by commas, of {', '.join(CASES)}")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40, help="nights of `changes`")
    parser.add_argument("--damages", type=int, default=60)
    parser.add_argument("--small", type=int, default=1000, help="repositories of `small`")
    parser.add_argument("--history", help="a large bare repository for `history`; it is copied")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", help="folder to work in, which is kept")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(CASES)
    failed = 0
    for name in names:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="overstay-nightly-") as folder:
            place = Place(pathlib.Path(options.scratch or folder) / name, options.program)
            try:
                told = CASES[name](place, options)
                word = "left out" if told is None else "holds"
            except Failed as error:
                word, told, failed = "DOES NOT HOLD", error, failed + 1
            except Exception:  # a fault of the case itself
                word, told, failed = "BROKEN", traceback.format_exc(), failed + 1
        print(f"{word:<13} {name:<10} {(CASES[name].__doc__ or '').strip()}\n{'':<24} {told or ''} [{time.monotonic() - begun:.0f} s]", flush=True)
    return 1 if failed else 0


sys.exit(main())
