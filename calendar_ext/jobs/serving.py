"""The bodies of `flask calendar run` and `flask calendar tick`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from .apscheduler import STOP_SECONDS, ApschedulerEngine
from .tasks import Tasks


def run_until_stopped(
    engine: ApschedulerEngine, *, worker: bool = False, ready: Callable[[], None] = lambda: None
) -> None:
    """Work in the foreground until SIGTERM or SIGINT; then claim nothing more and end within 20 seconds.

    :param worker: run accounts although another process leads.
    :param ready: called once everything has begun.
    """
    stopped = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stopped.set()

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        engine.start("worker" if worker else "scheduler")
        ready()
        stopped.wait()
    finally:
        engine.stop(STOP_SECONDS)
        for number, handler in former.items():
            signal.signal(number, handler)


def tick_once(tasks: Tasks) -> int:
    """Do what is due now, for a cron; return how many accounts ran."""
    ran = tasks.tick()
    tasks.sweep("cron")
    tasks.housekeeping()
    tasks.leadership.resign()
    return ran
