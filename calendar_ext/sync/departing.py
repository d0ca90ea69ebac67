"""One person leaves an account: what becomes of the copies of their appointments. Planned, not sent."""

from __future__ import annotations

from dataclasses import replace

from .placing import DISCONNECTED
from .planning import Cause, plan_removal
from .ports import plan
from .ports.people import ConnectionRecord
from .ports.plan import LinkRecord
from .ports.store import UnitOfWork
from .run import Run

#: Links in one transaction.
_AT_ONCE = 50
#: Why an event of ours is taken out of a calendar that is left.
REMOVED = "removed"


def depart(run: Run) -> None:
    """Let go of everybody who is leaving an account that others go on using."""
    with run.store.read() as unit:
        leaving = [one for one in unit.connections.of_account(run.account.id) if one.leaving]
    for connection in leaving:
        release_copies(run, connection)
        end_connection(run, connection)


def release_copies(run: Run, connection: ConnectionRecord) -> None:
    """Take a person off their copies. A copy nobody else has stays where it is, or goes, as the person chose."""
    while True:
        with run.store.write(run.fence) as unit:
            theirs = [one for one in unit.links.of_account(run.account.id) if connection.owner_id in one.people]
            for link in theirs[:_AT_ONCE]:
                _release(unit, run, connection, link)
        if len(theirs) <= _AT_ONCE:
            return


def _release(unit: UnitOfWork, run: Run, connection: ConnectionRecord, link: LinkRecord) -> None:
    unit.appointments.explain(link.appointment_id, plan.NOT_CONNECTED)
    others = tuple(owner for owner in link.people if owner != connection.owner_id)
    if others:
        unit.links.save(replace(link, people=others))
        return
    for operation in unit.operations.open_for(link_id=link.id):
        if operation.state != "sending" and operation.kind != "delete":
            unit.operations.finish(operation.id, "superseded")
    if connection.leaving.get("remove_there") and link.owned:
        unit.links.save(replace(link, people=()))
        by = str(connection.leaving.get("by", connection.owner_id))
        cause = Cause(unit.now(), run.installation, "person", by, REMOVED, quiet=True)
        plan_removal(unit, replace(link, people=()), cause)
    else:
        unit.links.save(replace(link, state="ended", reason=DISCONNECTED, people=()))


def end_connection(run: Run, connection: ConnectionRecord) -> None:
    """Note that the connection is over."""
    with run.store.write(run.fence) as unit:
        unit.choices.leave(connection.id)
        unit.connections.end(connection.id, unit.now())
        unit.connections.set_leaving(connection.id, {})
    run.host.tell("connection_changed", connection=connection.public_id, old="disconnecting", new="disconnected")
