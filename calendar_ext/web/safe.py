"""Addresses that came from outside: where to go next, and what may become a link (trust.md T-08, T-33)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_NEXT = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*\Z")
_LINK = re.compile(r"https?://[^\x00-\x20\x7f\"'<>\\^`{|}@]+\Z", re.IGNORECASE)
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})|%(0[0-9A-Fa-f]|1[0-9A-Fa-f]|2[Ff]|5[Cc]|7[Ff])", re.IGNORECASE)
MOST_NEXT, MOST_LINK = 512, 2_048


def safe_next(address: str | None, default: str) -> str:
    """Return `address` if it leads to a page of this very site, else `default`."""
    text = address or ""
    if len(text) > MOST_NEXT or not _NEXT.match(text):
        return default
    path = text.partition("?")[0]
    if "//" in path or "/.." in path or "/./" in path or _ENCODED.search(path):
        return default
    parts = urlsplit(text)
    return default if parts.scheme or parts.netloc else text


def safe_url(address: str | None) -> str:
    """Return `address` if it may become the `href` of a link to another site, else ''."""
    text = address or ""
    if len(text) > MOST_LINK or not text.isascii() or not _LINK.match(text):
        return ""
    try:
        parts = urlsplit(text)
        return text if parts.hostname and (parts.port is None or 0 < parts.port < 65_536) else ""
    except ValueError:
        return ""
