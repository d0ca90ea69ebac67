"""The outbox of one account, sent one by one: each claimed, sent, and stored with its answer before the next.

An operation is claimed in a transaction of its own before anything is sent, so a crash leaves a row that says so; what
a dead run left is looked up before it is sent again (trust.md R-02).
"""

from __future__ import annotations

from random import Random

from ..domain.breakers import deletions_allowed, notifications_allowed
from ..errors import (
    AuthorizationExpired,
    CalendarExtError,
    EtagMismatch,
    Gone,
    KeyMissing,
    LeaseLost,
    PermissionDenied,
    RateLimited,
    Refused,
    Retryable,
    Stale,
)
from .mailing import Parcel, pack, send
from .outcomes import delivered, failed, nothing_to_say, overtaken, vanished
from .ports.plan import OperationRecord
from .retry import after
from .run import Run
from .stopping import DELETES_THERE, NOTIFIES, stop

#: Failures in a row after which the provider is left alone.
_PATIENCE = 3
_CHANCE = Random()


def push(run: Run) -> None:
    """Send what waits for this account, oldest first, until nothing is due or the budget is spent.

    :raises BreakerTripped: more would be notified or deleted than a run may; that waits for a person.
    :raises RateLimited, AuthorizationExpired, ...: the account cannot be written to now; nothing is lost.
    """
    _look_after_the_dead(run)
    guard(run)
    trouble = 0
    while not run.out_of_time():
        with run.store.read() as unit:
            operation = unit.operations.next_due(run.account.id, unit.now())
        if operation is None:
            return
        try:
            deliver(run, operation)
            trouble = 0
        except (LeaseLost, RateLimited):
            raise
        except Retryable:
            trouble += 1
            if trouble >= _PATIENCE:
                raise


def _look_after_the_dead(run: Run) -> None:
    with run.store.read() as unit:
        stranded = unit.operations.open_of_account(run.account.id, ("sending",))
    if stranded:
        with run.store.write(run.fence) as unit:
            unit.operations.strand(run.account.id)


def guard(run: Run) -> None:
    """Stop before a run notifies or deletes more than is usual; what a person released or did by hand is not counted.

    :raises BreakerTripped: it would.
    """
    with run.store.read() as unit:
        waiting = unit.operations.open_of_account(run.account.id, ("planned",))
        telling = [one for one in waiting if one.notify and one.notifies]
        deleting = [one for one in waiting if one.kind == "delete" and one.target == "remote" and not _by_hand(one)]
        if not telling and not deleting:
            return
        released = unit.operations.approved(run.account.id)
        total = sum(unit.events.count_live(calendar.id) for calendar in unit.calendars.of_account(run.account.id))
    telling = [one for one in telling if one.id not in released]
    deleting = [one for one in deleting if one.id not in released]
    people = sum(one.notifies for one in telling)
    if not notifications_allowed(people, run.limits):
        stop(run, NOTIFIES, telling, count=people)
    if not deletions_allowed(len(deleting), total, from_listing=False, limits=run.limits):
        stop(run, DELETES_THERE, deleting, count=len(deleting))


def _by_hand(operation: OperationRecord) -> bool:
    return operation.actor_kind == "person"


def deliver(run: Run, operation: OperationRecord) -> None:
    """Send one operation, or find that it need not be sent, and store the outcome.

    :raises Retryable: it is planned again for later.
    """
    parcel = pack(run, operation)
    if parcel is None:
        return
    if parcel.needless:
        nothing_to_say(run, parcel)
        return
    with run.store.write(run.fence) as unit:
        claimed = unit.operations.claim(operation.id, unit.now())
    if claimed is None:
        return
    _send(run, parcel.claimed(claimed))


def _send(run: Run, parcel: Parcel) -> None:
    operation = parcel.operation
    try:
        answer = send(run, parcel)
    except EtagMismatch as error:
        if _planned_again(run, parcel, error):
            overtaken(run, parcel)
    except Gone as error:
        if _planned_again(run, parcel, error):
            vanished(run, parcel)
    except (Refused, PermissionDenied) as error:
        failed(run, parcel, error)
    except (AuthorizationExpired, KeyMissing) as error:
        _postpone(run, operation, error, 0)
        raise
    except LeaseLost:
        raise
    except Retryable as error:
        _later(run, parcel, error)
    else:
        delivered(run, parcel, answer)


def _planned_again(run: Run, parcel: Parcel, error: Stale | Gone) -> bool:
    """Let both sides be merged before it is sent again; not for ever."""
    if parcel.operation.attempts >= run.limits.write_attempts:
        failed(run, parcel, error)
        return False
    _postpone(run, parcel.operation, error, 0)
    return True


def _later(run: Run, parcel: Parcel, error: Retryable) -> None:
    """Plan it again: to be looked up first, unless the provider said that it did nothing."""
    operation = parcel.operation
    if operation.attempts >= run.limits.write_attempts:
        failed(run, parcel, error)
    else:
        delay = after(error, operation.attempts, run.limits, _CHANCE)
        _postpone(run, operation, error, delay, unknown=not isinstance(error, RateLimited))
    raise error


def _postpone(
    run: Run, operation: OperationRecord, error: CalendarExtError, delay: int, *, unknown: bool = False
) -> None:
    with run.store.write(run.fence) as unit:
        unit.operations.postpone(operation.id, unit.now() + delay, error=error, unknown=unknown)
