"""Occurrences of a series as rows, for providers that keep only masters and overrides."""

from __future__ import annotations

from collections.abc import Collection

from ..domain.model import Kind, Row
from ..domain.recurrence import occurrences
from ..domain.rows import rules_of, when_of
from ..domain.when import Span, instant, wall_at


def occurrence_row(master: Row, key: str) -> Row | None:
    """Return the unedited occurrence of `key` as a row, or None if the series has none then."""
    start = _instant(key)
    if start is None or not master["rules"]:
        return None
    for one in occurrences(when_of(master), rules_of(master), Span(start, start + 1)):
        if one.recurrence_key == key:
            return _moved(master, key, one.span)
    return None


def _instant(key: str) -> int | None:
    wall = f"{key[:4]}-{key[4:6]}-{key[6:8]}" + (f"T{key[9:11]}:{key[11:13]}:{key[13:15]}" if len(key) == 16 else "")
    try:
        return instant(wall, "UTC")
    except ValueError:
        return None


def _moved(master: Row, key: str, span: Span) -> Row:
    start_zone, end_zone = master["start_zone"], master["end_zone"] or master["start_zone"]
    size = 10 if master["all_day"] else 19
    return {
        **master,
        "kind": str(Kind.OVERRIDE),
        "recurrence_key": key,
        "rules": "",
        "start_wall": wall_at(span.start, start_zone)[:size],
        "end_wall": wall_at(span.end, end_zone)[:size],
        "start_at": span.start,
        "end_at": span.end,
    }


def span_rows(rows: list[Row], span: Span) -> list[Row]:
    """Return the rows that touch `span`: events inside it, and series that do, with everything that hangs on them."""
    series = {row["object_id"] for row in rows if row["kind"] == Kind.MASTER and instances(row, span)}
    return [row for row in rows if row["object_id"] in series or instances(row, span)]


def instances(row: Row, span: Span, edited: Collection[str] = ()) -> list[Span]:
    """Return when the row fills `span`.

    :param edited: recurrence keys of a series that have rows of their own and count there.
    """
    if row["kind"] == Kind.MASTER:
        found = occurrences(when_of(row), rules_of(row), span)
        return [one.span for one in found if one.recurrence_key not in edited]
    own = Span(row["start_at"], row["end_at"])
    return [own] if own.overlaps(span) else []


def busy_spans(rows: list[Row], span: Span) -> list[Span]:
    """Return the busy spans of a calendar's rows inside `span`, cut at its ends, by start."""
    edited: dict[str, set[str]] = {}
    for row in rows:
        edited.setdefault(row["object_id"], set()).add(row["recurrence_key"])
    busy = (row for row in rows if row["kind"] != Kind.GAP and row["show_as"] != "free")
    found = {one for row in busy for one in instances(row, span, edited[row["object_id"]])}
    return [Span(max(one.start, span.start), min(one.end, span.end)) for one in sorted(found)]
