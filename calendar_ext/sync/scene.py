"""Everything one decision about a link looks at, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.model import Event, Kind, Row, Status
from ..domain.reconcile import Base, Decision, decide
from ..domain.rows import event_of
from .copies import outgoing
from .ports.content import CalendarRecord
from .ports.plan import AppointmentRecord, LinkRecord, OperationRecord
from .ports.store import UnitOfWork

_DIRECTIONS = {"both": "both", "to_provider": "push", "to_host": "pull", "busy": "pull"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One link with both its sides."""

    link: LinkRecord
    appointment: AppointmentRecord
    calendar: CalendarRecord
    row: Row | None
    waiting: tuple[OperationRecord, ...]

    @property
    def local(self) -> Event | None:
        """Return what the host says, as it is to stand in this calendar; None where it is over."""
        if self.appointment.state == "cancelled" or self.appointment.event is None:
            return None
        return outgoing(self.appointment, self.link)

    @property
    def remote(self) -> Event | None:
        """Return what the calendar says; None where the event is gone."""
        row = self.row
        if row is None or row["deleted_at"] is not None or row["kind"] == Kind.GAP:
            return None
        return event_of(row) if row["status"] != Status.CANCELLED else None

    @property
    def base(self) -> Base | None:
        """Return what both sides agreed on last."""
        return self.link.base

    def decide(self) -> Decision:
        """Return what is to be done; somebody else's meeting and a calendar that can only be read are never written."""
        row = self.row or {}
        direction = _DIRECTIONS.get(self.link.direction, "both")
        if self.calendar.access != "write" or not row.get("is_organizer", True):
            direction = "pull"
        return decide(
            self.base,
            self.local,
            self.remote,
            local_at=self.appointment.seen_at * 1000,
            remote_at=row.get("remote_updated"),
            direction=direction,
        )


def look(unit: UnitOfWork, link_id: int) -> Scene | None:
    """Return a live link with both its sides; None where it has ended."""
    link = unit.links.get(link_id)
    if link is None or link.state != "live":
        return None
    appointment, calendar = unit.appointments.get(link.appointment_id), unit.calendars.get(link.calendar_id)
    if appointment is None or calendar is None:
        return None
    if link.event_id is not None:
        row = unit.edits.row(link.event_id)
    else:
        row = unit.edits.by_remote(calendar.id, link.planned_remote_id) if link.planned_remote_id else None
    return Scene(link, appointment, calendar, row, tuple(unit.operations.open_for(link_id=link.id)))
