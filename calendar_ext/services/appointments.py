"""What happens when the host fires a hook: one row in the host's own transaction, and never an error for the host."""

from __future__ import annotations

import logging
from typing import Any

from ..errors import NotInstalled, Refused
from ..sync.payloads import payload_of
from ..sync.ports.plan import HookInsert, HostChangeRecord
from . import translating

log = logging.getLogger("calendar_ext.hooks")

#: Hooks whose value is over and done with.
_ENDINGS = frozenset(("appointment_cancelled", "activity_deleted"))


class Recording:
    """The body of every hook the host fires inside a transaction (data-model.md L1-L3).

    :param insert: the one statement.
    """

    def __init__(self, *, insert: HookInsert) -> None:
        self._insert = insert
        #: Calls since the process started that left no row: what made no sense, and what went wrong.
        self.refused = 0
        self.failed = 0
        self._absence_said = False

    def record(
        self, session: Any, kind: str, value: Any, actor_id: Any = None, origin: Any = None, **beside: Any
    ) -> None:
        """Note one change of the host. Never raises, never flushes, never waits for the network.

        :param session: the host's session; None = a transaction of our own, at once.
        :param kind: the hook's name: `appointment_created`, ..., `user_deleted`.
        :param value: the hook's payload: a value of `contract`, or a user's id for `user_deleted`.
        :param beside: the hook's other arguments; nothing of them is stored.
        """
        try:
            self._insert(session, change_of(kind, value, actor_id, origin))
        except Refused as refusal:
            self.refused += 1
            log.warning("%s was refused: %s makes no sense.", kind, refusal.facts.get("reason", "the value"))
        except NotInstalled:
            self._say_absence_once()
        except Exception as error:
            # Not log.exception: a database error quotes the values of its statement.
            self.failed += 1
            log.error("%s could not be noted: %s. The next compare finds it.", kind, type(error).__name__)

    def _say_absence_once(self) -> None:
        if not self._absence_said:
            self._absence_said = True
            log.info("Calendar is not installed: what the host fires is not noted.")


def change_of(kind: str, value: Any, actor_id: Any = None, origin: Any = None) -> HostChangeRecord:
    """Return the row of one hook call.

    :raises Refused: the value makes no sense; `reason` says which part.
    """
    subject = kind.partition("_")[0]
    who, whence = _identity(actor_id), _identity(origin)
    if kind == "user_deleted":
        return HostChangeRecord(kind, translating.reference(_identity(value)), actor_id=who)
    if subject in ("contact", "user"):
        ref = translating.reference(getattr(value, "user_id" if subject == "user" else "ref", None))
        return HostChangeRecord(subject, ref, payload=translating.facts_of(value))
    record = translating.host_record(value, cancelled=kind in _ENDINGS)
    if record.kind != subject:
        raise Refused(reason="type")
    return HostChangeRecord(subject, record.ref, record.version, who, whence, payload_of(record))


def _identity(value: Any) -> str | None:
    """Return an id that only says who or whence: one that makes no sense is left out rather than refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= 64 and "\0" not in value else None
