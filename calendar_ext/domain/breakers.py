"""What stops a run until a person has looked (decisions.md section 8; trust.md R-03, R-06)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from ..limits import Limits

_DEFAULT = Limits()


def deletions_allowed(count: int, total: int, *, from_listing: bool, limits: Limits = _DEFAULT) -> bool:
    """Return whether a run may delete `count` of `total` linked or stored events without being asked about.

    :param from_listing: the deletions were concluded from a listing that no longer names the events; then all of them
        at once is too many, however few they are.
    """
    if count <= 0:
        return True
    if from_listing and count >= total:
        return False
    return count <= limits.deletions_most and count <= max(limits.deletions_floor, limits.deletions_share * total)


def notifications_allowed(count: int, limits: Limits = _DEFAULT) -> bool:
    """Return whether a run may let `count` people be notified."""
    return count <= limits.notified_per_run


def suspicious_listing(seen: int, known: int) -> bool:
    """Return whether a full listing is to be suspected and not obeyed: it names nothing where there was something."""
    return seen == 0 and known > 0


def ping_pong(writes: Iterable[int], limits: Limits = _DEFAULT, *, edited_at: int | None = None) -> bool:
    """Return whether one event is written to and fro: too many writes of ours within the window.

    :param writes: instants of the engine's writes to the event.
    :param edited_at: when a person last edited it; writes up to then are what people wanted.
    """
    times = sorted(writes)
    if edited_at is not None:
        times = times[bisect_right(times, edited_at) :]
    most = limits.writes_per_event
    return any(late - early <= limits.writes_window_seconds for early, late in zip(times, times[most:], strict=False))
