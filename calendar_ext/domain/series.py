"""A series master with its overrides and gaps into what is shown: rows of the `event` table in, instances out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..limits import Limits
from .model import Kind, Row, Status
from .recurrence import key_of, series
from .rows import rules_of, when_of
from .stamps import wall_seconds
from .when import Span, instant

_DEFAULT = Limits()
#: Years 1 to 9999.
ALWAYS = Span(-62_135_596_800, 253_402_300_800)


class Instance(NamedTuple):
    """One thing to show, and the row it comes from: the master of a plain occurrence, or its override.

    `original` is the start the rule gave it, by which an override finds its place; dates count as UTC.
    """

    start: int
    end: int
    original: int
    row: Row

    @property
    def span(self) -> Span:
        """Return when it is."""
        return Span(self.start, self.end)

    @property
    def recurrence_key(self) -> str:
        """Return the key of the occurrence, `''` for a single event."""
        if self.row["kind"] == Kind.MASTER:
            return key_of(self.original, all_day=bool(self.row["all_day"]))
        return self.row.get("recurrence_key") or ""


def expand(
    master: Row | None,
    overrides: Iterable[Row] = (),
    window: Span = ALWAYS,
    limits: Limits = _DEFAULT,
) -> list[Instance]:
    """Return what one event shows within `window`, by start.

    :param master: a series master or a single event; None while it has not come: its overrides are shown all the same.
    :param overrides: rows of kind `override`, `gap` or `anchor` of that object. An override stands in for the
        occurrence of its key wherever it has been moved to, a gap removes it, an anchor changes nothing. An EXDATE of
        the master outranks its override.
    """
    if master is not None and master.get("status") == Status.CANCELLED:
        return []
    rules = rules_of(master) if master else ()
    known = series(when_of(master), rules, limits) if master and rules else None
    replaced: set[int] = set()
    shown: list[Instance] = []
    for row in overrides:
        if row["kind"] == Kind.ANCHOR:
            continue
        original = original_start(row["recurrence_key"], master)
        replaced.add(original)
        if not _is_gone(row) and overlaps(row, window) and not (known and known.strikes(original)):
            shown.append(Instance(row["start_at"], row["end_at"], original, row))
    if master and not known and overlaps(master, window):
        shown.append(Instance(master["start_at"], master["end_at"], master["start_at"], master))
    if master is None or known is None:
        return sorted(shown, key=_by_start)
    plain = [Instance(start, end, start, master) for start, end in known.spans(window) if start not in replaced]
    return sorted(plain + shown, key=_by_start) if shown else plain


def _is_gone(row: Row) -> bool:
    return bool(row["kind"] == Kind.GAP or row.get("status") == Status.CANCELLED)


def expand_object(rows: Sequence[Row], window: Span, limits: Limits = _DEFAULT) -> list[Instance]:
    """Return what all rows of one object show: `expand` with the master found among them."""
    masters = [row for row in rows if not row.get("recurrence_key")]
    return expand(masters[0] if masters else None, [row for row in rows if row.get("recurrence_key")], window, limits)


def overlaps(row: Row, window: Span) -> bool:
    """Return whether the row's own time touches the window; an event without length does where it stands."""
    start, end = row["start_at"], row["end_at"]
    return bool(start < window.end and (end > window.start or start >= window.start))


def original_start(recurrence_key: str, master: Row | None) -> int:
    """Return the instant a recurrence key names, as the expansion of `master` would give it.

    A date as key of a timed series means its occurrence on that day (some CalDAV clients write it so).
    """
    date = f"{recurrence_key[:4]}-{recurrence_key[4:6]}-{recurrence_key[6:8]}"
    if len(recurrence_key) > 8 and not (master and master["all_day"]):
        time = recurrence_key[9:15]
        return wall_seconds(f"{date}T{time[:2]}:{time[2:4]}:{time[4:]}")
    if master is None or master["all_day"]:
        return wall_seconds(date)
    return instant(date + master["start_wall"][10:], master.get("start_zone") or "")


def _by_start(instance: Instance) -> tuple[int, int]:
    return instance.start, instance.original
