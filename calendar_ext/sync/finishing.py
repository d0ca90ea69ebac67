"""How a run ends: first synchronizations finished, failures as account states, the journal's line, listeners told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any

from ..errors import BreakerTripped, CalendarExtError, Gone, LeaseLost, PermissionDenied
from .ports.content import CalendarRecord, Claim, Release
from .ports.runs import RunRecord
from .ports.store import Fence, Store
from .progress import Progress
from .retry import Verdict
from .run import Run

#: Statuses that a failure may end; what waits for a person, or is leaving, stays what it is.
_RUNNING = ("active", "limited")
#: Reason of the status `limited` while one of several calendars is closed to us.
CLOSED = "calendar_closed"


def sending(run: Run, progress: Progress, now: int) -> None:
    """Note that everything is read, and that what is ours goes out."""
    if progress.phase("sending"):
        progress.step("sending", now)
        with run.store.write(run.fence) as unit:
            progress.save(unit)


def done(run: Run, claim: Claim, progress: Progress, release: Release) -> None:
    """Note that the first synchronization of every connection of the account has ended, and let go of the account."""
    with run.store.write(replace(run.fence, release=release)) as unit:
        now = unit.now()
        if progress.phase("done"):
            progress.step("done", now, count=progress.facts["pulled"])
            progress.save(unit)
        for connection in unit.connections.of_account(run.account.id):
            if not connection.first_sync.get("finished_at"):
                facts = {"started_at": now, **connection.first_sync, "finished_at": now}
                unit.connections.set_first_sync(connection.id, facts)
        unit.runs.add(_line(run, claim, "done"))
        unit.wakes.remove(release.wake_ids)


def opened(run: Run) -> None:
    """End the status `limited` of an account all of whose calendars could be read again."""
    with run.store.write(run.fence) as unit:
        unit.accounts.set_status(run.account.id, "active", only_from=("limited",))


def closed(run: Run, calendar: CalendarRecord, error: Gone | PermissionDenied) -> CalendarExtError | None:
    """Find out what happened to a calendar that could not be read; its events stay whatever it was.

    Returns what the run is to end with: nothing where the calendar is no longer listed, which is noted.

    :raises CalendarExtError: the account as a whole cannot be read.
    """
    found = run.provider.calendars()
    with run.store.write(run.fence) as unit:
        unit.calendars.adopt(run.account, found)
        if all(remote.remote_id != calendar.remote_id for remote in found):
            return None
        unit.accounts.set_status(run.account.id, "limited", CLOSED, only_from=("active",))
    return Gone("A calendar cannot be read.", cause=error.code, calendar_id=calendar.id)


def failed(
    store: Store, fence: Fence, claim: Claim, error: CalendarExtError, verdict: Verdict, run: Run | None
) -> None:
    """Store what a failure means for the account, where it means more than trying again.

    :raises LeaseLost: another worker has the account, or the extension is not active.
    """
    if isinstance(error, LeaseLost):
        raise error
    if isinstance(error, BreakerTripped) and run and error.facts.get("plan_hash"):
        journal(run, claim, outcome="stopped", stopped=error)
    elif run and worth_a_line(run):
        journal(run, claim, outcome="failed")
    if verdict.status:
        with store.write(fence) as unit:
            unit.accounts.set_status(claim.account.id, verdict.status, verdict.reason, only_from=_RUNNING)
    if run and run.tally.changed:
        tell(run, claim)


def worth_a_line(run: Run) -> bool:
    """Return whether a run did more than mirror what the provider said: each event remembers that by itself."""
    tally = run.tally
    return any((tally.pushed, tally.to_host, tally.conflicts, tally.refused))


def journal(run: Run, claim: Claim, *, outcome: str, stopped: BreakerTripped | None = None) -> None:
    """Write the run's line."""
    with run.store.write(run.fence) as unit:
        unit.runs.add(_line(run, claim, outcome, stopped.facts if stopped else {}))


def _line(run: Run, claim: Claim, outcome: str, facts: Mapping[str, Any] = MappingProxyType({})) -> RunRecord:
    run.tally.requests = run.provider.requests
    counts = {name: count for name, count in asdict(run.tally).items() if count}
    return RunRecord(
        account_id=run.account.id,
        epoch=run.fence.epoch,
        started_at=claim.at,
        cause=", ".join(sorted({wake.reason for wake in claim.wakes}))[:32] or "schedule",
        counts=counts | {name: facts[name] for name in ("calendar_id", "count", "events") if name in facts},
        outcome=outcome,
        stop_reason=facts.get("reason", ""),
        plan_hash=facts.get("plan_hash", ""),
    )


def tell(run: Run, claim: Claim) -> None:
    """Tell listeners that a run changed something, by connection."""
    run.tally.requests = run.provider.requests
    for connection in claim.connections:
        run.host.tell("sync_finished", connection=connection, summary=asdict(run.tally))
