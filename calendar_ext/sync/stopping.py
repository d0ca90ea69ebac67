"""The stop state of the breakers: what would have been done is kept, shown, and released by a person or never."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NoReturn

from ..errors import BreakerTripped
from .ports.plan import OperationRecord
from .ports.runs import RunRecord
from .run import Run

#: Reasons of the stop: `account.status_reason` and `run.stop_reason`.
NOTIFIES, DELETES_THERE, DELETES_HERE = "too_many_notified", "too_many_deleted_there", "too_many_deleted_here"


def plan_hash(operations: Sequence[OperationRecord]) -> str:
    """Return what tells one set of operations from any other."""
    return sha256("\n".join(sorted(one.public_id for one in operations)).encode()).hexdigest()


def stop(run: Run, reason: str, operations: Sequence[OperationRecord], *, count: int) -> NoReturn:
    """Hold exactly these operations, put the account before a person, and end the run.

    :param operations: those without a key are stored first.
    :param count: people or events, as `reason` says.
    :raises BreakerTripped: always.
    """
    with run.store.write(run.fence) as unit:
        operations = [one if one.id else unit.operations.add(one) for one in operations]
        record = RunRecord(
            account_id=run.account.id,
            epoch=run.fence.epoch,
            started_at=unit.now(),
            counts={"operations": len(operations), "count": count},
            outcome="stopped",
            stop_reason=reason,
            plan_hash=plan_hash(operations),
        )
        unit.operations.hold([one.id for one in operations], reason, unit.runs.add(record))
        unit.accounts.set_status(run.account.id, "needs_review", reason, only_from=("active", "limited"))
    raise BreakerTripped(reason=reason, count=count)
