"""One mail to each colleague after an activation, with the button that starts their synchronization."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from ..contract import MailMessage, OwnerProfile
from ..sync.ports.store import Store

log = logging.getLogger(__name__)


class Directory(Protocol):
    """The host, as far as an invitation needs it (`host.calls.Host`)."""

    def profile(self, user_id: str) -> OwnerProfile | None:
        """Return a user."""

    def users(self, tenant_id: str) -> list[OwnerProfile]:
        """Return the people of one organisation; [] where the host does not tell."""

    def has_permission(self, user_id: str, permission: str) -> bool:
        """Return whether the user has one of our permissions."""

    def send_mail(self, message: MailMessage) -> bool:
        """Hand a mail over; return whether the host took it."""


#: Renders the mail to one person: subject, text and HTML in that person's language.
Composer = Callable[[OwnerProfile], tuple[str, str, str]]
#: Says how many mails went out, in the administrator's language: organisation's people may be none.
Summary = Callable[[OwnerProfile, int, int], str]


class Inviting:
    """Tells the colleagues of whoever activated Calendar.

    :param compose: makes the mail to one person.
    :param summarize: makes the sentence for the success page from how many were sent and how many were not.
    """

    def __init__(self, *, store: Store, host: Directory, compose: Composer, summarize: Summary) -> None:
        self._store, self._host, self._compose, self._summarize = store, host, compose, summarize

    def announce(self, actor_id: str | None) -> str:
        """Mail everybody of the actor's organisation who may connect and has not; return the sentence, or ''.

        Pressed twice for one activation it is one mail to each: the key says which activation it was.
        """
        actor = self._host.profile(actor_id) if actor_id else None
        if actor is None:
            return ""
        sent = failed = 0
        for person in self._host.users(actor.tenant_id):
            if person.user_id != actor.user_id and self._is_wanted(person):
                taken = self._mail(person)
                sent, failed = sent + taken, failed + (not taken)
        return self._summarize(actor, sent, failed)

    def _is_wanted(self, person: OwnerProfile) -> bool:
        if not person.may_use or not person.email or not self._host.has_permission(person.user_id, "calendar.connect"):
            return False
        with self._store.read() as unit:
            return not unit.connections.of_owner(person.tenant_id, person.user_id)

    def _mail(self, person: OwnerProfile) -> bool:
        with self._store.read() as unit:
            generation = unit.installations.get().generation
        try:
            subject, text, html = self._compose(person)
            key = f"calendar_ext:start:{generation}:{person.user_id}"
            return self._host.send_mail(MailMessage(person.email, subject, text, html, key))
        except Exception as error:
            # A mail that fails must not undo an activation; whom it failed for stands in the host's own log.
            log.warning("An invitation could not be sent: %s.", type(error).__name__, extra={"person": person.user_id})
            return False
