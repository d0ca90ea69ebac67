"""A pushing process that dies by SIGKILL at a chosen moment: `killed.py`, with a host that has appointments.

`python -m tests.sync.killed_push URL BASE TOKEN FILE` reads moments as `killed.py` does; FILE holds the host's
appointments, pickled. The host is only read: a push that wants to change it is broken.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from pathlib import Path
from random import Random

from sqlalchemy import create_engine, event

from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.persistence.hook_insert import SqlHookInsert
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.services.appointments import Recording
from calendar_ext.sync.changes import dispatch
from calendar_ext.sync.engine import Engine as RunEngine
from calendar_ext.sync.ports.host import Written

from .both import INSTALLATION, MemoryHost
from .killed import SMALL, Moments, opener


class StillHost(MemoryHost):
    """A host nobody may write to."""

    def apply(self, *arguments: object, **named: object) -> Written:
        """Fail: nothing was changed in the calendar."""
        raise AssertionError("nothing was changed there")


def work(url: str, base: str, token: str, path: Path, last: int) -> int:
    """Dispatch what the hooks noted and run what is due; return the moments lived through."""
    moments, engine = Moments(last), create_engine(url)
    event.listen(engine, "before_cursor_execute", moments)
    event.listen(engine, "commit", moments)
    store = SqlStore(lambda: engine, SMALL)
    host = StillHost(Recording(insert=SqlHookInsert(lambda: engine)))
    host.rows = pickle.loads(path.read_bytes())
    runs = RunEngine(
        store=store,
        opener=opener(base, token, moments),
        host=host,
        limits=SMALL,
        clock=time.time,
        installation=lambda: INSTALLATION,
        rng=Random(1),
    )
    runner = AccountRunner(store=store, engine=runs, limits=SMALL)
    dispatch(store, host, SMALL, INSTALLATION, time.time)
    while runner.run_due():
        pass
    engine.dispose()
    return moments.seen


def main(url: str, base: str, token: str, path: str) -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, str(work(url, base, token, Path(path), int(line))).encode())
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reader) as said:
            print(os.waitstatus_to_exitcode(status), said.read() or "0", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
