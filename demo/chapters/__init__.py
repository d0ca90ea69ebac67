"""The stories `--once` can tell: lists of steps, each a check with a name that stays the same for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One check: `act` returns a short detail, or raises with what was seen instead.

    :param essential: what comes after stands on it.
    """

    name: str
    act: Callable[[], str | None]
    essential: bool = False
