"""Small changes of several accounts in one transaction: on SQLite each of its own costs the host a lock and a flush.

An account's part begins with its own fence and leaves the others alone where that no longer holds. Until it is written
nothing has happened: the account's place is where it was, and a crash repeats the look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from ..errors import CalendarExtError, LeaseLost, Refused
from .ports.store import Fence, Store
from .storing import Chunk, Pass, Written, note, store, write

log = logging.getLogger("calendar_ext.sync")

#: Rows of one account that may wait, and of all of them; seconds anything waits at most.
SMALL, MOST, SECONDS = 25, 200, 0.5

Item = tuple[Pass, Chunk]


class Gathering:
    """Takes changes while a batch of accounts is run. Used by one thread."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic = store, monotonic
        self._items: list[Item] = []
        self._rows = 0
        self._since = 0.0

    def take(self, going: Pass, chunk: Chunk) -> bool:
        """Take a small change that ends its account's run."""
        if chunk.finish is None or chunk.refused or len(chunk.rows) + len(chunk.gone) > SMALL:
            return False
        if not self._items:
            self._since = self._monotonic()
        self._items.append((going, chunk))
        self._rows += len(chunk.rows)
        going.released = True
        return True

    @property
    def ripe(self) -> bool:
        """Return whether what was taken should wait no longer."""
        return bool(self._items) and (self._rows >= MOST or self._monotonic() - self._since >= SECONDS)

    def flush(self) -> None:
        """Write what was taken. Never raises: what could not be written is looked for again."""
        items, self._items, self._rows = sorted(self._items, key=_account), [], 0
        if not items:
            return
        try:
            written = self._all(items)
        except CalendarExtError:
            for item in items:
                self._alone(*item)
            return
        for going, chunk, done in written:
            note(going, chunk, done)
            going.stored()

    def _all(self, items: list[Item]) -> list[tuple[Pass, Chunk, Written]]:
        """Every fence first, by account, then what hangs on each (data-model.md L6)."""
        with self._store.write(_fence(items[0])) as unit:
            held = items[:1] + [item for item in items[1:] if unit.sync_states.hold(_fence(item))]
            return [(going, chunk, write(unit, going, chunk)) for going, chunk in held]

    def _alone(self, going: Pass, chunk: Chunk) -> None:
        try:
            store(going, chunk)
        except LeaseLost:
            return
        except Refused:
            log.error("A change of account %s could not be stored.", going.run.account.public_id)
        except CalendarExtError as error:
            log.info("A change of account %s waits: %s.", going.run.account.public_id, error.code)
        else:
            going.stored()


def _account(item: Item) -> int:
    return item[0].run.account.id


def _fence(item: Item) -> Fence:
    going, chunk = item
    return replace(going.run.fence, release=chunk.release)
