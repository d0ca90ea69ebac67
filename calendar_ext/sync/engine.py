"""One run over one claimed account: pull, settle, compare, push, and how it ends.

Everything that waits is found by the state of the rows, so a run may end anywhere: the next one goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from ..errors import BreakerTripped, CalendarExtError, Defect, Gone, LeaseLost, NeedsPerson, PermissionDenied
from ..limits import Limits
from ..providers.base import CalendarProvider
from . import checkpoint, finishing, retry
from .checkpoint import Place
from .compare import compare
from .keeping import window
from .operations import push
from .ports.content import FIRST_SYNC, OPERATIONS, CalendarRecord, Claim, Release
from .ports.host import HostPort
from .ports.people import AccountRecord
from .ports.store import Fence, Store
from .progress import Progress
from .pull import read_rest, read_visible
from .run import Clock, Run
from .settle import settle
from .storing import Pass, Together
from .wake import BACKGROUND, COMPARING, LISTING, SETTLE

log = logging.getLogger("calendar_ext.sync")

#: Opens an account at its provider; sends nothing.
Opener = Callable[[AccountRecord], CalendarProvider]
#: Carries a disconnect on: what is to be removed is removed, the grant revoked, the connection ended.
Leave = Callable[[Run], None]
#: Reasons of hints after which somebody leaves an account that others go on using.
LEAVING = frozenset({"disconnect", "user_deleted"})


def stay(run: Run) -> None:
    """Leave nothing: for stores without connections."""


@dataclass(slots=True)
class _Going:
    """A run under way, with what was claimed for it."""

    claim: Claim
    reading: Pass
    progress: Progress
    #: Everything that was to be read has been read.
    whole: bool = True
    #: What one calendar ended with, raised when the others are through.
    trouble: CalendarExtError | None = None

    @property
    def has_more(self) -> bool:
        """Return whether the run goes on after its reading, as far as that is known before."""
        claim = self.claim
        return bool(self.trouble or claim.wakes or claim.work or self.progress.active) or not self.whole

    @property
    def run(self) -> Run:
        """Return the run."""
        return self.reading.run


class Engine:
    """Runs claimed accounts.

    :param installation: returns the installation's public id.
    :param leave: called for accounts that are disconnecting, and where one of several connections leaves.
    :param clock: UTC seconds.
    """

    def __init__(
        self,
        *,
        store: Store,
        opener: Opener,
        host: HostPort,
        limits: Limits,
        clock: Clock,
        installation: Callable[[], str],
        leave: Leave = stay,
        rng: Random | None = None,
    ) -> None:
        self._store, self._opener, self._host, self._limits = store, opener, host, limits
        self._clock, self._installation, self._rng = clock, installation, rng or Random()
        self._leave = leave
        self._under_way: dict[Fence, Run] = {}

    def run(self, claim: Claim, budget_seconds: float, together: Together | None = None) -> Release | None:
        """Carry out one claim and return how to let go of it; None where another worker has the account now.

        Never raises: what goes wrong becomes the account's state.

        :param together: may take what would be all that a look writes, and stores it soon after.
        """
        fence = Fence(claim.account.id, claim.epoch, self._limits.lease_seconds)
        try:
            going = self._open(claim, fence, budget_seconds)
        except Exception as error:
            return self._failed(claim, fence, error)
        going.reading.together = together
        self._under_way[fence] = going.run
        try:
            self._carry_out(going)
        except LeaseLost:
            return None
        except Exception as error:
            return self._failed(claim, fence, error, going)
        finally:
            del self._under_way[fence]
        return self._good(going)

    def hurry(self) -> None:
        """Let runs under way end at their next safe place."""
        for run in list(self._under_way.values()):
            run.deadline = float("-inf")

    def _open(self, claim: Claim, fence: Fence, budget_seconds: float) -> _Going:
        run = Run(
            account=claim.account,
            fence=fence,
            provider=self._opener(claim.account),
            store=self._store,
            host=self._host,
            limits=self._limits,
            clock=self._clock,
            installation=self._installation(),
            deadline=self._clock() + budget_seconds,
        )
        reading = Pass(run, window(claim.at, self._limits), claim.at)
        reading.stored = partial(finishing.tell, run, claim)
        listed = {cursor.calendar_id for cursor in claim.cursors if cursor.state == "current"}
        first = FIRST_SYNC in claim.work or any(calendar.id not in listed for calendar in claim.calendars)
        return _Going(claim, reading, Progress(claim.account.id, claim.progress, active=first, now=claim.at))

    def _carry_out(self, going: _Going) -> None:
        reasons = {wake.reason for wake in going.claim.wakes}
        ends = going.claim.account.status == "disconnecting"
        if ends or reasons & LEAVING:
            self._leave(going.run)
        if not ends:
            self._synchronize(going, reasons)
        self._conclude(going)

    def _synchronize(self, going: _Going, reasons: set[str]) -> None:
        self._pull(going)
        if going.reading.unsettled:
            # There is more to do after all: the next fence takes the claim up again.
            going.reading.released = False
        first = FIRST_SYNC in going.claim.work and going.whole
        if (going.reading.unsettled or SETTLE in reasons or first) and self._waits(going)[0]:
            settle(going.run)
        if first or reasons & COMPARING:
            compare(going.run)
        if OPERATIONS in going.claim.work or going.reading.unsettled or first or reasons:
            self._push(going)
        if going.trouble:
            raise going.trouble

    def _push(self, going: _Going) -> None:
        if not self._waits(going)[1]:
            return
        if going.progress.active and going.whole:
            finishing.sending(going.run, going.progress, going.reading.now)
        push(going.run)

    def _waits(self, going: _Going) -> tuple[bool, bool]:
        with self._store.read() as unit:
            return unit.sync_states.waits(going.run.account.id)

    def _pull(self, going: _Going) -> None:
        places = [(calendar, self._place(going, calendar)) for calendar in _chosen(going.claim)]
        if going.progress.active:
            going.progress.expect(calendar for calendar, _ in places)
        visible = [(read_visible, calendar, place) for calendar, place in places if place.visible]
        rest = [(read_rest, calendar, place) for calendar, place in places]
        for number, (read, calendar, place) in enumerate(visible + rest):
            # At least one is read, however little time there is: else a run might never get on.
            if number and going.run.out_of_time():
                going.whole = False
                return
            if number == len(visible) and going.progress.active and going.progress.phase("all"):
                going.progress.step("visible", going.reading.now, count=going.progress.facts["pulled"])
            if number == len(visible + rest) - 1 and not going.has_more:
                going.reading.last = self._good(going)
            self._read(going, read, calendar, place)

    def _place(self, going: _Going, calendar: CalendarRecord) -> Place:
        place = checkpoint.place(going.claim.cursors, calendar.id, going.reading.now)
        return checkpoint.prepare(going.run, calendar, place, going.reading.now)

    def _read(self, going: _Going, read: Callable[..., bool], calendar: CalendarRecord, place: Place) -> None:
        """Read one calendar; one that is gone or closed does not keep the others from being read."""
        try:
            going.whole &= read(going.reading, calendar, place, going.progress)
        except (Gone, PermissionDenied) as error:
            going.trouble = finishing.closed(going.run, calendar, error) or going.trouble

    def _good(self, going: _Going) -> Release:
        run = going.run
        poll = self._limits.poll_seconds
        return Release(
            account_id=run.account.id,
            epoch=run.fence.epoch,
            delay=round(poll * self._rng.uniform(0.9, 1.1)) if going.whole else 0,
            wake_ids=_read_wakes(going),
            read_ok=going.whole,
            write_ok=run.tally.pushed > 0,
            priority=BACKGROUND if going.whole else LISTING,
            written=going.reading.released,
        )

    def _conclude(self, going: _Going) -> None:
        run, account = going.run, going.claim.account
        finished = going.progress.active and going.whole and not run.out_of_time()
        if finished:
            finishing.done(run, going.claim, going.progress, self._good(going))
            going.reading.released = True
        elif finishing.worth_a_line(run):
            finishing.journal(run, going.claim, outcome="done")
            # The line's own fence has taken the claim up again.
            going.reading.released = False
        if going.whole and account.status == "limited" and account.status_reason == finishing.CLOSED:
            finishing.opened(run)
            going.reading.released = False
        if run.tally.changed:
            finishing.tell(run, going.claim)

    def _failed(self, claim: Claim, fence: Fence, error: Exception, going: _Going | None = None) -> Release | None:
        """Turn an error into the account's state; what was committed before it stays."""
        error = _ours(error, claim)
        failures = claim.failures + 1
        verdict = retry.verdict(error, failures, self._limits, self._rng)
        try:
            finishing.failed(self._store, fence, claim, error, verdict, going.run if going else None)
        except LeaseLost:
            return None
        except CalendarExtError as second:
            log.warning("The state of account %s could not be stored: %s.", claim.account.public_id, second.code)
        return Release(
            account_id=claim.account.id,
            epoch=claim.epoch,
            delay=verdict.delay,
            wake_ids=_read_wakes(going) if going else tuple(wake.id for wake in claim.wakes),
            failures=0 if isinstance(error, NeedsPerson) else failures,
            error_class=type(error).__name__,
            error_code=error.code if isinstance(error, CalendarExtError) else "",
            hold=verdict.hold,
        )


def _chosen(claim: Claim) -> list[CalendarRecord]:
    """Return the calendars to read: those the hints name where the account is not due anyway."""
    named = {wake.calendar_id for wake in claim.wakes}
    if claim.scheduled or not named or None in named:
        return list(claim.calendars)
    return [calendar for calendar in claim.calendars if calendar.id in named]


def _read_wakes(going: _Going) -> tuple[int, ...]:
    """Return the hints this run has answered. A run cut short has not settled everything: that hint stays."""
    answered = [wake.id for wake in going.claim.wakes if going.whole or wake.reason != SETTLE]
    return tuple(answered + (going.reading.wakes if not going.run.out_of_time() else []))


def _ours(error: Exception, claim: Claim) -> CalendarExtError:
    if isinstance(error, BreakerTripped):
        log.warning("The run of account %s stopped: %s.", claim.account.public_id, error.facts.get("reason"))
        return error
    if isinstance(error, CalendarExtError):
        log.info("The run of account %s failed: %s.", claim.account.public_id, error.code)
        return error
    log.error("The run of account %s broke.", claim.account.public_id, exc_info=error)
    return Defect(cause=type(error).__name__)
