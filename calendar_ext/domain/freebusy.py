"""Busy time from occurrences: which count, and overlapping ones made one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from .when import Span, instant

#: Bits of `occurrence.flags`, so that neither the sweep nor a page has to join the event.
ALL_DAY, FREE, PRIVATE, DECLINED, TENTATIVE, AWAY = 1, 2, 4, 8, 16, 32

#: Dates are shown at 00:00 UTC; somewhere on earth they begin 14 h earlier and end 14 h later.
_WIDEST = 14 * 3600


def busy_spans(
    occurrences: Iterable[tuple[int, int, int]],
    window: Span,
    *,
    zone: str = "",
    all_day_blocks: bool = True,
    tentative_blocks: bool = True,
) -> list[Span]:
    """Return the busy time within `window`, ascending, merged and cut to it.

    :param occurrences: `(start_at, end_at, flags)` as the `occurrence` table holds them; all-day ones at 00:00 UTC.
    :param zone: whose days all-day events are: they begin and end at its midnights.
    :param all_day_blocks: whether all-day events that are busy take time at all.
    """
    ignored = FREE | DECLINED | (0 if all_day_blocks else ALL_DAY) | (0 if tentative_blocks else TENTATIVE)
    found = [
        _days(start, end, zone) if flags & ALL_DAY else (start, end)
        for start, end, flags in occurrences
        if not flags & ignored
    ]
    return [
        Span(max(start, window.start), min(end, window.end))
        for start, end in merged(found)
        if _touches(start, end, window)
    ]


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans as few as possible, ascending; touching ones become one, empty ones vanish."""
    found: list[tuple[int, int]] = []
    begin = end = None
    for start, stop in sorted(spans):
        if stop <= start:
            continue
        if end is None or start > end:
            if begin is not None and end is not None:
                found.append((begin, end))
            begin, end = start, stop
        elif stop > end:
            end = stop
    if begin is not None and end is not None:
        found.append((begin, end))
    return found


def widened(window: Span) -> Span:
    """Return the window all-day occurrences must be looked for in, wherever their dates are."""
    return Span(window.start - _WIDEST, window.end + _WIDEST)


def _days(start: int, end: int, zone: str) -> tuple[int, int]:
    return _midnight(start, zone), _midnight(end, zone)


def _midnight(at: int, zone: str) -> int:
    return instant(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}T00:00:00", zone)


def _touches(start: int, end: int, window: Span) -> bool:
    return start < window.end and end > window.start
