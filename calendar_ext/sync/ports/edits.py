"""Events as people edit them, and as the engine reads one by one what it wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from ...domain.model import Row


@dataclass(frozen=True, slots=True)
class EditTarget:
    """A calendar a person may look at, and the rights that count when they want to change it."""

    tenant_id: str
    account_id: int
    account_status: str
    account_email: str
    connection_id: int
    calendar_id: int
    calendar_name: str
    access: str
    collection_key: str
    time_zone: str
    provider: str


class Edits(Protocol):
    """Tables `event`, `calendar` and `calendar_person` as a person edits through them. A miss is None, never a row."""

    def calendar(self, tenant_id: str, owner_id: str, calendar_public_id: str) -> EditTarget | None:
        """Return a calendar of one of the person's connections."""

    def event(
        self, tenant_id: str, owner_id: str, event_public_id: str, *, lock: bool = False
    ) -> tuple[EditTarget, Row] | None:
        """Return a live event of the person's calendars as a row with `attendees`.

        :param lock: hold the row until the transaction ends.
        """

    def row(self, event_id: int) -> Row | None:
        """Return an event by its key, deleted ones included, with `attendees`."""

    def by_remote(self, calendar_id: int, remote_id: str) -> Row | None:
        """Return the event of a remote id, or whose object it is."""

    def override(self, calendar_id: int, object_id: str, recurrence_key: str) -> Row | None:
        """Return the row of one occurrence, deleted ones included."""

    def series(self, calendar_id: int, object_id: str) -> list[Row]:
        """Return master, overrides and gaps of a series."""

    def hide_series(self, calendar_id: int, object_id: str, at: int | None) -> None:
        """Take every row of an object off the pages, or with None put them back: its deletion is on its way."""

    def insert(self, row: Row) -> int:
        """Store a new event row with its participants; return its key."""

    def change(self, event_id: int, values: Row) -> None:
        """Write columns of an event, participants too where `attendees` is among them."""

    def public_id(self, event_id: int) -> str:
        """Return the event's public id, given on first use."""

    def pending(self, event_id: int) -> Row | None:
        """Return a row with an edit on its way and news from the provider, as `shadowed` does, and hold it."""

    def shadowed(self, account_id: int, limit: int, *, after: int = 0) -> list[Row]:
        """Return, by key from `after` on, rows with an edit on its way and news from the provider: `shadow` is a dict
        whose `attendees` are `Attendee`s and whose `fingerprint` is bytes."""

    def unlinked(self, calendar_id: int, *, start_at: int, end_at: int) -> list[Row]:
        """Return live singles of exactly that time that no live link holds."""

    def unlinked_uid(self, calendar_id: int, ical_uids: Collection[str]) -> list[Row]:
        """Return live singles and masters with one of these identities that no live link holds."""

    def who_meets(self, emails: Collection[str]) -> list[str]:
        """Return the people in whose mirrored calendars one of the addresses is a guest."""

    def match_contacts(self, owner_id: str, refs: Mapping[str, str]) -> int:
        """Note the contact of each address on the events of a person's calendars; return how many guests that are."""

    def forget_contact(self, contact_ref: str) -> None:
        """Take a contact off every guest, before its addresses are matched anew."""
