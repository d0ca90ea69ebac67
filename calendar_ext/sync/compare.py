"""The host's appointments beside what we know: first synchronization, activation, reconnect, and what a hook missed.

Never notifies anybody. An appointment that already stands in the calendar is adopted, not copied (requirements T1, T3).
"""

from __future__ import annotations

from collections.abc import Sequence

from .adopting import adopt
from .changes import follow, remember
from .planning import Cause
from .ports.host import HostRecord, Person
from .ports.people import ConnectionRecord
from .ports.store import UnitOfWork
from .run import Run
from .settle import settle

#: Appointments asked of the host at a time, and written in one transaction.
PAGE, CHUNK = 200, 25
#: A host transaction may begin before a compare and commit after it (data-model.md L15).
OVERLAP = 600
REASON = "compare"


def compare(run: Run) -> None:
    """Compare every person of the account; what is cut off by the budget is begun again by the next compare."""
    with run.store.read() as unit:
        people = [one for one in unit.connections.of_account(run.account.id) if not one.leaving]
    known: dict[str, Person | None] = {}
    for connection in people:
        if not _compare_person(run, connection, known):
            _come_back(run)
            return
    settle(run)


def _compare_person(run: Run, connection: ConnectionRecord, known: dict[str, Person | None]) -> bool:
    """Compare one person; return whether it was done to the end."""
    key = f"compared_at:{connection.public_id}"
    with run.store.read() as unit:
        began, last = unit.now(), unit.settings.get(key, tenant_id=connection.tenant_id)
    since = None if last is None or not connection.first_sync.get("finished_at") else int(last) - OVERLAP
    cursor: str | None = None
    while True:
        page = run.host.appointments(connection.owner_id, since, cursor, PAGE)
        _ask_people(run, page.records, known)
        for first in range(0, len(page.records), CHUNK):
            with run.store.write(run.fence) as unit:
                for record in page.records[first : first + CHUNK]:
                    _compare_one(unit, run, record, known)
        cursor = page.cursor
        if cursor is None:
            break
        if run.out_of_time():
            return False
    with run.store.write(run.fence) as unit:
        unit.settings.put(key, began, tenant_id=connection.tenant_id)
    return True


def _ask_people(run: Run, records: Sequence[HostRecord], known: dict[str, Person | None]) -> None:
    for owner in {owner for record in records for owner in record.owners} - known.keys():
        known[owner] = run.host.person(owner)


def _compare_one(unit: UnitOfWork, run: Run, record: HostRecord, known: dict[str, Person | None]) -> None:
    stored, former = remember(unit, record, known, unit.now())
    if stored is None:
        person = next((one for owner in record.owners if (one := known.get(owner))), None)
        stored = unit.appointments.find(person.tenant_id, record.kind, record.ref) if person else None
        if stored is None or stored.version != record.version:
            return
    cause = Cause(unit.now(), run.installation, actor_kind="sync", reason=REASON, quiet=True)
    adopt(unit, run.account.id, stored, run.limits)
    follow(unit, stored, former, run.limits, cause)


def _come_back(run: Run) -> None:
    with run.store.write(run.fence) as unit:
        unit.wakes.add(run.account.id, priority=10, reason=REASON)
