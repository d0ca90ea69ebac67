"""How much work a call is, in executed lines and loop turns: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def steps_of(call: Callable[[], Any]) -> tuple[int, Any]:
    """Return `(lines executed, what the call returned)`."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = call()
    finally:
        sys.settrace(before)
    return count, result
