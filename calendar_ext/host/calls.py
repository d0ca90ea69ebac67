"""The host asked through its hooks: the first answer that is not None, its exceptions made ours, no session left open.

What pages ask is asked in the request's own context, so that it needs no second connection (data-model.md L9). What
the engine asks has a context, and with it a session, of its own: it reads what is committed, and never commits what
somebody else has half done.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

from flask import current_app, has_request_context

from ..contract import Applied, AppointmentPage, Conflict, Contact, MailMessage, OwnerProfile
from ..domain.model import Event
from ..errors import CalendarExtError, Defect, Refused, Retryable
from ..services.translating import draft_of, host_record
from ..sync.ports.host import HostPage, HostPort, HostRecord, Person, Told, Written

log = logging.getLogger("calendar_ext.host")

#: What a host raises for a request it will never take, by class name: no driver or toolkit of the host is imported.
_WILL_NOT = frozenset(
    ("LookupError", "ValueError", "TypeError", "AttributeError", "PermissionError", "IntegrityError", "DataError")
)


class Host(HostPort):
    """The host, as the engine and our pages know it.

    :param pm: the host's `pluggy.PluginManager`.
    :param db: the host's Flask-SQLAlchemy extension; appointments are written in its session.
    """

    def __init__(self, *, pm: Any, app: Any, db: Any) -> None:
        self._pm, self._app, self._db = pm, app, db

    # ── What the engine asks ─────────────────────────────────────────────────────────────────────────────────────

    def person(self, owner_id: str) -> Person | None:
        """Return the user, or None if the host no longer knows them."""
        found = self._read("host_get_user", user_id=owner_id)
        if not isinstance(found, OwnerProfile) or not found.tenant_id:
            return None
        return Person(str(found.user_id), found.tenant_id, found.email, found.zone, bool(found.may_use))

    def appointment(self, ref: str) -> HostRecord | None:
        """Return one appointment as it is now."""
        found = self._read("host_get_appointment", appointment_id=ref)
        return None if found is None else _record(found)

    def appointments(self, owner_id: str, changed_since: int | None, cursor: str | None, limit: int) -> HostPage:
        """Return a page of a person's appointments; those that make no sense are left out and logged."""
        since = None if changed_since is None else datetime.fromtimestamp(changed_since, UTC)
        asked = {"user_id": owner_id, "changed_since": since, "cursor": cursor, "limit": limit}
        page = self._read("host_list_appointments", **asked)
        if not isinstance(page, AppointmentPage):
            return HostPage((), None)
        records = (_record(item) for item in page.items)
        # A cursor that does not move would be asked for ever.
        following = page.cursor if page.cursor != cursor else None
        return HostPage(tuple(record for record in records if record is not None), following)

    def apply(
        self,
        owner_id: str,
        ref: str | None,
        event: Event | None,
        fields: Collection[str],
        *,
        expected_version: int | None,
        origin: str,
        reason: str = "",
    ) -> Written:
        """Write one appointment in a transaction of its own; see the port."""
        draft = draft_of(ref, event, fields, reason)
        with self._writing() as session:
            answer = self._pm.hook.host_apply_appointment(
                session=session, user_id=owner_id, draft=draft, expected_version=expected_version, origin=origin
            )
            if isinstance(answer, Applied):
                session.commit()
                return Written(str(answer.ref), answer.version)
            if isinstance(answer, Conflict):
                return Written(str(answer.current.ref), answer.current.version, host_record(answer.current))
            raise Refused("The host did not take it.", reason="no_answer")

    def contacts(self, owner_id: str, emails: Collection[str]) -> dict[str, str]:
        """Return address -> contact id for those of the addresses that a person's contacts have."""
        wanted = {email.strip().casefold() for email in emails}
        found = self.find_contacts(owner_id, sorted(wanted))
        pairs = ((email.strip().casefold(), str(contact.ref)) for contact in found for email in contact.emails)
        return {email: ref for email, ref in pairs if email in wanted}

    def tell(self, what: Told, **facts: Any) -> None:
        """Tell listeners, each on its own: one that fails costs the others nothing. Never raises."""
        caller = getattr(self._pm.hook, f"calendar_{what}")
        with self._context():
            for listener in caller.get_hookimpls():
                try:
                    listener.function(*(facts[name] for name in listener.argnames))
                except Exception as error:
                    log.warning("A listener of calendar_%s failed: %s.", what, type(error).__name__)

    # ── What our pages ask ───────────────────────────────────────────────────────────────────────────────────────

    def profile(self, user_id: str) -> OwnerProfile | None:
        """Return a user as the host describes them; None = nobody.

        :raises Retryable: the host could not answer.
        """
        found = self._asked("host_get_user", user_id=str(user_id))
        return found if isinstance(found, OwnerProfile) else None

    def has_permission(self, user_id: str, permission: str) -> bool:
        """Return whether the user has one of our permissions; without a clear yes they have not."""
        return self._tried("host_has_permission", user_id=str(user_id), permission=permission) is True

    def base_url(self) -> str:
        """Return the host's own public address without a slash at its end.

        :raises Defect: the host has none.
        """
        found = self._asked("host_base_url")
        if not isinstance(found, str) or not found.startswith(("https://", "http://")):
            raise Defect("The host does not say under which address it can be reached.")
        return found.rstrip("/")

    def users(self, tenant_id: str) -> list[OwnerProfile]:
        """Return the people of one organisation; [] where the host does not tell."""
        found = self._tried("host_list_users", tenant_id=tenant_id)
        return [one for one in found or () if isinstance(one, OwnerProfile) and one.tenant_id == tenant_id]

    def find_contacts(self, user_id: str, emails: Collection[str]) -> list[Contact]:
        """Return contacts this user may see, for some of the addresses; [] where the host does not tell."""
        found = self._tried("host_find_contacts", user_id=user_id, emails=tuple(emails))
        return [one for one in found or () if isinstance(one, Contact)]

    def send_mail(self, message: MailMessage) -> bool:
        """Hand a mail over; return whether the host took it."""
        return bool(self._tried("host_send_mail", message=message))

    def notify(self, user_id: str, kind: str, params: Mapping[str, Any]) -> bool:
        """Tell a user something inside the host; return whether the host took it."""
        return bool(self._tried("host_notify_user", user_id=user_id, kind=kind, params=dict(params)))

    # ── How it is asked ──────────────────────────────────────────────────────────────────────────────────────────

    def _context(self) -> AbstractContextManager[Any]:
        if has_request_context() and current_app == self._app:
            return nullcontext()
        return self._app.app_context()

    def _read(self, name: str, **arguments: Any) -> Any:
        """Return the first answer, read in a session of its own.

        :raises Retryable: the host failed.
        """
        with self._app.app_context():
            return self._asked(name, **arguments)

    def _asked(self, name: str, **arguments: Any) -> Any:
        """Return the first answer.

        :raises Retryable: the host failed.
        """
        try:
            with self._context():
                return getattr(self._pm.hook, name)(**arguments)
        except Exception as error:
            log.warning("%s failed: %s.", name, type(error).__name__)
            raise Retryable("The host did not answer.", hook=name, cause=type(error).__name__) from error

    def _tried(self, name: str, **arguments: Any) -> Any:
        """Return the first answer, or None where the host failed."""
        try:
            return self._asked(name, **arguments)
        except Retryable:
            return None

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Give a session of its own: rolled back unless it was committed, and always removed."""
        with self._app.app_context():
            session = self._db.session
            try:
                yield session
            except CalendarExtError:
                raise
            except Exception as error:
                log.warning("host_apply_appointment failed: %s.", type(error).__name__)
                raise _translated(error) from error
            finally:
                session.rollback()
                session.remove()


def _translated(error: Exception) -> CalendarExtError:
    if _WILL_NOT & {kind.__name__ for kind in type(error).__mro__}:
        return Refused("The host did not take it.", reason=type(error).__name__)
    return Retryable("The host could not do it now.", cause=type(error).__name__)


def _record(value: Any) -> HostRecord | None:
    try:
        return host_record(value)
    except Refused as refusal:
        log.warning("An appointment of the host makes no sense: %s.", refusal.facts.get("reason"))
        return None
