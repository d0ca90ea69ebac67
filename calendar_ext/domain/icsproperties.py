"""The properties of one component, collected: what may come once, and what may come often."""

from __future__ import annotations

from dataclasses import dataclass, field

from .icstext import Block, Line

_MANY = ("RRULE", "EXRULE", "RDATE", "EXDATE", "ATTENDEE")


@dataclass(slots=True)
class Found:
    """The properties of one VEVENT, and what had to be said about it."""

    one: dict[str, Line]
    many: dict[str, list[Line]]
    notes: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a property's text, '' if it is missing."""
        line = self.one.get(name)
        return line.text if line else ""

    def named(self, *endings: str) -> list[str]:
        """Return the names of single properties that end so."""
        return [name for name in self.one if name.endswith(endings)]

    @property
    def is_all_day_master(self) -> bool:
        """Return whether this is a series of dates."""
        return "RECURRENCE-ID" not in self.one and bool(self.many["RRULE"]) and len(self.word("DTSTART")) == 8

    def word(self, name: str) -> str:
        """Return a property's value in capitals, '' if it is missing."""
        line = self.one.get(name)
        return line.value.strip().upper() if line else ""


def found_in(block: Block) -> Found:
    """Collect the properties of a component; of those that may come once, the first counts."""
    found = Found({}, {name: [] for name in _MANY})
    for line in block.own():
        if line.name in found.many:
            found.many[line.name].append(line)
        else:
            found.one.setdefault(line.name, line)
    return found


def name_of(found: Found) -> str:
    """Return what a person would call the event: its title, else its UID."""
    return " ".join(found.text("SUMMARY").split())[:200] or found.text("UID").strip()[:200] or "(no title)"
