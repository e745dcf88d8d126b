#!/usr/bin/env python3
"""Runs one command and writes what it cost: `measure.py RESULT SECONDS CPUS OUT ERR COMMAND...`.

A process of its own, so that the size of the script that asks is not counted as the command's: a child begins with the
peak of the process it was forked from.
"""

import ctypes
import json
import os
import signal
import sys
import time


def die_with_parent() -> None:
    """An interrupted comparison leaves no scanner running."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def main(args: list[str]) -> int:
    result, limit, cpus, out, err, *command = args
    available = sorted(os.sched_getaffinity(0))
    die_with_parent()
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            die_with_parent()
            os.setsid()
            os.sched_setaffinity(0, available[: int(cpus)])
            for path, number, mode in ((os.devnull, 0, os.O_RDONLY), (out, 1, None), (err, 2, None)):
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if mode is None else mode
                os.dup2(os.open(path, flags, 0o600), number)
            os.execvp(command[0], command)
        except OSError:
            os._exit(127)
    late = []

    def stop(_number, _frame):
        late.append(True)
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(int(limit))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    signal.alarm(0)
    with open(result, "w", encoding="utf-8") as file:
        json.dump(
            {
                "wall": wall,
                "user": usage.ru_utime,
                "system": usage.ru_stime,
                # Kilobytes, of the largest process among the command and the children it waited for.
                "peak": usage.ru_maxrss * 1024,
                "code": os.waitstatus_to_exitcode(status),
                "late": bool(late),
            },
            file,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
