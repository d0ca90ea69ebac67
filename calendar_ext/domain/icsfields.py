"""One VEVENT into one row: its properties one by one, in the dialects of the products that write them."""

from __future__ import annotations

import json
from hashlib import blake2b

from ..limits import Limits
from .icsproperties import Found
from .icstext import Block, Line
from .icstimes import TimeReader
from .icszones import FileZones
from .model import Attendee, Event, Response, Row, ShowAs, Status, Visibility
from .recurrence import judge
from .rows import row_of
from .stamps import Unreadable
from .when import When

_ANSWERS = {
    "ACCEPTED": Response.ACCEPTED,
    "TENTATIVE": Response.TENTATIVE,
    "DECLINED": Response.DECLINED,
    "DELEGATED": Response.DECLINED,
}
#: What Outlook and Exchange know beyond TRANSP.
_BUSY = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "OOF": ShowAs.AWAY,
    "WORKINGELSEWHERE": ShowAs.ELSEWHERE,
    "BUSY": ShowAs.BUSY,
}
_STATUS = {"CANCELLED": Status.CANCELLED, "TENTATIVE": Status.TENTATIVE}
_ROLES = {"OPT-PARTICIPANT": "optional", "NON-PARTICIPANT": "optional"}
_CLASSES = {"": Visibility.DEFAULT, "PUBLIC": Visibility.PUBLIC}
#: How the names of properties end that hold the address of an online meeting, whosever product wrote them.
_ONLINE = ("-CONFERENCE", "MEETINGURL", "MEETINGCONFLINK")
_BUSY_STATUS = "-CDO-BUSYSTATUS"


class EventReader:
    """Reads the events of one file, whose zones it knows."""

    def __init__(self, zones: FileZones, limits: Limits) -> None:
        self.times = TimeReader(zones)
        self._limits = limits

    def row(self, block: Block, found: Found) -> Row:
        """Return the row of a VEVENT; what was understood only in part is added to `found.notes`.

        :raises Unreadable: it cannot be shown at all; the message is the reason.
        """
        if block.problem:
            raise Unreadable(block.problem)
        found.notes += [f"{name} is too long and was left out" for name in block.dropped]
        when = self.times.when(found)
        uid = found.text("UID").strip() or _uid_of(block)
        key = self.times.key(found)
        rules = () if key else self.times.rules(found, when)
        row = row_of(self._event(found, when, uid, rules), recurrence_key=key)
        verdict = judge(rules, when, self._limits)
        if verdict.state != "ok":
            found.notes.append(f"its repetition is not followed as written: {verdict.reason}")
        return row | self._identity(found, uid) | {"rules_state": verdict.state}

    def _event(self, found: Found, when: When, uid: str, rules: tuple[str, ...]) -> Event:
        return Event(
            when=when,
            title=self._cut(found, "SUMMARY", self._limits.title_length),
            description=self._cut(found, "DESCRIPTION", self._limits.description_length),
            location=self._cut(found, "LOCATION", self._limits.location_length),
            status=_STATUS.get(found.word("STATUS"), Status.CONFIRMED),
            show_as=_show_as(found),
            visibility=_CLASSES.get(found.word("CLASS"), Visibility.PRIVATE),
            rules=rules,
            attendees=self._attendees(found),
            uid=uid,
        )

    def _identity(self, found: Found, uid: str) -> Row:
        organizer = _address(found.one["ORGANIZER"]) if "ORGANIZER" in found.one else ""
        links = [found.text("CONFERENCE"), *(found.text(name) for name in found.named(*_ONLINE))]
        link = next((link.strip() for link in links if link.strip().lower().startswith("https://")), "")
        return {
            "object_id": uid,
            "remote_id": "",
            "etag": "",
            "sequence": _number(found.word("SEQUENCE")),
            "remote_updated": self.times.updated(found),
            "colour": "",
            "organizer": organizer,
            "is_organizer": not organizer or not found.many["ATTENDEE"],
            "event_type": "",
            "online_url": link[: self._limits.url_length],
            "online_state": "",
            "extra": _extra(found),
        }

    def _cut(self, found: Found, name: str, most: int) -> str:
        text = found.text(name)
        if len(text) > most:
            found.notes.append(f"{name} was shortened to {most} characters")
        return text[:most]

    def _attendees(self, found: Found) -> tuple[Attendee, ...]:
        lines = found.many["ATTENDEE"]
        if len(lines) > self._limits.attendees:
            raise Unreadable(f"it has more than {self._limits.attendees} guests")
        organizer = _address(found.one["ORGANIZER"]) if "ORGANIZER" in found.one else ""
        guests: dict[str, Attendee] = {}
        for line in lines:
            guest = _attendee(line, organizer)
            if guest.email:
                guests.setdefault(guest.key, guest)
        return tuple(guests.values())


def _uid_of(block: Block) -> str:
    """A UID made of all the event says: the same whenever the file is read again."""
    return f"{blake2b('|'.join(block.lines).encode('utf-8', 'replace'), digest_size=12).hexdigest()}@no-uid"


def _extra(found: Found) -> str:
    unknown = any("time zone" in note for note in found.notes)
    return json.dumps({"tzid": found.one["DTSTART"].params.get("TZID", "")}) if unknown else ""


def _show_as(found: Found) -> ShowAs:
    for name in found.named(_BUSY_STATUS):
        if _BUSY.get(found.word(name), ShowAs.BUSY) != ShowAs.BUSY:
            return _BUSY[found.word(name)]
    return ShowAs.FREE if found.word("TRANSP") == "TRANSPARENT" else ShowAs.BUSY


def _attendee(line: Line, organizer: str) -> Attendee:
    params, email = line.params, _address(line)
    role = _ROLES.get(params.get("ROLE", "").upper(), "required")
    if params.get("CUTYPE", "").upper() in ("ROOM", "RESOURCE"):
        role = "resource"
    answer = _ANSWERS.get(params.get("PARTSTAT", "").upper(), Response.NONE)
    name = params.get("CN", "").strip()[:255]
    organizes = bool(organizer) and email.casefold() == organizer.casefold()
    return Attendee(email, name, str(answer), role, organizer=organizes)


def _address(line: Line) -> str:
    value = line.value.strip()
    address = value[7:] if value.lower().startswith("mailto:") else line.params.get("EMAIL", value)
    return address.strip()[:320] if "@" in address else ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
