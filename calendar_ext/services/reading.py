"""What a person sees of their calendars: some days, one event, what changed, and what is only in the host."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from ..contract import OwnerProfile
from ..domain.model import Row
from ..domain.privacy import View, Viewer, project
from ..domain.rows import rules_of
from ..domain.series import expand_object
from ..domain.when import Span
from ..errors import Gone
from ..limits import Limits
from ..providers.registry import Registry
from ..sync.ports.people import SourceRecord, UnsyncedRecord
from ..sync.ports.store import Store, UnitOfWork
from .drawing import alone_of, item_of, lost_of, source_of
from .views import DAY, SLACK, Agenda, Alone, Details, Item, News, Source, local, span_of

#: Occurrences stand in the table for the rolling window; the upper end is kept short of what housekeeping extends.
_STORED_AHEAD_DAYS = 365
_MOST_ITEMS = 3_000
_MOST_CANDIDATES = 5_000


class Reading:
    """Answers pages. Every question names its person; what is not theirs is `Gone`.

    :param clock: UTC seconds.
    """

    def __init__(self, *, store: Store, providers: Registry, limits: Limits, clock: Callable[[], float]) -> None:
        self._store, self._providers, self._limits, self._clock = store, providers, limits, clock

    def agenda(self, user: OwnerProfile, first: date, days: int) -> Agenda:
        """Return some days: two statements while they lie within the window of stored occurrences.

        Of a connection that only goes out, nothing is shown but what went out.
        """
        span = span_of(first, days, user.zone)
        with self._store.read() as unit:
            sources = unit.pages.sources(user.tenant_id, user.user_id)
            shown = [source for source in sources if source.shown]
            outward = {source.calendar_id for source in shown if source.direction == "to_provider"}
            rows = self._rows(unit, shown, span) if shown else []
        rows = self._named([row for row in rows if row["calendar_id"] not in outward or row.get("link")])
        names = {source.calendar_id: source.public_id for source in sources}
        items = [item_of(project(row, Viewer.OWNER), row, names[row["calendar_id"]], user.zone) for row in rows]
        within = [item for item in items if item.first <= _last(first, days) and item.last >= first]
        return Agenda(
            first=first,
            days=days,
            sources=tuple(source_of(source) for source in sources),
            items=tuple(within),
            cursor=_cursor(sources),
            cut=len(rows) >= _MOST_ITEMS,
        )

    def sources(self, user: OwnerProfile) -> list[SourceRecord]:
        """Return the calendars on a person's page."""
        with self._store.read() as unit:
            return unit.pages.sources(user.tenant_id, user.user_id)

    def _rows(self, unit: UnitOfWork, sources: Sequence[SourceRecord], span: Span) -> list[Row]:
        wide = Span(span.start - SLACK, span.end + SLACK)
        now = int(self._clock())
        stored = Span(now - self._limits.window_past_days * DAY, now + _STORED_AHEAD_DAYS * DAY)
        if stored.start <= wide.start and wide.end <= stored.end:
            return unit.pages.items(sources, wide.start, wide.end, _MOST_ITEMS)
        rows = unit.pages.candidates(sources, wide.start, wide.end, _MOST_CANDIDATES)
        return self._expanded(rows, wide)[:_MOST_ITEMS]

    def _expanded(self, rows: Iterable[Row], span: Span) -> list[Row]:
        objects: dict[tuple[int, str], list[Row]] = {}
        for row in rows:
            objects.setdefault((row["calendar_id"], row["object_id"]), []).append(row)
        found = [
            instance.row | {"occurs_at": instance.start, "occurs_until": instance.end}
            for parts in objects.values()
            for instance in expand_object(parts, span, self._limits)
        ]
        return sorted(found, key=lambda row: row["occurs_at"])

    def _named(self, rows: list[Row]) -> list[Row]:
        """Give events that were never on a page the id that stands in addresses."""
        unnamed = {row["id"] for row in rows if not row["public_id"]}
        if not unnamed:
            return rows
        with self._store.write() as unit:
            names = {event_id: unit.edits.public_id(event_id) for event_id in sorted(unnamed)}
        return [row | {"public_id": row["public_id"] or names[row["id"]]} for row in rows]

    def details(self, user: OwnerProfile, event: str, at: str = "") -> Details:
        """Return one event; with `at` the occurrence of a series that has this recurrence key.

        :raises Gone: it is not there, or not theirs.
        """
        with self._store.read() as unit:
            row = unit.pages.event(user.tenant_id, user.user_id, event)
            if row is None:
                raise Gone("This event is no longer there.")
            parts = unit.pages.overrides(row["calendar_id"], row["object_id"]) if row["kind"] == "master" else []
            losses = unit.pages.losses(row["id"])
        shown = self._occurrence(row, parts, at)
        view = project(shown, Viewer.OWNER)
        item = item_of(view, shown, row["source"].public_id, user.zone)
        return self._details(view, shown, replace(item, at=at or item.at), user, losses)

    def series(self, user: OwnerProfile, event: str) -> Details:
        """Return the whole series an event belongs to: of an edited occurrence its master.

        :raises Gone: it is not there, or not theirs.
        """
        with self._store.read() as unit:
            row = unit.pages.event(user.tenant_id, user.user_id, event)
            master = unit.pages.master(row["calendar_id"], row["object_id"]) if row else None
        if row is None or master is None:
            raise Gone("This series is no longer there.")
        whole = row | master | {"occurs_at": master["start_at"], "occurs_until": master["end_at"]}
        view = project(whole, Viewer.OWNER)
        return self._details(view, whole, item_of(view, whole, row["source"].public_id, user.zone), user, ())

    def writable(self, user: OwnerProfile) -> list[Source]:
        """Return the calendars a person may put new events into, the one that takes appointments first."""
        found = [source_of(source) for source in self.sources(user) if source.access == "write"]
        return sorted(found, key=lambda source: not source.writes)

    def _occurrence(self, row: Row, parts: Sequence[Row], at: str) -> Row:
        whole = row | {"occurs_at": row["start_at"], "occurs_until": row["end_at"]}
        if not at or row["kind"] != "master":
            return whole
        for instance in expand_object([row, *parts], _around(at), self._limits):
            if instance.recurrence_key == at:
                # An override brings its own content; where it lies and who may write there are the series'.
                return whole | instance.row | {"occurs_at": instance.start, "occurs_until": instance.end}
        raise Gone("This event is no longer there.")

    def _details(
        self, view: View, row: Row, item: Item, user: OwnerProfile, losses: Sequence[dict[str, Any]]
    ) -> Details:
        source: SourceRecord = row["source"]
        kind = self._providers.get(source.provider) if source.provider in self._providers else None
        return Details(
            item=item,
            source=source_of(source),
            description=view.description,
            zone=row["start_zone"],
            rules=rules_of(row),
            attendees=view.attendees,
            organizer=row.get("organizer") or "",
            is_organizer=row["is_organizer"],
            online_url=row["online_url"],
            provider_url=kind.event_url(row) if kind else "",
            host_url=row["host_content"].get("url") or "",
            quarantine=row["quarantine"] or "",
            losses=tuple(lost_of(loss, user.zone) for loss in losses),
            editable=source.access == "write" and row["is_organizer"] and row["event_type"] in ("", "default"),
        )

    def changes(self, user: OwnerProfile, since: str, known: str = "") -> News:
        """Return what changed since a cursor of `Agenda` or `News`.

        One statement where nothing did, or where `known` is the etag of now: then no event is read.
        """
        with self._store.read() as unit:
            sources = unit.pages.sources(user.tenant_id, user.user_id)
            cursor = _cursor(sources)
            etag = _etag(user, sources)
            older = _older(sources, since)
            if etag == known or not older:
                return News(cursor, etag)
            rows = unit.pages.changed(older, self._limits.changes_events + 1)
        names = {source.calendar_id: source.public_id for source in sources}
        kept = rows[: self._limits.changes_events]
        return News(cursor, etag, tuple(_change(row, names) for row in kept), cut=len(rows) > len(kept))

    def look(self, user: OwnerProfile) -> None:
        """Wake the accounts of somebody who has the page open, at most every `limits.open_page_wake_seconds`."""
        accounts = sorted(
            {source.account_id for source in self.sources(user) if source.status in ("active", "limited")}
        )
        if not accounts:
            return
        with self._store.write(only_active=True) as unit:
            for account_id in accounts:
                unit.wakes.add_page(account_id, self._limits.open_page_wake_seconds)

    def alone(self, user: OwnerProfile) -> list[Alone]:
        """Return a person's coming appointments that are in no calendar, soonest first."""
        with self._store.read() as unit:
            rows = unit.pages.unsynced(user.tenant_id, user.user_id, int(self._clock()), 200)
        return self._drawn(rows, user)

    def planned(self, user: OwnerProfile) -> list[Alone]:
        """Return a person's coming activities that have a time, soonest first."""
        with self._store.read() as unit:
            rows = unit.pages.planned(user.tenant_id, user.user_id, int(self._clock()), 50)
        return self._drawn(rows, user)

    def _drawn(self, rows: Iterable[UnsyncedRecord], user: OwnerProfile) -> list[Alone]:
        return [alone_of(row, user.zone) for row in rows]

    def refused(self, user: OwnerProfile, account_id: int) -> list[dict[str, Any]]:
        """Return what could not be synchronized, by name and reason."""
        with self._store.read() as unit:
            return unit.pages.refused(user.tenant_id, user.user_id, account_id, 200)

    def today(self, user: OwnerProfile) -> datetime:
        """Return now, in the person's zone."""
        return local(int(self._clock()), user.zone)


def _last(first: date, days: int) -> date:
    return date.fromordinal(first.toordinal() + days - 1)


def _cursor(sources: Iterable[SourceRecord]) -> str:
    return ",".join(f"{source.public_id}:{source.revision}" for source in sources)


def _etag(user: OwnerProfile, sources: Iterable[SourceRecord]) -> str:
    seen = [(s.public_id, s.revision, s.shown, s.name, s.colour, s.status, s.paused_by, s.direction) for s in sources]
    return hashlib.sha256(repr((user.tenant_id, user.user_id, seen)).encode()).hexdigest()[:32]


def _older(sources: Iterable[SourceRecord], since: str) -> dict[int, int]:
    """Return the calendars that moved on, with the revision they are known at; rubbish in a cursor knows nothing."""
    known = {}
    for part in since.split(","):
        name, _, revision = part.partition(":")
        if revision.isascii() and revision.isdigit() and len(revision) < 19:
            known[name] = int(revision)
    return {s.calendar_id: known[s.public_id] for s in sources if s.revision > known.get(s.public_id, s.revision)}


def _change(row: Row, names: dict[int, str]) -> dict[str, Any]:
    """Return one change as epoch integers; a deleted event says nothing but that."""
    change = {"event": row["public_id"] or "", "calendar": names[row["calendar_id"]]}
    if row["deleted_at"] is not None or row["status"] == "cancelled":
        return change | {"deleted": True}
    view = project(row, Viewer.OWNER)
    return change | {"title": view.title, "start": row["start_at"], "end": row["end_at"], "all_day": row["all_day"]}


def _around(at: str) -> Span:
    """Return a span that holds the occurrence of a recurrence key, wherever within half a year it was moved."""
    try:
        day = date(int(at[:4]), int(at[4:6]), int(at[6:8]))
    except ValueError:
        raise Gone("This event is no longer there.") from None
    middle = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY
    return Span(middle - 183 * DAY, middle + 183 * DAY)
