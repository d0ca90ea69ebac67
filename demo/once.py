"""`python3 -m demo --once`: the whole story without a person, through the pages anybody sees; exits 0 or 1."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .chapters import Step, exported, plot
from .chapters.cast import Cast
from .providers import STANDINS
from .run import UNUSABLE, not_started, running


@dataclass
class Story:
    """What was checked, and what it took."""

    cast: Cast
    checks: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def ok(self) -> bool:
        """Return whether everything checked so far is true."""
        return bool(self.checks) and all(check["ok"] for check in self.checks)

    def tell(self, steps: list[Step]) -> None:
        """Do the steps in order. One that fails is noted; if others stand on it, they are noted as not reached."""
        broken = ""
        for step in steps:
            if broken:
                self._note(step.name, False, f"not reached: {broken} failed")
                continue
            if not self._do(step) and step.essential:
                broken = step.name

    def _do(self, step: Step) -> bool:
        try:
            detail = step.act()
        except Exception as error:
            logging.getLogger("demo").debug("%s failed", step.name, exc_info=True)
            self._note(step.name, False, f"{type(error).__name__}: {error}")
            return False
        self._note(step.name, True, detail or "")
        return True

    def _note(self, name: str, ok: bool, detail: str) -> None:
        self.checks.append({"name": name, "ok": ok, "detail": detail})
        mark = "ok  " if ok else "FAIL"
        print(f"{mark} {name:<32} {detail}"[:900], flush=True)

    def result(self) -> dict[str, Any]:
        """Return what `--json` writes."""
        self.counts |= self.cast.counts()
        self.counts["seconds"] = round(time.monotonic() - self.began, 1)
        return {"ok": self.ok, "checks": self.checks, "counts": self.counts}


STORIES: dict[str, Callable[[Cast], list[Step]]] = {"main": plot.main, "ics": exported.main}


def main(asked: argparse.Namespace) -> int:
    """Tell one story in a folder of its own, write what was seen, and return the exit status."""
    if asked.provider not in STANDINS or asked.story not in STORIES:
        print(f"There is no story {asked.story} with {asked.provider}.", file=sys.stderr)
        return 2
    logging.basicConfig(level=os.environ.get("DEMO_LOG", "CRITICAL"))
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    name = "ics" if asked.ics and asked.story == "main" else asked.story
    home = Path(tempfile.mkdtemp(prefix="calendar-ext-once-"))
    try:
        place = {"port": asked.port, "provider": asked.provider, "ics": asked.ics, "database": asked.host_db}
        with running(home, **place, **plot.SETTINGS) as demo:
            story = Story(Cast(demo, asked.ics))
            story.tell(STORIES[name](story.cast))
            result = story.result()
    except UNUSABLE as error:
        return not_started(error)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return _say(result, asked)


def _say(result: dict[str, Any], asked: argparse.Namespace) -> int:
    if asked.json:
        Path(asked.json).write_text(json.dumps(result, indent=2) + "\n")
    counted = ", ".join(f"{name} {value}" for name, value in result["counts"].items())
    print(f"{'All of it is true.' if result['ok'] else 'Not all of it is true.'} {counted}")
    return 0 if result["ok"] else 1
