"""The form in which two versions of a field are compared: what a provider may rewrite without anybody having edited."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from html import unescape

from .model import Attendee, Visibility
from .when import is_zone, recurrence_key
from .zones import canonical_zone

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>|<!--.*?-->", re.DOTALL)
_INLINE = re.compile(r"(a|abbr|b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u)", re.IGNORECASE)
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_IMPLIED = {("INTERVAL", "1"), ("WKST", "MO")}


def line(text: str) -> str:
    """Return a one-line text with its runs of whitespace made one blank and its characters composed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    return " ".join(text.split())


def prose(text: str) -> str:
    """Return a description as the words in it: no markup, entities resolved, whitespace as in `line`."""
    if "<" in text:
        text = _TAG.sub(lambda tag: "" if _INLINE.fullmatch(tag[2] or "") else " ", text)
    if "&" in text:
        text = unescape(text)
    return line(text)


def visibility(value: str) -> str:
    """Return `open` or `private`: what is neither the default nor public is private (trust.md T-42)."""
    return "open" if value in (Visibility.DEFAULT, Visibility.PUBLIC) else "private"


def guests(attendees: Iterable[Attendee]) -> tuple[str, ...]:
    """Return who is invited. Answers, names, the organiser and oneself are left out: nobody edits them here."""
    return tuple(
        sorted(
            f"{guest.key}?" if guest.role == "optional" else guest.key
            for guest in attendees
            if not (guest.organizer or guest.is_self)
        )
    )


@lru_cache(maxsize=16384)
def rules(text: str, zone: str, all_day: bool) -> str:
    """Return recurrence lines with parts, values and lines in one order, and every date as an instant.

    :param text: lines joined by newlines.
    :param zone: of the series; times without a zone of their own are read in it.
    :param all_day: the series is one of dates, and so is every time in its lines.
    """
    found: dict[str, set[str]] = {}
    for one in text.split("\n"):
        head, _, value = one.strip().partition(":")
        name, *params = head.upper().split(";")
        values = [_rule(value)] if name.endswith("RULE") else _dates(value, _zone(head, params, zone), all_day)
        found.setdefault(name, set()).update(values)
    return "\n".join(f"{name}:{','.join(sorted(values))}" for name, values in sorted(found.items()) if name)


def _zone(head: str, params: list[str], zone: str) -> str:
    for given, upper in zip(head.split(";")[1:], params, strict=True):
        if upper.startswith("TZID=") and is_zone(given[5:].strip('"')):
            return given[5:].strip('"')
    return zone


def _rule(value: str) -> str:
    parts = {}
    for part in value.upper().replace(" ", "").split(";"):
        name, _, text = part.partition("=")
        if text and (name, text) not in _IMPLIED:
            parts[name] = ",".join(sorted({item.lstrip("+") for item in text.split(",")}))
    return ";".join(f"{name}={parts[name]}" for name in sorted(parts))


def _dates(value: str, zone: str, all_day: bool) -> list[str]:
    items = (item.strip().upper() for item in value.split(","))
    return [item[:8] if all_day else _date(item, zone) for item in items if item]


def _date(text: str, zone: str) -> str:
    start, slash, rest = text.partition("/")
    if len(start) != 15:
        return text
    wall = f"{start[:4]}-{start[4:6]}-{start[6:8]}T{start[9:11]}:{start[11:13]}:{start[13:]}"
    try:
        return recurrence_key(wall, zone) + slash + rest
    except ValueError:
        return text


def place(zone: str) -> str:
    """Return the name a zone is compared by."""
    return canonical_zone(zone)
