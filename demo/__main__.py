"""`python3 -m demo`: prepares an environment if there is none, starts the reference host and a stand-in provider."""

from __future__ import annotations

import argparse
import sys

from .environment import ensure


def arguments(given: list[str]) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        prog="python3 -m demo", description="Calendar in a small host, on this machine only."
    )
    parser.add_argument("--once", action="store_true", help="do the whole story without a person, and exit 0 or 1")
    parser.add_argument("--json", metavar="FILE", help="with --once: write what was seen")
    parser.add_argument("--ics", metavar="FILE", help="fill the stand-in's calendar from an exported calendar")
    parser.add_argument("--port", type=int, default=0, help="the host's port; by default 5000, or any that is free")
    parser.add_argument("--provider", default="google", help="which stand-in to start: google")
    parser.add_argument("--story", default="main", help="with --once: which story to do")
    parser.add_argument("--fresh", action="store_true", help="forget what was there from the last time")
    parser.add_argument("--host-db", metavar="URL", help="the host's database; by default a file of the demo's own")
    return parser.parse_args(given)


def main() -> int:
    """Return the exit status."""
    asked = arguments(sys.argv[1:])
    ensure("demo", module="demo")
    from . import once, run

    return once.main(asked) if asked.once else run.main(asked)


if __name__ == "__main__":
    raise SystemExit(main())
