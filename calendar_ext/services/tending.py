"""What a person does with a connection they have: pause, resume, sync now, choose calendars, disconnect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from ..contract import OwnerProfile
from ..errors import Gone, Refused
from ..providers.base import CalendarProvider
from ..sync.ports.people import AccountRecord, CardRecord, ChoiceRecord, ConnectionRecord
from ..sync.ports.store import Store, UnitOfWork

#: Who paused a connection.
BY_OWNER, BY_ADMIN = "owner", "admin"
#: Values of `calendar.reads` besides `mirror`: events stay on the page but are read no more; nothing is kept.
KEPT, IGNORED = "kept", "ignore"


class Opener(Protocol):
    """Who opens accounts (`services.grants.Grants`)."""

    def open(self, account: AccountRecord) -> CalendarProvider:
        """Return the account, ready to use."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the Choose calendars page says; calendars by public id.

    :param mirrored: whose events are read.
    :param checked: whose events block free time.
    :param destination: where new appointments go, or '' for none.
    :param keep: events of calendars no longer read stay on the Calendar page.
    """

    mirrored: frozenset[str]
    checked: frozenset[str]
    destination: str = ""
    keep: bool = True


class Tending:
    """Everything here is the connection's own person's to do; `Gone` where it is not theirs."""

    def __init__(self, *, store: Store, grants: Opener) -> None:
        self._store, self._grants = store, grants

    def card(self, user: OwnerProfile, connection: str) -> CardRecord:
        """Return one connection with its account.

        :raises Gone: it is not theirs.
        """
        with self._store.read() as unit:
            cards = unit.pages.cards(user.tenant_id, user.user_id)
        return _named(cards, connection)

    def switch(self, user: OwnerProfile, connection: str, on: bool, by: str = BY_OWNER) -> CardRecord:
        """Pause or resume at once; pressing twice is pressing once. The account rests when all who use it do.

        :raises Refused: an administrator paused it, and only they may resume it.
        """
        with self._mine(user, connection) as (unit, mine):
            if mine.paused_by == BY_ADMIN and by != BY_ADMIN:
                raise Refused("Your administrator paused synchronization.")
            if on == (not mine.paused_by):
                return self._card_in(unit, user, connection)
            if on:
                unit.connections.resume(mine.id)
                _resume_account(unit, mine.account_id)
            else:
                unit.connections.pause(mine.id, by, unit.now())
                _pause_account(unit, mine.account_id)
            _audit(unit, user, "resume" if on else "pause", mine)
            return self._card_in(unit, user, connection)

    def sync_now(self, user: OwnerProfile, connection: str) -> CardRecord:
        """Wake the account."""
        with self._mine(user, connection) as (unit, mine):
            unit.wakes.add(mine.account_id, priority=0, reason="asked")
            return self._card_in(unit, user, connection)

    def calendars(self, user: OwnerProfile, connection: str) -> list[ChoiceRecord]:
        """Return every calendar of the account with this person's choices."""
        with self._store.read() as unit:
            return unit.choices.of_connection(_found(unit, user, connection).id)

    def look_again(self, user: OwnerProfile, connection: str) -> None:
        """Ask the provider which calendars there are now.

        :raises CalendarExtError: it could not be asked; the list stays as it is.
        """
        found = self._grants.open(self.card(user, connection).account).calendars()
        with self._mine(user, connection) as (unit, mine):
            account = unit.accounts.get(mine.account_id)
            if account is not None:
                unit.calendars.adopt(account, found)

    def choose(self, user: OwnerProfile, connection: str, chosen: Chosen) -> None:
        """Store the choices; calendars that are new are read soon, those no longer read end.

        :raises Refused: the destination can only be read, or is not one of this account's calendars.
        """
        with self._mine(user, connection) as (unit, mine):
            calendars = unit.choices.of_connection(mine.id)
            _check_destination(calendars, chosen)
            if chosen.destination:
                unit.choices.clear_destination(user.user_id)
            for calendar in calendars:
                _store_choice(unit, mine, calendar, chosen)
            unit.wakes.add(mine.account_id, priority=0, reason="chosen")
            _audit(unit, user, "choose_calendars", mine, calendars=len(chosen.mirrored))

    def show(self, user: OwnerProfile, calendar: str, shown: bool) -> None:
        """Show or hide one calendar on the person's page.

        :raises Gone: it is not one of theirs.
        """
        with self._store.write(only_active=True) as unit:
            theirs = {choice.public_id: choice for choice in unit.choices.of_owner(user.user_id)}
            if calendar not in theirs or unit.calendars.find(calendar, user.tenant_id) is None:
                raise Gone("This calendar is no longer there.")
            unit.choices.show(theirs[calendar].calendar_id, user.user_id, shown)

    def disconnect(self, user: OwnerProfile, connection: str, *, remove_here: bool, remove_there: bool) -> CardRecord:
        """Begin to leave: the account's next run removes what is to be removed, revokes the grant and ends it.

        While others use the account it goes on for them; only this connection leaves. Pressing twice is pressing once.
        """
        with self._mine(user, connection) as (unit, mine):
            if not mine.leaving:
                leaving = {"remove_here": remove_here, "remove_there": remove_there}
                unit.connections.set_leaving(mine.id, leaving | {"by": user.user_id, "at": unit.now()})
                if all(other.leaving or other.id == mine.id for other in unit.connections.of_account(mine.account_id)):
                    unit.accounts.set_status(mine.account_id, "disconnecting")
                unit.wakes.add(mine.account_id, priority=0, reason="disconnect")
                _audit(unit, user, "disconnect", mine, **leaving)
            return self._card_in(unit, user, connection)

    @contextmanager
    def _mine(self, user: OwnerProfile, connection: str) -> Iterator[tuple[UnitOfWork, ConnectionRecord]]:
        with self._store.write(only_active=True) as unit:
            yield unit, _found(unit, user, connection)

    def _card_in(self, unit: UnitOfWork, user: OwnerProfile, connection: str) -> CardRecord:
        return _named(unit.pages.cards(user.tenant_id, user.user_id), connection)


def _named(cards: Iterable[CardRecord], connection: str) -> CardRecord:
    for card in cards:
        if card.connection.public_id == connection:
            return card
    raise Gone("This connection is no longer there.")


def _found(unit: UnitOfWork, user: OwnerProfile, connection: str) -> ConnectionRecord:
    found = unit.connections.find(connection, user.tenant_id, user.user_id)
    if found is None:
        raise Gone("This connection is no longer there.")
    return found


def _pause_account(unit: UnitOfWork, account_id: int) -> None:
    if all(connection.paused_by for connection in unit.connections.of_account(account_id)):
        account = unit.accounts.get(account_id)
        # What it was is kept beside, so that resuming does not turn a limited account into a whole one.
        before = account.status_reason if account and account.status == "limited" else ""
        unit.accounts.set_status(account_id, "paused", before, only_from=("active", "limited"))


def _resume_account(unit: UnitOfWork, account_id: int) -> None:
    account = unit.accounts.get(account_id)
    reason = account.status_reason if account else ""
    unit.accounts.set_status(account_id, "limited" if reason else "active", reason, only_from=("paused",))
    unit.wakes.add(account_id, priority=0, reason="resumed")


def _check_destination(calendars: Collection[ChoiceRecord], chosen: Chosen) -> None:
    by_id = {calendar.public_id: calendar for calendar in calendars}
    if not chosen.destination:
        return
    target = by_id.get(chosen.destination)
    if target is None or chosen.destination not in chosen.mirrored:
        raise Refused("New events can only go to a calendar that is synchronized.", field="destination")
    if target.access != "write":
        raise Refused(
            "This calendar can only be read. New events cannot go there.", field="destination", name=target.name
        )


def _store_choice(unit: UnitOfWork, mine: ConnectionRecord, calendar: ChoiceRecord, chosen: Chosen) -> None:
    wanted = calendar.public_id in chosen.mirrored
    unit.choices.put(
        calendar.calendar_id,
        mine.owner_id,
        mine.id,
        writes=calendar.public_id == chosen.destination,
        checks=calendar.public_id in chosen.checked,
        shown=calendar.shown or wanted,
    )
    if wanted and calendar.reads != "mirror":
        unit.calendars.set_reads(calendar.calendar_id, "mirror")
    elif not wanted and calendar.reads == "mirror":
        unit.calendars.set_reads(calendar.calendar_id, KEPT if chosen.keep else IGNORED)


def _audit(unit: UnitOfWork, user: OwnerProfile, action: str, mine: ConnectionRecord, **facts: object) -> None:
    unit.audit.add(action, actor=user.user_id, tenant_id=user.tenant_id, object=mine.public_id, after=facts)
