"""A rest for the collector of cyclic garbage while a page is taken apart."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Make many plain objects at once without being stopped to look for cycles among them: they hold none.

    A page of 2,500 events is fifteen thousand dictionaries that live for some milliseconds. Made with the collector on
    they bring about full passes over everything the host has in memory: a fifth of a first synchronization's time.
    Never held over a request or a statement; a host that switched the collector off finds it off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
