"""G1: the first synchronization, against the floor, three ways to store, and a client library that stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from . import ours, peers, world
from .measuring import COLUMNS, Sample, contest, goal, medians, once, rows

SIZES, QUICK = (1_000, 10_000, 50_000), (1_000,)
#: The slow peers are measured where their ratio no longer changes with size.
SLOW_UP_TO = 10_000
#: Events of each account that a process has synchronized before it is measured.
WARM = 1_000


def extension(base_url: str, token: str) -> Callable[[], int]:
    """Everything from claim to release: HTTP, mapping, upsert, occurrences, revisions, progress.

    The process has synchronized two other accounts before: one that lives for weeks has its statements compiled.
    """
    there = world.World(base_url, token)
    others = there.people(2)
    for number in range(len(others)):
        there.control("empty", calendar=f"person-{number}@example.test")
        there.control("seed", calendar=f"person-{number}@example.test", count=WARM, series=0.0)
    installed = ours.connected(base_url, *others, token, person=ours.NEWCOMER)
    *warm, measured = installed.accounts
    installed.run(*warm)
    there.control("reset_stats")

    def go() -> int:
        installed.run(measured)
        return installed.events() - WARM * len(warm)

    return go


CONTESTANTS = {
    "floor": peers.floor,
    "calendar_ext": extension,
    "SQLAlchemy core upsert": peers.core_upsert,
    "SQLAlchemy ORM add_all": peers.orm_add_all,
    "select, then add": peers.select_then_add,
    "gcsa (stores nothing)": peers.gcsa,
}
FAST = ("floor", "calendar_ext", "SQLAlchemy core upsert", "SQLAlchemy ORM add_all")


def run(*, sizes: Sequence[int] | None, rounds: int, quick: bool) -> dict[str, Any]:
    """Return tables and goals; every contestant must have seen every event."""
    result: dict[str, Any] = {"name": "initial", "tables": [], "goals": []}
    memory: dict[int, float] = {}
    sizes = sizes or (QUICK if quick else SIZES)
    for size in sizes:
        with world.google(size) as google:
            facts = {"base_url": google.base_url, "token": google.token}
            names = tuple(CONTESTANTS) if size <= SLOW_UP_TO else FAST
            found = medians(contest("initial", names, facts, rounds))
            google.control("reset_stats")
            memory[size] = once("initial", "calendar_ext", facts).rss
            lists = google.control("stats")["by_method"].get("events.list", 0)
        result["wrong"] = result.get("wrong", False) or {s.answer for s in found.values()} != {size}
        result["tables"].append({"title": f"{size:,} events", "columns": COLUMNS, "rows": rows(found)})
        result["goals"] += _goals(size, found, lists)
        if size == max((one for one in sizes if one <= SLOW_UP_TO), default=0):
            result["goals"] += _against_peers(size, found)
    if len(memory) > 1:
        grown = memory[max(memory)] - memory[min(memory)]
        result["goals"].append(goal("G1 memory", grown, "≤ 60 MB more for the largest", grown <= 60))
    return result


def _goals(size: int, found: dict[str, Sample], lists: int) -> list[dict[str, Any]]:
    share = found["floor"].cpu / found["calendar_ext"].cpu
    wanted = math.ceil(size / 2_500) + 1
    return [
        goal(f"G1 floor {size}", share, "≥ 0.5 of the floor", share >= 0.5),
        goal(f"G1 requests {size}", lists, f"{wanted} list requests", lists == wanted),
    ]


def _against_peers(size: int, found: dict[str, Sample]) -> list[dict[str, Any]]:
    """Compared at the largest size they are measured at: below it our fixed part, which they have not, still counts."""
    cpu = found["calendar_ext"].cpu
    gcsa, naive = found["gcsa (stores nothing)"].cpu / cpu, found["select, then add"].cpu / cpu
    return [
        goal(f"G1 gcsa {size}", gcsa, "≥ 4 times cheaper", gcsa >= 4),
        goal(f"G1 select-then-add {size}", naive, "≥ 5 times cheaper", naive >= 5),
    ]
