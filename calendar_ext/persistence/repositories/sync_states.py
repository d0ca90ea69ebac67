"""When an account runs next and who runs it: claim, release, progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, case, delete, exists, func, literal, select, update

from ...sync.ports.content import Claim, Release, SyncStateRecord
from ...sync.ports.store import Fence
from ..base import db_now
from ..tables import Calendar, Event, Link, Operation, SyncState, Wake
from . import claims as claiming
from . import fences
from .upserts import insert_ignoring

FIELDS = tuple(SyncStateRecord.__dataclass_fields__)
#: Seconds an account may be due before somebody asks why nobody took it.
STALLED = 60


def _noted(flag: str, column: Any) -> Any:
    return case((bindparam(flag) == 1, db_now()), else_=column)


_RELEASE = (
    update(SyncState)
    .where(SyncState.account_id == bindparam("account"), SyncState.epoch == bindparam("held"))
    .values(
        lease_owner="",
        lease_until=None,
        next_at=db_now() + bindparam("delay"),
        priority=bindparam("urgency"),
        failures=bindparam("failed"),
        error_class=bindparam("class_"),
        error_code=bindparam("code"),
        failing_since=case((bindparam("failed") == 0, None), else_=func.coalesce(SyncState.failing_since, db_now())),
        breaker_until=case((bindparam("hold") > 0, db_now() + bindparam("hold")), else_=None),
        read_ok_at=_noted("read_ok", SyncState.read_ok_at),
        write_ok_at=_noted("write_ok", SyncState.write_ok_at),
    )
)


_PROGRESS = update(SyncState).where(SyncState.account_id == bindparam("account")).values(progress=bindparam("facts"))
_CALENDARS = select(Calendar.id).where(Calendar.account_id == bindparam("account"))
_WAITS = select(
    exists(select(Link.id).where(Link.calendar_id.in_(_CALENDARS), Link.state == "live")),
    exists(select(Event.id).where(Event.calendar_id.in_(_CALENDARS), Event.pending == 1, Event.shadow.is_not(None))),
    exists(select(Operation.id).where(claiming.unsent(bindparam("account")))),
)
_ANYTHING = select(exists(claiming.claimable().order_by(None)))


class SyncStates:
    """Implements `sync.ports.content.SyncStates`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure(self, account_id: int) -> None:
        insert_ignoring(self._connection, SyncState, [{"account_id": account_id}])

    def get(self, account_id: int) -> SyncStateRecord | None:
        columns = [getattr(SyncState, name) for name in FIELDS]
        row = self._connection.execute(select(*columns).where(SyncState.account_id == account_id)).mappings().first()
        return SyncStateRecord(**dict(row) | {"progress": orjson.loads(row["progress"] or "{}")}) if row else None

    def anything_due(self) -> bool:
        return bool(self._connection.execute(_ANYTHING).scalar())

    def due(self, limit: int) -> list[int]:
        return list(self._connection.execute(claiming.claimable().limit(limit)).scalars())

    def claim(
        self, owner: str, lease_seconds: int, *, limit: int, priority_max: int = 100, account_id: int | None = None
    ) -> list[Claim]:
        return claiming.take(
            self._connection,
            owner=owner,
            lease_seconds=lease_seconds,
            account_id=account_id,
            most=limit,
            urgent=priority_max,
        )

    def release(self, releases: Sequence[Release]) -> None:
        if releases:
            # In one order, so that two workers never wait for each other.
            ordered = sorted(releases, key=lambda release: release.account_id)
            self._connection.execute(_RELEASE, [_values(release) for release in ordered])
        if read := [wake_id for release in releases for wake_id in release.wake_ids]:
            self._connection.execute(delete(Wake).where(Wake.id.in_(read)))

    def hold(self, fence: Fence) -> bool:
        return fences.hold(self._connection, fence)

    def give_back(self, claims: Sequence[Claim]) -> None:
        mine = (SyncState.account_id == bindparam("account"), SyncState.epoch == bindparam("held"))
        values = [{"account": claim.account.id, "held": claim.epoch} for claim in claims]
        if values:
            free = update(SyncState).where(*mine).values(lease_owner="", lease_until=None)
            self._connection.execute(free, values)

    def waits(self, account_id: int) -> tuple[bool, bool]:
        links, shadows, operations = self._connection.execute(_WAITS, {"account": account_id}).one()
        return bool(links or shadows), bool(operations)

    def set_progress(self, account_id: int, progress: Mapping[str, Any]) -> None:
        values = {"account": account_id, "facts": orjson.dumps(dict(progress)).decode()}
        self._connection.execute(_PROGRESS, values)

    def stalled(self, limit: int) -> list[int]:
        long_due = claiming.claimable().where(SyncState.next_at <= db_now() - literal(STALLED))
        return list(self._connection.execute(long_due.limit(limit)).scalars())


def _values(release: Release) -> dict[str, Any]:
    return {
        "account": release.account_id,
        "held": release.epoch,
        "delay": release.delay,
        "urgency": release.priority,
        "failed": release.failures,
        "class_": release.error_class[:64],
        "code": release.error_code[:128],
        "hold": release.hold,
        "read_ok": int(release.read_ok),
        "write_ok": int(release.write_ok),
    }
