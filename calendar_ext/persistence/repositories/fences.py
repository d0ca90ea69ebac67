"""The first statement of every write transaction of a run (data-model.md L5), ready-made: a run asks it often."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, exists, select, update

from ...sync.ports.store import Fence
from ..base import db_now
from ..tables import Installation, SyncState


def _fence(**values: Any) -> Update:
    """Return an UPDATE, since a row only read could change hands before we commit."""
    active = exists(select(Installation.id).where(Installation.state == "active"))
    mine = (SyncState.account_id == bindparam("account"), SyncState.epoch == bindparam("held"))
    return update(SyncState).where(*mine, active).values(**values)


_ENDED: dict[str, Any] = {
    "lease_owner": "",
    "lease_until": None,
    "next_at": db_now() + bindparam("delay"),
    "priority": bindparam("urgency"),
    "failures": 0,
    "error_class": "",
    "error_code": "",
    "failing_since": None,
    "breaker_until": None,
}
_RENEW = _fence(lease_until=db_now() + bindparam("lease"))


@lru_cache(maxsize=4)
def _release(read_ok: bool, write_ok: bool) -> Update:
    noted = {"read_ok_at": read_ok, "write_ok_at": write_ok}
    return _fence(**_ENDED, **{name: db_now() for name, good in noted.items() if good})


def hold(connection: Connection, fence: Fence) -> bool:
    """Renew the lease, or end it as `fence.release` says; return whether the claim still held and we are active."""
    mine: dict[str, Any] = {"account": fence.account_id, "held": fence.epoch}
    if fence.release is None:
        return connection.execute(_RENEW, mine | {"lease": fence.lease_seconds}).rowcount == 1
    release = fence.release
    ended = mine | {"delay": release.delay, "urgency": release.priority}
    return connection.execute(_release(release.read_ok, release.write_ok), ended).rowcount == 1
