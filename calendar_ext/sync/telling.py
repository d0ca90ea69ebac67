"""What listeners are told after a commit: facts by public id, no content."""

from __future__ import annotations

from .ports.plan import LinkRecord
from .run import Run


def tell_change(run: Run, link: LinkRecord, kind: str, ref: str) -> None:
    """Say that a linked event was `created`, `updated` or `deleted` by a sync."""
    change = {"kind": kind, "event": _event(run, link), "appointment": ref}
    for connection in _connections(run, link):
        run.host.tell("event_changed", connection=connection, change=change)


def tell_conflict(run: Run, link: LinkRecord, field: str, winner: str) -> None:
    """Say that both sides changed one field."""
    run.tally.conflicts += 1
    conflict = {"event": _event(run, link), "field": field, "winner": winner}
    for connection in _connections(run, link):
        run.host.tell("conflict_found", connection=connection, conflict=conflict)


def _event(run: Run, link: LinkRecord) -> str:
    if link.event_id is None:
        return ""
    with run.store.read() as unit:
        row = unit.edits.row(link.event_id)
    return (row or {}).get("public_id") or ""


def _connections(run: Run, link: LinkRecord) -> list[str]:
    with run.store.read() as unit:
        using = unit.connections.of_account(run.account.id)
    return [connection.public_id for connection in using if connection.owner_id in link.people]
