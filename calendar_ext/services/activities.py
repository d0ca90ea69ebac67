"""Appointments that stand only in the host, and runs a breaker stopped: what a person decides about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..contract import OwnerProfile
from ..errors import Gone, Refused
from ..limits import Limits
from ..sync.placing import place
from ..sync.planning import Cause
from ..sync.ports import plan
from ..sync.ports.plan import AppointmentRecord
from ..sync.ports.store import Store, UnitOfWork
from ..sync.wake import PERSON, SETTLE

#: Runs looked through for the one that was stopped: one that failed may have been written after it.
_RECENT = 10


class Deciding:
    """What waits for a person's word.

    :param clock: UTC seconds.
    """

    def __init__(self, *, store: Store, limits: Limits, clock: Callable[[], float]) -> None:
        self._store, self._limits, self._clock = store, limits, clock

    def send_to_provider(self, user: OwnerProfile, refs: Iterable[str]) -> int:
        """Let appointments of the person go to their calendar, also from before the sync start; return how many do.

        Nobody is notified. What has no calendar to go to stays where it is, with the reason.

        :raises Gone: one of them is not theirs; nothing was written.
        """
        with self._store.write(only_active=True) as unit:
            installation = unit.installations.get().public_id
            cause = Cause(unit.now(), installation, "person", user.user_id, "sent_by_hand", quiet=True)
            sent = 0
            for appointment in _theirs(unit, user, refs):
                unit.appointments.explain(appointment.id, "")
                accounts = place(unit, replace(appointment, reason=""), cause, self._limits, whenever=True)
                for account_id in sorted(accounts):
                    unit.wakes.add(account_id, priority=0, reason="edit")
                sent += bool(accounts)
            return sent

    def keep_here(self, user: OwnerProfile, refs: Iterable[str]) -> int:
        """Let appointments of the person stay only in the host; return how many.

        :raises Gone: one of them is not theirs; nothing was written.
        """
        with self._store.write(only_active=True) as unit:
            kept = _theirs(unit, user, refs)
            for appointment in kept:
                unit.appointments.explain(appointment.id, plan.KEPT_HERE)
                for link in unit.links.of_appointment(appointment.id):
                    if link.state == "live" and link.event_id is None:
                        unit.links.end(link.id, actor=user.user_id, reason=plan.KEPT_HERE, state="kept_here")
                        for operation in unit.operations.open_for(link_id=link.id):
                            unit.operations.finish(operation.id, "superseded")
            return len(kept)

    def release(self, user: OwnerProfile, connection: str) -> int:
        """Agree to exactly what the stopped run of a connection wanted to do; return how many operations that are.

        :raises Gone: the connection is not theirs.
        :raises Refused: `nothing_held`: no run of its account waits for anybody.
        """
        with self._store.write(only_active=True) as unit:
            mine = unit.connections.find(connection, user.tenant_id, user.user_id)
            if mine is None:
                raise Gone("This connection is no longer there.")
            recent = unit.runs.newest(mine.account_id, _RECENT)
            stopped = next((run for run in recent if run.stop_reason), None)
            ready = unit.accounts.set_status(mine.account_id, "active", only_from=("needs_review",))
            if stopped is None or not ready:
                raise Refused("Nothing waits for you here.", reason="nothing_held")
            unit.runs.approve(stopped.id, user.user_id, self._limits.approval_seconds)
            released = unit.operations.release(stopped.id)
            unit.wakes.add(mine.account_id, priority=PERSON, reason=SETTLE)
            return released


def _theirs(unit: UnitOfWork, user: OwnerProfile, refs: Iterable[str]) -> list[AppointmentRecord]:
    found = []
    for ref in dict.fromkeys(refs):
        appointment = unit.appointments.find(user.tenant_id, "appointment", ref)
        if appointment is None or user.user_id not in appointment.owners or appointment.state != "current":
            raise Gone("This appointment is no longer there.")
        found.append(appointment)
    return found
