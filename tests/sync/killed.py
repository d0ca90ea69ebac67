"""A syncing process that dies by SIGKILL at a chosen moment, as often as it is asked to.

`python -m tests.sync.killed URL BASE TOKEN` reads lines: a moment, or 0 for none. For each it forks a child that runs
what is due and dies at that moment; it answers with the child's exit status and the moments the child lived through.
A moment is a statement about to be sent, a commit about to be made, or a request about to leave.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

from sqlalchemy import Engine, create_engine, event

from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.google.api import GoogleProvider
from calendar_ext.sync.engine import Engine as RunEngine
from demo.standins.transport import StandinTransport

from ..conftest import LIMITS
from ..providers.google_standin import ENDPOINTS
from ..providers.loopback import Tokens
from .rig import QuietHost

#: Small pages and chunks: many boundaries in little time.
SMALL = replace(LIMITS, page_rows=20, sqlite_chunk_rows=8, postgresql_chunk_rows=8)


def opener(base: str, token: str, before: Callable[[], None] = lambda: None) -> Callable[..., GoogleProvider]:
    """Return what opens the stand-in's account; `before` is called before every request."""

    class Counting(StandinTransport):
        def route(self, url: str) -> str:
            before()
            return super().route(url)

    transport = Counting({"google": base}, limits=SMALL)
    return lambda account: GoogleProvider(transport, ENDPOINTS.api, Tokens(token), now=time.time, free_busy=True)


class Moments:
    """Counts, and ends the process at one."""

    def __init__(self, last: int) -> None:
        self.seen, self._last = 0, last

    def __call__(self, *facts: object) -> None:
        self.seen += 1
        if self.seen == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, base: str, token: str, last: int) -> int:
    """Run what is due; return the moments lived through."""
    moments, engine = Moments(last), create_engine(url)
    event.listen(engine, "before_cursor_execute", moments)
    event.listen(engine, "commit", moments)
    runner = AccountRunner(store=_store(engine), engine=_runs(engine, base, token, moments), limits=SMALL)
    while runner.run_due():
        pass
    engine.dispose()
    return moments.seen


def _store(engine: Engine) -> SqlStore:
    return SqlStore(lambda: engine, SMALL)


def _runs(engine: Engine, base: str, token: str, moments: Moments) -> RunEngine:
    return RunEngine(
        store=_store(engine),
        opener=opener(base, token, moments),
        host=QuietHost(),
        limits=SMALL,
        clock=time.time,
        installation=lambda: "tests-own-installation",
        rng=Random(1),
    )


def main(url: str, base: str, token: str) -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, str(work(url, base, token, int(line))).encode())
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reader) as said:
            print(os.waitstatus_to_exitcode(status), said.read() or "0", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
