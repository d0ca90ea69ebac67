"""Hook implementations that never raise: one that does ends the host's whole call, and with it the host's save."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from .contract import OperationResult
from .hookspecs import hookimpl

log = logging.getLogger(__name__)

BROKEN = OperationResult(False, "", "Calendar could not do this. Nothing was changed; the server's log says more.")


def guarded(answer: Callable[[], Any] = lambda: None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a hook implementation that gives `answer()` where its body fails.

    What went wrong is counted in the object's `hook_errors` and logged by its class alone: a message may quote content.
    """

    def wrap(body: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(body)
        def implementation(self: Any, *arguments: Any, **named: Any) -> Any:
            try:
                return body(self, *arguments, **named)
            except Exception as error:
                self.hook_errors += 1
                log.error("The hook %s failed: %s.", body.__name__, type(error).__name__)
                return answer()

        return hookimpl(implementation)

    return wrap


def broken() -> OperationResult:
    """Return the answer of a marketplace button whose operation failed in a way nobody foresaw."""
    return BROKEN
