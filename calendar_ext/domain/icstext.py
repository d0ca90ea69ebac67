"""Foreign iCalendar text into components, under the bounds of trust.md T-30. Knows lines and blocks, not their meaning.

A component that is broken, too large or too deep is marked and passed on: it never costs its neighbours.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from icalendar.parser import Parameters

from ..errors import Refused
from ..limits import Limits

_BREAK = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PROSE = ("DESCRIPTION", "SUMMARY", "LOCATION", "COMMENT", "X-ALT-DESC")
_TOP_LEVEL = frozenset(("VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE"))


class Line(NamedTuple):
    """One property. Parameter names are upper case, several values of one are joined by commas."""

    name: str
    params: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """Return a TEXT value as people wrote it (RFC 5545 section 3.3.11)."""
        value = self.value
        if self.params.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
            raw = quopri.decodestring(value.encode("utf-8", "replace"))
            value = decoded(raw, self.params.get("CHARSET", "utf-8"))
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value) if "\\" in value else value


@dataclass(slots=True)
class Block:
    """One component with its properties as unfolded text, those of its own children included.

    `problem` says why it cannot be read; `dropped` names properties that were too long.
    """

    kind: str
    lines: list[str] = field(default_factory=list)
    problem: str = ""
    dropped: list[str] = field(default_factory=list)
    size: int = 0

    def own(self) -> Iterator[Line]:
        """Return the properties of the component itself."""
        return (line for child, line in self.flat() if not child)

    def flat(self) -> Iterator[tuple[str, Line]]:
        """Yield `(name of the child, property)`; the name is '' for the component's own."""
        inside: list[str] = []
        for raw in self.lines:
            line = parsed(raw)
            if line is None:
                continue
            if line.name == "BEGIN":
                inside.append(line.value.strip().upper())
                yield inside[-1], line
            elif line.name == "END":
                inside = inside[:-1]
            else:
                yield inside[-1] if inside else "", line


def decoded(data: bytes, charset: str = "utf-8") -> str:
    """Return bytes as text: by their byte-order mark, else `charset`, else as Windows wrote them."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        return data.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return data.decode("cp1252", "replace")


def components(text: str, limits: Limits) -> Iterator[Block | Line]:
    """Yield the components of every VCALENDAR in the text, and the properties of the calendars themselves, in order.

    Events that stand alone, without a VCALENDAR around them, are taken too.

    :raises Refused: there is neither in it.
    """
    state = _Scan(limits)
    for raw in _unfolded(text):
        yield from state.take(raw)
    yield from state.end()
    if not state.known:
        raise Refused("This is not a calendar file. Export your calendar as .ics and choose that file.")


class _Scan:
    """Where we are in the text: the open components, and the one being collected."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        #: Whether anything of a calendar was seen.
        self.known = False
        self._open: list[str] = []
        self._block: Block | None = None

    def take(self, raw: str) -> Iterator[Block | Line]:
        """Take the next unfolded line; yield what is complete with it."""
        name, _, value = raw[:64].partition(":")
        word = name.strip().upper()
        if word == "BEGIN":
            yield from self._begin(value.strip().upper(), raw)
        elif word == "END":
            yield from self._end(value.strip().upper(), raw)
        elif self._block is not None:
            self._keep(raw)
        elif self._open:
            line = parsed(raw) if len(raw) <= self.limits.ics_line_bytes else None
            if line:
                yield line

    def end(self) -> Iterator[Block]:
        """Yield what was still open when the text ended."""
        yield from self._cut_off()

    def _begin(self, kind: str, raw: str) -> Iterator[Block]:
        if kind == "VCALENDAR":
            yield from self._cut_off()
            self.known = True
            self._open = [kind]
        elif kind in _TOP_LEVEL and (self._block is None or kind == self._block.kind):
            yield from self._cut_off()
            self._open = [*self._open[:1], kind]
            self._block = Block(kind)
            self.known = True
        else:
            self._open.append(kind)
            if self._block is not None:
                self._keep(raw)
                if len(self._open) > self.limits.ics_nesting:
                    self._block.problem = "it is nested too deep"

    def _end(self, kind: str, raw: str) -> Iterator[Block]:
        block = self._block
        if block is not None and kind == block.kind:
            self._block, self._open = None, self._open[:1]
            yield block
        elif block is not None and kind == "VCALENDAR":
            yield from self._cut_off()
            self._open = []
        elif kind in self._open:
            del self._open[-1:]
            if block is not None:
                self._keep(raw)

    def _cut_off(self) -> Iterator[Block]:
        if self._block is not None:
            self._block.problem = self._block.problem or "it is cut off"
            yield self._block
        self._block = None

    def _keep(self, raw: str) -> None:
        block = self._block
        if block is None or (block.problem and block.size > self.limits.ics_object_bytes):
            return
        block.size += len(raw)
        if block.size > self.limits.ics_object_bytes:
            block.problem = "it is too large"
        elif len(raw) > self.limits.ics_line_bytes:
            block.dropped.append(re.split("[:;]", raw[:64], maxsplit=1)[0].upper())
        elif _NAME.match(raw):
            block.lines.append(raw)
        elif block.lines and block.lines[-1].upper().startswith(_PROSE):
            # A line break that was not escaped: what follows belongs to the text before.
            block.lines[-1] += "\\n" + raw


def _unfolded(text: str) -> Iterator[str]:
    parts: list[str] = []
    for raw in _BREAK.split(text):
        if not raw:
            continue
        if raw[0] in " \t" and parts:
            parts.append(raw[1:])
            continue
        if parts:
            yield "".join(parts)
        parts = [raw]
    if parts:
        yield "".join(parts)


def parsed(raw: str) -> Line | None:
    """Return one content line (RFC 5545 section 3.1), or None if it is none."""
    match = _NAME.match(raw.lstrip())
    if not match:
        return None
    raw, name = raw.lstrip(), match[0].upper()
    if raw[len(name)] == ":":
        return Line(name, {}, raw[len(name) + 1 :])
    quoted = False
    for place in range(len(name) + 1, len(raw)):
        character = raw[place]
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return Line(name, _params(raw[len(name) + 1 : place]), raw[place + 1 :])
    # A quote that is never closed: the first colon will have to do.
    head, colon, value = raw[len(name) + 1 :].partition(":")
    return Line(name, _params(head), value) if colon else None


def _params(text: str) -> dict[str, str]:
    try:
        found = Parameters.from_ical(text)
    except ValueError:
        pairs = (part.partition("=") for part in text.split(";"))
        return {name.strip().upper(): value.strip().strip('"') for name, _, value in pairs}
    return {name.upper(): ",".join(value) if isinstance(value, list) else str(value) for name, value in found.items()}
