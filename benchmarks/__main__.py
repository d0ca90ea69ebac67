"""`python3 -m benchmarks [NAME …] [--quick] [--sizes …] [--rounds N] [--json FILE]`.

Exit status 1 if a goal does not hold. Without names every benchmark runs; a full run writes `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from demo.environment import ROOT, ensure

NAMES = ("initial", "poll", "rrule", "saves")
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
#: Goals are ratios of undisturbed medians; a small run on a busy machine only proves that the commands work.
QUICK_ROUNDS, FULL_ROUNDS = 1, 5


def main() -> int:
    """Run what was asked for, print it, write it down."""
    ensure("dev", module="benchmarks")
    asked = _arguments().parse_args()
    rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else FULL_ROUNDS)
    found = [_one(name, asked, rounds) for name in asked.names or NAMES]
    text = "\n".join(_markdown(result) for result in found)
    print(text)
    if asked.json:
        Path(asked.json).write_text(json.dumps({"machine": _machine(), "results": found}, indent=2))
    if (not asked.quick and not asked.names) or asked.write:
        RESULTS.write_text(_heading() + text)
    missed = [goal for result in found for goal in result["goals"] if not goal["holds"]]
    if asked.quick:
        return int(any(result.get("wrong") for result in found))
    return int(bool(missed))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, one round: the commands work")
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md also when names are given")
    return parser


def _one(name: str, asked: argparse.Namespace, rounds: int) -> dict[str, Any]:
    print(f"… {name}", file=sys.stderr, flush=True)
    return import_module(f"benchmarks.{name}").run(sizes=asked.sizes, rounds=rounds, quick=asked.quick)


def _machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlalchemy": version("sqlalchemy"),
        "commit": commit.stdout.strip() or "unknown",
    }


def _heading() -> str:
    facts = ", ".join(f"{name} {value}" for name, value in _machine().items())
    return f"# Results\n\nRatios inside one run; seconds only say how large the machine is. {facts}.\n\n"


def _markdown(result: dict[str, Any]) -> str:
    lines = [f"## {result['name']}", ""]
    for table in result["tables"]:
        lines += [f"### {table['title']}", "", _row(table["columns"]), _row(["---"] * len(table["columns"]))]
        lines += [_row(row) for row in table["rows"]] + [""]
    lines += [_row(["goal", "figure", "wanted", "holds"]), _row(["---"] * 4)]
    lines += [_row([g["id"], g["figure"], g["wanted"], "yes" if g["holds"] else "**no**"]) for g in result["goals"]]
    return "\n".join([*lines, ""])


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
