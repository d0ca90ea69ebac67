"""How a connection is, in the one vocabulary of docs/states.md, and what an administrator should look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract import OwnerProfile
from ..errors import CalendarExtError
from ..limits import Limits
from ..providers.registry import Registry
from ..sync.ports.people import ENDED, CardRecord, TallyRecord
from ..sync.ports.store import Store
from .tending import BY_ADMIN
from .welcoming import MISSING_PERMISSION

#: States, the worst first: what a place shared by several connections shows (ui.md section 6).
STATES = (
    "sign_in", "consent", "limited", "review", "error", "outage", "rate_limited", "late", "calendar_gone", "closed",
    "paused_by_admin", "paused", "first_sync", "retrying", "disconnecting", "connected",
)  # fmt: skip
#: States in which the sentence *Your Agenda is synchronized with …* is true.
IN_STEP = ("connected", "retrying")
#: Statuses of an account that only a person can end, as states.
_STATUSES = {
    "reconnect_needed": "sign_in",
    "credential_error": "sign_in",
    "consent_needed": "consent",
    "limited": "limited",
    "needs_review": "review",
}
#: Class of the error after which a provider asked us to slow down.
_THROTTLED = "RateLimited"
#: An outage shorter than this is only shown as a badge.
QUIET_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Progress:
    """A first synchronization under way. `total` is None while nobody knows it; `late`: longer than is usual."""

    done: int = 0
    total: int | None = None
    late: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def percent(self) -> int | None:
        """Return how far it is; 100 only when it is over."""
        return min(99, self.done * 100 // self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class Condition:
    """One connection as every screen shows it.

    :param state: one of `STATES`.
    :param waiting: changes that go out when it goes on.
    :param last_sync: UTC seconds of the last success; never moves backwards.
    """

    connection: str
    account: str
    account_id: int
    provider: str
    label: str
    company: str
    email: str
    state: str
    tally: TallyRecord
    on: bool = True
    last_sync: int | None = None
    next_try: int | None = None
    standin: bool = False
    progress: Progress | None = None
    paused_at: int | None = None
    owner_id: str = ""
    kind: str = ""
    gone: tuple[str, ...] = ()

    @property
    def in_step(self) -> bool:
        """Return whether the status sentence is true of it."""
        return self.state in IN_STEP

    @property
    def waiting(self) -> int:
        """Return how many changes wait."""
        return self.tally.waiting + self.tally.held


class Health:
    """Derives states from rows; stores nothing.

    :param clock: UTC seconds.
    :param checks: what else an administrator sees, each returning a sentence or a figure: `engine`, `keys`, ...
    """

    def __init__(
        self,
        *,
        store: Store,
        providers: Registry,
        limits: Limits,
        clock: Callable[[], float],
        checks: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        self._store, self._providers, self._limits, self._clock = store, providers, limits, clock
        self._checks = checks or {}

    def now(self) -> int:
        """Return UTC seconds, for ages on a page."""
        return int(self._clock())

    def connections(self, user: OwnerProfile) -> list[Condition]:
        """Return a person's connections, oldest first."""
        return self._conditions(user.tenant_id, user.user_id)

    def organisation(self, user: OwnerProfile) -> list[Condition]:
        """Return every connection of the person's organisation; no event of anybody."""
        return self._conditions(user.tenant_id, None)

    def _conditions(self, tenant_id: str, owner_id: str | None) -> list[Condition]:
        with self._store.read() as unit:
            cards = unit.pages.cards(tenant_id, owner_id)
            tallies = unit.pages.tallies({card.account.id for card in cards})
            gone = {card.account.id: unit.pages.vanished(card.account.id) for card in cards}
        return [self._condition(card, tallies.get(card.account.id), gone[card.account.id]) for card in cards]

    def _condition(self, card: CardRecord, tally: TallyRecord | None, gone: Sequence[str]) -> Condition:
        account, connection = card.account, card.connection
        kind = self._providers.get(account.provider) if account.provider in self._providers else None
        counted = tally or TallyRecord()
        now = int(self._clock())
        return Condition(
            connection=connection.public_id,
            account=account.public_id,
            account_id=account.id,
            provider=account.provider,
            label=kind.label if kind else account.provider,
            company=kind.company if kind else account.provider,
            email=account.email,
            state=state_of(card, counted, now, self._limits, bool(gone)),
            tally=counted,
            on=not connection.paused_by,
            last_sync=card.read_ok_at,
            next_try=card.next_at if card.failures else None,
            standin=account.standin,
            progress=progress_of(card, now, self._limits),
            paused_at=connection.paused_at,
            owner_id=connection.owner_id,
            kind=account.kind,
            gone=tuple(gone),
        )

    def live(self) -> bool:
        """Return whether the process answers and its database does."""
        try:
            with self._store.read() as unit:
                unit.now()
        except CalendarExtError:
            return False
        return True

    def report(self) -> dict[str, Any]:
        """Return what the administrators' page shows: counts, ages and findings of the whole installation."""
        report: dict[str, Any] = {"now": int(self._clock())}
        try:
            with self._store.read() as unit:
                report |= {"database": "ok", "database_now": unit.now(), "installation": unit.installations.get()}
                report |= unit.pages.health()
        except CalendarExtError as error:
            report |= {"database": str(error)}
        report["checks"] = {name: _finding(check) for name, check in self._checks.items()}
        report["ready"] = self._ready(report)
        return report

    def _ready(self, report: dict[str, Any]) -> bool:
        """Readiness of trust.md O-04: somebody ticks, and nothing has been due for a quarter of an hour."""
        now, due = report["now"], report.get("oldest_due")
        beat = max((process["seen_at"] for process in report.get("processes", ())), default=0)
        return report["database"] == "ok" and now - beat < 120 and (due is None or now - due < 900)


def _finding(check: Callable[[], Any]) -> Any:
    try:
        return check() or "ok"
    except CalendarExtError as error:
        return str(error)


def worst(conditions: Sequence[Condition]) -> Condition | None:
    """Return the connection a shared place speaks of; None without any."""
    return min(conditions, key=lambda one: STATES.index(one.state), default=None)


def state_of(card: CardRecord, tally: TallyRecord, now: int, limits: Limits, gone: bool = False) -> str:
    """Return the state of one connection."""
    account, connection = card.account, card.connection
    if connection.leaving or account.status in ENDED:
        return "disconnecting"
    if account.status == "limited" and account.status_reason != MISSING_PERMISSION:
        return "closed"
    if account.status in _STATUSES:
        return _STATUSES[account.status]
    if connection.paused_by:
        return "paused_by_admin" if connection.paused_by == BY_ADMIN else "paused"
    if account.status == "paused":
        return "paused"
    return _running(card, tally, now, limits, gone)


def _running(card: CardRecord, tally: TallyRecord, now: int, limits: Limits, gone: bool) -> str:
    failing = now - card.failing_since if card.failing_since and card.failures else 0
    if tally.failed:
        return "error"
    if card.error_class == _THROTTLED and card.failures:
        return "rate_limited"
    if failing >= QUIET_SECONDS:
        return "outage"
    if gone:
        return "calendar_gone"
    if card.read_ok_at is None or is_first(card):
        return "first_sync"
    if card.failures:
        return "retrying"
    return "late" if now - card.read_ok_at > 2 * limits.poll_seconds + QUIET_SECONDS else "connected"


def is_first(card: CardRecord) -> bool:
    """Return whether the connection's first synchronization is not over."""
    first = card.connection.first_sync
    return bool(first.get("started_at")) and not first.get("finished_at")


def progress_of(card: CardRecord, now: int, limits: Limits) -> Progress | None:
    """Return how far the first synchronization is; None where none is under way."""
    if not is_first(card):
        return None
    facts = card.progress
    late = now - int(card.connection.first_sync["started_at"]) > limits.first_sync_alarm_seconds
    return Progress(int(facts.get("pulled") or 0), facts.get("total") or None, late, facts)
