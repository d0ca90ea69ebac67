"""Rows and records into the values pages are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ..domain.model import Row
from ..domain.privacy import View
from ..domain.recurrence import key_of
from ..domain.when import When
from ..sync.ports.people import SourceRecord, UnsyncedRecord
from .views import Alone, Item, Lost, Source, day_of, local


def item_of(view: View, row: Row, calendar: str, zone: str) -> Item:
    """Return one occurrence: what may be seen from `view`, where it lies and what it is from `row`."""
    begins, ends = row["occurs_at"], row["occurs_until"]
    first, last = _days(row, zone)
    timed = not row["all_day"]
    return Item(
        event=row["public_id"],
        at=_key(row),
        calendar=calendar,
        title=view.title,
        first=first,
        last=last,
        start=local(begins, zone) if timed else None,
        end=local(ends, zone) if timed else None,
        location=view.location,
        show_as=view.show_as,
        status=view.status,
        response=row["response"],
        private=view.private,
        repeats=row["kind"] != "single",
        waits=bool(row["pending"]),
        conflict=bool(row.get("conflicted")),
        linked=row.get("link") is not None,
        colour=row["colour"],
    )


def _days(row: Row, zone: str) -> tuple[date, date]:
    begins, ends = row["occurs_at"], row["occurs_until"]
    if row["all_day"]:
        first = day_of(begins)
        return first, max(first, day_of(ends) - timedelta(days=1))
    first = local(begins, zone).date()
    # What ends at midnight is not part of the next day; what has no length is where it stands.
    return first, max(first, local(max(begins, ends - 1), zone).date())


def _key(row: Row) -> str:
    if row["kind"] == "master":
        return key_of(row["occurs_at"], all_day=bool(row["all_day"]))
    return row["recurrence_key"] or ""


def source_of(source: SourceRecord) -> Source:
    """Return a calendar as the page lists it."""
    return Source(
        calendar=source.public_id,
        name=source.name,
        connection=source.connection,
        provider=source.provider,
        email=source.email,
        colour=source.colour,
        shown=source.shown,
        writable=source.access == "write",
        writes=source.writes,
    )


def lost_of(loss: Mapping[str, Any], zone: str) -> Lost:
    """Return a conflict with both values as texts."""
    return Lost(
        field=loss["field"],
        ours=loss["ours"],
        theirs=loss["theirs"],
        winner=loss["winner"],
        at=local(loss["at"], zone),
        open=loss["state"] == "open",
    )


def alone_of(record: UnsyncedRecord, zone: str) -> Alone:
    """Return a host record as the Activities panel shows it."""
    content = record.content
    when = When(**content["when"]) if content.get("when") else None
    start: Any = None
    end: Any = None
    if when is not None and when.all_day:
        start, end = date.fromisoformat(when.start_wall), date.fromisoformat(when.end_wall)
    elif when is not None:
        start, end = local(when.span.start, zone), local(when.span.end, zone)
    return Alone(
        kind=record.kind,
        ref=record.ref,
        title=content.get("title") or "",
        start=start,
        end=end,
        reason=record.reason,
        reason_text=record.reason_text,
        url=content.get("url") or "",
    )
