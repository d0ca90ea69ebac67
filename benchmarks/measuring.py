"""Contestants, interleaved, each in a fresh process; medians; ratios to the first row.

A benchmark module has `CONTESTANTS`: name to a function that prepares and returns what is to be measured.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from demo.environment import ROOT

#: Prepares, and returns what is measured; that returns an answer all contestants must share.
Contestant = Callable[..., Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One contestant's round: seconds of wall and of CPU, megabytes at its largest, its answer."""

    wall: float
    cpu: float
    rss: float
    answer: Any


def once(benchmark: str, name: str, facts: Mapping[str, Any]) -> Sample:
    """Run one contestant in a process of its own.

    :raises RuntimeError: it failed; its last words are the message.
    """
    command = [sys.executable, "-m", "benchmarks.measuring", benchmark, name, json.dumps(facts)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{benchmark}/{name}: {done.stderr.strip()[-2000:]}")
    return Sample(**json.loads(done.stdout.strip().splitlines()[-1]))


def contest(benchmark: str, names: Iterable[str], facts: Mapping[str, Any], rounds: int) -> dict[str, list[Sample]]:
    """Run every contestant `rounds` times, interleaved, so that a busy moment of the machine falls on all."""
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, taken in samples.items():
            taken.append(once(benchmark, name, facts))
    return samples


def medians(samples: Mapping[str, list[Sample]]) -> dict[str, Sample]:
    """Return each contestant's median round."""
    return {
        name: Sample(
            statistics.median(s.wall for s in taken),
            statistics.median(s.cpu for s in taken),
            max(s.rss for s in taken),
            taken[0].answer,
        )
        for name, taken in samples.items()
    }


def rows(found: Mapping[str, Sample]) -> list[list[str]]:
    """Return table rows: name, wall, CPU, CPU as a ratio to the first row, memory."""
    first = next(iter(found.values())).cpu or 1e-9
    return [
        [name, f"{s.wall:.3f} s", f"{s.cpu:.3f} s", f"{s.cpu / first:.2f}", f"{s.rss:.0f} MB"]
        for name, s in found.items()
    ]


COLUMNS = ["contestant", "wall", "CPU", "CPU ÷ first", "peak memory"]


def goal(name: str, figure: float, wanted: str, holds: bool) -> dict[str, Any]:
    """Return one goal's line."""
    return {"id": name, "figure": round(figure, 3), "wanted": wanted, "holds": bool(holds)}


def _measure(benchmark: str, name: str, facts: dict[str, Any]) -> Sample:
    go = import_module(f"benchmarks.{benchmark}").CONTESTANTS[name](**facts)
    wall, cpu = time.perf_counter(), time.process_time()
    answer = go()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, answer)


def main() -> int:
    """Be one contestant: measure it and print the sample as one line of JSON."""
    benchmark, name, facts = sys.argv[1:4]
    sample = _measure(benchmark, name, json.loads(facts))
    print(json.dumps({"wall": sample.wall, "cpu": sample.cpu, "rss": sample.rss, "answer": sample.answer}))
    sys.stdout.flush()
    # A contestant's background threads must not keep the round open.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
