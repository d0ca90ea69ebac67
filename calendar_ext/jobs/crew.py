"""A few threads that do what they are offered, and do not keep a process from ending."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("calendar_ext.jobs")


class Crew:
    """At most `size` bodies at a time, each in a daemon thread of its own; what finds nobody free is not kept.

    Not a pool of `concurrent.futures`: the interpreter joins its threads before anybody can ask them to hurry.
    """

    def __init__(self, size: int, name: str) -> None:
        self._name = name
        self._free = threading.Semaphore(size)
        self._busy = 0
        self._quiet = threading.Condition()

    def offer(self, body: Callable[[], object]) -> bool:
        """Start `body` if somebody is free; return whether somebody was."""
        if not self._free.acquire(blocking=False):
            return False
        with self._quiet:
            self._busy += 1
        threading.Thread(target=self._work, args=(body,), name=self._name, daemon=True).start()
        return True

    def wait(self, timeout: float) -> bool:
        """Wait until nobody is busy; return whether that came true in time."""
        ends_at = time.monotonic() + timeout
        with self._quiet:
            while self._busy and (left := ends_at - time.monotonic()) > 0:
                self._quiet.wait(left)
            return not self._busy

    def _work(self, body: Callable[[], object]) -> None:
        try:
            body()
        except Exception as error:
            log.error("A background job broke.", exc_info=error)
        finally:
            self._free.release()
            with self._quiet:
                self._busy -= 1
                self._quiet.notify_all()
