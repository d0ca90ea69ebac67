"""Tables of names, written as people read them."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text; for tables too long to quote every name."""
    return tuple(text.split())
