"""An account is left: copies removed or kept as each person chose, the grant ended, the secret erased (L14).

Disconnecting is a state, so every step may be repeated: a run that dies goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ..errors import CalendarExtError, LeaseLost, Retryable
from .departing import depart, end_connection, release_copies
from .operations import push
from .placing import DISCONNECTED
from .ports.people import AccountRecord, ConnectionRecord
from .ports.plan import OperationRecord
from .run import Run

log = logging.getLogger("calendar_ext.sync")

#: Seconds after which a provider that does not answer is left behind.
PATIENCE = 86_400


class Revoker(Protocol):
    """Who can end a grant (`services.grants.Grants`)."""

    def revoke(self, account: AccountRecord) -> bool:
        """End the grant at the provider; return whether that was asked of it.

        :raises Retryable: the provider could not be reached.
        """


class Leaving:
    """Carries a disconnect to its end: of an account, or of one of several people who use it."""

    def __init__(self, *, grants: Revoker) -> None:
        self._grants = grants

    def __call__(self, run: Run) -> None:
        """Do what is left to do.

        :raises Retryable: the provider does not answer; after a day it is left as it is.
        """
        if run.account.status == "disconnecting":
            self._leave(run)
        else:
            depart(run)

    def _leave(self, run: Run) -> None:
        with run.store.read() as unit:
            leaving, now = unit.connections.of_account(run.account.id), unit.now()
        last = all(now - int(one.leaving.get("at", now)) > PATIENCE for one in leaving)
        for connection in leaving:
            release_copies(run, connection)
        _drop_edits(run)
        _attempt(lambda: _remove_there(run), last=last)
        if run.out_of_time():
            return
        _let_lie(run)
        _remove_here(run, leaving)
        _revoke(run, self._grants, last=last)
        with run.store.write(run.fence) as unit:
            unit.credentials.erase(run.account.id)
        for connection in leaving:
            end_connection(run, connection)
        with run.store.write(run.fence) as unit:
            unit.accounts.set_status(run.account.id, "disconnected")


def _attempt(step: Callable[[], None], *, last: bool) -> None:
    """Do a step at the provider; one that a person would have to help with is left out."""
    try:
        step()
    except LeaseLost:
        raise
    except Retryable:
        if not last:
            raise
    except CalendarExtError as error:
        log.info("A step of a disconnect was left out: %s.", error.code)


def _remove_there(run: Run) -> None:
    """Send the deletions that were planned.

    :raises Retryable: some wait to be tried again.
    """
    push(run)
    with run.store.read() as unit:
        waiting = unit.operations.open_of_account(run.account.id, ("planned", "unknown"))
    if waiting and not run.out_of_time():
        raise Retryable("Some events could not be removed yet.")


def _drop_edits(run: Run) -> None:
    """Forget what was still to be sent; only what ends things is."""
    with run.store.read() as unit:
        waiting = unit.operations.open_of_account(run.account.id)
    void = [one for one in waiting if one.kind != "delete" or one.state == "held"]
    if void:
        with run.store.write(run.fence) as unit:
            for operation in void:
                unit.operations.finish(operation.id, "superseded")


def _let_lie(run: Run) -> None:
    """Give up what could not be taken out there: it stays, and nobody's it is any more."""
    with run.store.write(run.fence) as unit:
        for link in unit.links.of_account(run.account.id):
            unit.links.save(replace(link, state="ended", reason=DISCONNECTED, people=()))
        for operation in unit.operations.open_of_account(run.account.id):
            unit.operations.finish(operation.id, "superseded")


def _remove_here(run: Run, leaving: list[ConnectionRecord]) -> None:
    """Delete what was mirrored, if the last person to leave wants that; a few at a time."""
    if not leaving or not all(connection.leaving.get("remove_here") for connection in leaving):
        return
    with run.store.read() as unit:
        calendars = unit.calendars.of_account(run.account.id)
    for calendar in calendars:
        while True:
            with run.store.write(run.fence) as unit:
                unit.cursors.forget(calendar.id)
                removed = unit.events.forget(calendar.id, run.store.chunk_rows)
            if removed < run.store.chunk_rows:
                break


def _revoke(run: Run, grants: Revoker, *, last: bool) -> None:
    """End the grant, and keep a line about it in the journal."""
    entry = OperationRecord(
        tenant_id=run.account.tenant_id,
        account_id=run.account.id,
        kind="revoke",
        actor_kind="person",
        reason="disconnect",
        state="sending",
    )
    with run.store.write(run.fence) as unit:
        entry = unit.operations.add(entry)
    failure: CalendarExtError | None = None
    try:
        grants.revoke(run.account)
    except CalendarExtError as error:
        failure = error
    with run.store.write(run.fence) as unit:
        unit.operations.finish(entry.id, "failed" if failure else "done", error=failure)
    if isinstance(failure, Retryable) and not last:
        raise failure
