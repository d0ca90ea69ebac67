"""The claim: one conditional UPDATE that takes accounts and brings along all that a poll without news has to know.

It answers with JSON beside each row, because SQLite knows no UPDATE inside a larger statement and a poll may cost two
statements only: this one and the release (data-model.md section 9).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    union,
    update,
)

from ...sync.ports.content import (
    BUILDING,
    CURRENT,
    FIRST_SYNC,
    OPERATIONS,
    CalendarRecord,
    Claim,
    CursorRecord,
    WakeRecord,
)
from ...sync.ports.people import CLAIMED, AccountRecord
from ..base import db_now
from ..tables import Account, Calendar, Cursor, Installation, Operation, SyncState, Wake
from ..tables import Connection as ConnectionRow
from .asides import aside, beside, fields, json_list, outer

ACCOUNT_FIELDS = tuple(AccountRecord.__dataclass_fields__)
CALENDAR_FIELDS = tuple(CalendarRecord.__dataclass_fields__)
CURSOR_FIELDS = tuple(CursorRecord.__dataclass_fields__)
WAKE_FIELDS = tuple(WakeRecord.__dataclass_fields__)


def _text(query: Select[Any]) -> ColumnElement[str]:
    return aside(cast(query.scalar_subquery(), Text))


def _ready_wakes() -> ColumnElement[bool]:
    return func.coalesce(Wake.not_before, 0) <= db_now()


def _hinted_or_scheduled() -> CompoundSelect[Any]:
    """Two index lookups; an OR would read every account there is."""
    scheduled = select(SyncState.account_id).where(SyncState.next_at <= db_now())
    return union(scheduled, select(Wake.account_id).where(_ready_wakes()))


def _free() -> ColumnElement[bool]:
    return and_(
        or_(SyncState.lease_until.is_(None), SyncState.lease_until < db_now()),
        or_(SyncState.breaker_until.is_(None), SyncState.breaker_until <= db_now()),
    )


def _urgency() -> ColumnElement[int]:
    woken = select(func.min(Wake.priority)).where(Wake.account_id == SyncState.account_id, _ready_wakes())
    return func.coalesce(woken.correlate(SyncState).scalar_subquery(), SyncState.priority)


def claimable() -> Select[Any]:
    """Return the query for accounts that may be claimed now, most urgent first; unbounded, unlocked."""
    return (
        select(SyncState.account_id)
        .join(Account, Account.id == SyncState.account_id)
        .where(
            SyncState.account_id.in_(_hinted_or_scheduled()),
            Account.status.in_(CLAIMED),
            _free(),
            exists(select(Installation.id).where(Installation.state == "active")),
        )
        .order_by(_urgency(), SyncState.next_at, SyncState.account_id)
    )


@lru_cache(maxsize=2)
def claim_statement(one: bool) -> Update:
    """Return the UPDATE; parameters `owner`, `lease`, and `account` for one or `most` and `urgent` for several."""
    chosen = claimable()
    if one:
        chosen = chosen.where(SyncState.account_id == bindparam("account"))
    else:
        chosen = chosen.where(_urgency() <= bindparam("urgent")).limit(bindparam("most"))
    chosen = chosen.with_for_update(of=SyncState, skip_locked=True)
    return (
        update(SyncState)
        .where(SyncState.account_id.in_(chosen), _free())
        .values(epoch=SyncState.epoch + 1, lease_owner=bindparam("owner"), lease_until=db_now() + bindparam("lease"))
        .returning(*_brought_along())
    )


def _brought_along() -> list[Any]:
    account_id = outer(SyncState.account_id)
    mine = and_(Calendar.account_id == account_id, Calendar.removed_at.is_(None), Calendar.read_by.is_(None))
    pulled = and_(mine, or_(Calendar.reads == "mirror", Calendar.reads == "block"))
    unfinished = and_(Cursor.calendar_id == Calendar.id, or_(Cursor.state == BUILDING, Cursor.state == CURRENT))
    cursors = select(json_list(fields(Cursor, CURSOR_FIELDS))).join_from(Calendar, Cursor, unfinished)
    using = select(json_list(ConnectionRow.public_id)).where(
        ConnectionRow.account_id == account_id, ConnectionRow.ended_at.is_(None)
    )
    wakes = select(json_list(fields(Wake, WAKE_FIELDS))).where(Wake.account_id == account_id, _ready_wakes())
    return [
        SyncState.epoch,
        db_now().label("at"),
        SyncState.failures,
        SyncState.progress,
        case((SyncState.next_at <= db_now(), 1), else_=0).label("scheduled"),
        _text(select(fields(Account, ACCOUNT_FIELDS)).where(Account.id == account_id)).label("account"),
        _text(select(json_list(fields(Calendar, CALENDAR_FIELDS))).where(pulled)).label("calendars"),
        _text(cursors.where(pulled)).label("cursors"),
        _text(wakes).label("wakes"),
        _text(using).label("connections"),
        beside(select(func.count(Operation.id)).where(unsent(account_id))).label(OPERATIONS),
        beside(_first_sync_open(account_id)).label(FIRST_SYNC),
    ]


def unsent(account_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return whether an operation waits, or was left as `sending` by a dead run: nobody else holds the account."""
    return and_(
        Operation.account_id == account_id,
        Operation.state.in_(("planned", "unknown", "sending")),
        Operation.next_at <= db_now(),
    )


def _first_sync_open(account_id: ColumnElement[int]) -> Select[Any]:
    unfinished = or_(
        ConnectionRow.first_sync.not_like('%"finished_at":%'), ConnectionRow.first_sync.like('%"finished_at":null%')
    )
    return select(func.count()).where(
        ConnectionRow.account_id == account_id, ConnectionRow.ended_at.is_(None), unfinished
    )


def take(
    connection: Connection, *, owner: str, lease_seconds: int, account_id: int | None, **bounds: int
) -> list[Claim]:
    """Claim the one account, or up to `most` whose urgency is at most `urgent`."""
    values: dict[str, Any] = {"owner": owner, "lease": lease_seconds}
    values |= bounds if account_id is None else {"account": account_id}
    rows = connection.execute(claim_statement(account_id is not None), values).mappings().all()
    return sorted((_claim(row) for row in rows), key=_order)


def _order(claim: Claim) -> tuple[int, int]:
    return min((wake.priority for wake in claim.wakes), default=10), claim.account.id


def _claim(row: Any) -> Claim:
    account = orjson.loads(row["account"])
    account |= {"scopes": tuple(account["scopes"].split()), "standin": bool(account["standin"])}
    calendars = [CalendarRecord(**fields | {"primary": bool(fields["primary"])}) for fields in _list(row["calendars"])]
    return Claim(
        account=AccountRecord(**account),
        epoch=row["epoch"],
        at=row["at"],
        calendars=tuple(sorted(calendars, key=lambda calendar: (not calendar.primary, calendar.id))),
        cursors=tuple(CursorRecord(**fields) for fields in _list(row["cursors"])),
        wakes=tuple(WakeRecord(**fields) for fields in _list(row["wakes"])),
        connections=tuple(orjson.loads(row["connections"])),
        work=frozenset(name for name in (OPERATIONS, FIRST_SYNC) if row[name]),
        failures=row["failures"],
        scheduled=bool(row["scheduled"]),
        progress=orjson.loads(row["progress"] or "{}"),
    )


def _list(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(text)
    return found
