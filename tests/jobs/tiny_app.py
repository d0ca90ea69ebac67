"""A Flask application with nothing but the background job in it; its database is `TINY_DATABASE`.

Every tick leaves a line in the table `ticks`: who ticked, and when.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from flask import Flask
from sqlalchemy import create_engine, text

from calendar_ext.jobs import apscheduler
from calendar_ext.jobs.apscheduler import ApschedulerEngine
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.jobs.serving import run_until_stopped
from calendar_ext.jobs.tasks import Tasks
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync.engine import Engine

from ..sync.rig import QuietHost

LEASE = 3
LIMITS = replace(Limits(), leader_lease_seconds=LEASE)
apscheduler.START_SECONDS = 1.0
apscheduler.TICK_SECONDS = 0.3

database = create_engine(os.environ["TINY_DATABASE"])
store = SqlStore(lambda: database, LIMITS)
host = QuietHost()


class Ticking(Tasks):
    """Jobs that leave a trace."""

    def tick(self, *, limit: int = 50) -> int:
        with database.begin() as connection:
            connection.execute(text("INSERT INTO ticks VALUES (:pid, :at)"), {"pid": os.getpid(), "at": time.time()})
        return super().tick(limit=limit)


def _opener(account: object) -> object:
    raise LookupError("there is no account")


runner = AccountRunner(
    store=store,
    engine=Engine(store=store, opener=_opener, host=host, limits=LIMITS, clock=time.time, installation=lambda: "tiny"),
    limits=LIMITS,
)
tasks = Ticking(
    store=store, host=host, runner=runner, limits=LIMITS, installation=lambda: "tiny", is_active=lambda: True,
    clock=time.time,
)  # fmt: skip
engine = ApschedulerEngine(
    tasks,
    mode=os.environ.get("TINY_MODE", "auto"),
    forget_connections=lambda: database.dispose(close=False),
)
app = Flask(__name__)
engine.init_app(app)


@app.get("/")
def who() -> str:
    """Return which process answers."""
    return str(os.getpid())


@app.cli.command("background")
def background() -> None:
    """Work in the foreground, as `flask calendar run` does."""
    run_until_stopped(engine, ready=lambda: print("READY", flush=True))
