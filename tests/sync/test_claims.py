"""Who runs which account when: claims, fences, hints, holds (host-contract.md 8.2; data-model.md L4, L5)."""

from __future__ import annotations

import threading

import pytest

from calendar_ext.errors import (
    AuthorizationExpired,
    KeyMissing,
    LeaseLost,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
)
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.base import RemoteCalendar
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.sync.ports.store import Fence

from .rig import Rig


class Meddling(MemoryProvider):
    """Lets something happen at the first request of a run."""

    def __init__(self, world, meddle):
        super().__init__(world)
        self._meddle = meddle

    def _enter(self):
        super()._enter()
        if self.requests == 1:
            self._meddle()


def claim(rig: Rig, owner: str = "me"):
    """Claim the account and return what came with it."""
    with rig.store.write() as unit:
        return unit.sync_states.claim(owner, 60, limit=10)


def test_an_account_is_claimed_once(rig: Rig) -> None:
    (found,) = claim(rig)
    assert claim(rig, "another") == []
    assert (found.account, found.epoch, found.scheduled) == (rig.account, 1, True)
    assert [calendar.id for calendar in found.calendars] == [rig.calendar().id]
    assert found.connections == ("connection-00000000000",)


def test_a_lease_that_ran_out_is_taken_over_under_a_new_epoch(rig: Rig) -> None:
    (first,) = claim(rig)
    rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 1")
    (second,) = claim(rig, "another")
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLost), rig.store.write(Fence(rig.account.id, first.epoch)):
        pass


def test_what_is_not_due_is_claimed_only_for_a_hint(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    assert claim(rig) == []
    rig.runner.wake(None, rig.account.id, priority=0, reason="asked")
    (found,) = claim(rig)
    assert [wake.reason for wake in found.wakes] == ["asked"] and not found.scheduled


def test_a_hint_for_later_waits(rig: Rig) -> None:
    rig.run()
    rig.runner.wake(None, rig.account.id, delay=100)
    assert rig.runner.due() == []
    rig.pass_time(101)
    assert rig.runner.due() == [rig.account.id]


@pytest.mark.parametrize("status", ["paused", "reconnect_needed", "consent_needed", "needs_review", "disconnected"])
def test_an_account_that_waits_for_a_person_is_not_claimed(rig: Rig, status: str) -> None:
    with rig.store.write() as unit:
        unit.accounts.set_status(rig.account.id, status)
    assert claim(rig) == [] and not rig.run().ran


def test_while_deactivated_nothing_is_claimed(rig: Rig) -> None:
    with rig.store.write() as unit:
        unit.installations.write(state="inactive")
    assert claim(rig) == [] and rig.runner.due() == []


def test_a_run_that_lost_its_lease_changes_nothing_more(rig: Rig) -> None:
    rig.fill(5)

    def take_over() -> None:
        rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 1")
        assert claim(rig, "another")

    rig.open = lambda account: Meddling(rig.world, take_over)
    rig.make_due()
    assert rig.runner.run_one(rig.account.id).error == "LeaseLost"
    assert rig.events() == []
    assert rig.state().lease_owner == "another"


def test_a_run_that_was_overtaken_does_not_end_the_other_ones_lease(rig: Rig) -> None:
    rig.run()

    def take_over() -> None:
        rig.execute("UPDATE calendar_ext_sync_state SET lease_until = 1, next_at = 0")
        assert claim(rig, "another")

    rig.open = lambda account: Meddling(rig.world, take_over)
    rig.run()
    assert rig.state().lease_owner == "another" and rig.state().lease_until is not None


def test_deactivation_in_the_middle_of_a_run_stops_it(rig: Rig) -> None:
    rig.fill(5)

    def deactivate() -> None:
        with rig.store.write() as unit:
            unit.installations.write(state="inactive")

    rig.open = lambda account: Meddling(rig.world, deactivate)
    assert rig.run().error == "LeaseLost"
    assert rig.events() == []


def test_a_hint_during_a_run_starts_the_next(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    wake = rig.runner.wake
    wake(None, rig.account.id, priority=0, reason="asked")
    rig.open = lambda account: Meddling(rig.world, lambda: wake(None, rig.account.id, priority=0, reason="asked"))
    assert rig.runner.run_one(rig.account.id).ran
    assert rig.runner.due() == [rig.account.id], "the hint that came meanwhile is still there"
    rig.open = lambda account: MemoryProvider(rig.world)
    assert rig.runner.run_one(rig.account.id).ran
    assert rig.runner.due() == []


def test_hints_that_say_the_same_are_one(rig: Rig) -> None:
    for _ in range(5):
        rig.runner.wake(None, rig.account.id, priority=0, reason="asked")
    rig.runner.wake(None, rig.account.id, priority=10, reason="asked")
    assert len(rig.all("wake")) == 1


def test_a_hint_shares_the_fate_of_the_callers_transaction(rig: Rig) -> None:
    with pytest.raises(ZeroDivisionError), rig.store.write() as unit:
        rig.runner.wake(unit, rig.account.id, priority=0, reason="edit")
        raise ZeroDivisionError
    assert rig.all("wake") == []


def test_a_hint_that_names_a_calendar_reads_only_that_one(rig: Rig) -> None:
    rig.world.add_calendar(RemoteCalendar("second", "Second"))
    with rig.store.write() as unit:
        calendars = unit.calendars.adopt(rig.account, MemoryProvider(rig.world).calendars())
        for calendar in calendars:
            unit.calendars.set_reads(calendar.id, "mirror")
    rig.run()
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.runner.wake(None, rig.account.id, calendar_id=calendars[1].id)
    rig.runner.run_one(rig.account.id)
    assert provider.requests == 1


def test_an_open_page_wakes_its_account_at_most_every_thirty_seconds(rig: Rig, store: SqlStore) -> None:
    now = [1_000.0]
    runner = AccountRunner(store=store, engine=rig.engine, limits=rig.limits, monotonic=lambda: now[0])
    rig.run()
    rig.execute("UPDATE calendar_ext_sync_state SET read_ok_at = read_ok_at - 60")
    hinted = []
    runner.hints.append(lambda *facts: hinted.append(facts))
    with rig.statements() as statements:
        for _ in range(3):
            runner.wake_page(rig.account.id)
            now[0] += 9
    assert (len(rig.all("wake")), hinted) == (1, [(rig.account.id, 0, 0)])
    assert len([one for one in statements if "wake" in one]) == 1
    now[0] += 9
    runner.wake_page(rig.account.id)
    assert len(rig.all("wake")) == 1, "another process, or this one, has just left a hint"


def test_an_account_just_read_needs_no_hint_of_a_page(rig: Rig) -> None:
    rig.run()
    rig.runner.wake_page(rig.account.id)
    assert rig.all("wake") == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AuthorizationExpired(), "reconnect_needed"),
        (PermissionDenied(), "consent_needed"),
        (KeyMissing(), "credential_error"),
    ],
)
def test_what_needs_a_person_becomes_the_accounts_status(rig: Rig, error: Exception, status: str) -> None:
    def refuse(account):
        raise error

    rig.open = refuse
    assert rig.run().error == type(error).__name__
    assert rig.status()[0] == status
    assert rig.state().error_class == type(error).__name__


def test_an_outage_is_tried_again_later_and_forgotten_after_a_success(rig: Rig) -> None:
    rig.world.fail_next(ProviderUnavailable())
    rig.run()
    state = rig.state()
    assert (state.failures, state.error_class, rig.status()) == (1, "ProviderUnavailable", ("active", ""))
    assert state.failing_since is not None and state.read_ok_at is None
    rig.run()
    state = rig.state()
    assert (state.failures, state.error_class, state.failing_since) == (0, "", None)
    assert state.read_ok_at is not None


def test_the_last_success_never_moves_backwards(rig: Rig) -> None:
    rig.run()
    before = rig.state().read_ok_at
    rig.world.fail_next(ProviderUnavailable())
    rig.run()
    assert rig.state().read_ok_at == before


def test_when_the_provider_asks_for_quiet_not_even_a_hint_starts_a_run(rig: Rig) -> None:
    rig.world.fail_next(RateLimited(retry_after=120))
    rig.run()
    rig.runner.wake(None, rig.account.id, priority=0, reason="asked")
    assert rig.runner.due() == []
    state = rig.state()
    assert 120 <= state.breaker_until - state.failing_since <= 120 + 15


def test_five_failures_in_a_row_open_the_breaker_of_this_account_alone(rig: Rig) -> None:
    other = rig.connect("joan@example.test")
    for _ in range(5):
        assert rig.state().breaker_until is None
        rig.world.fail_next(ProviderUnavailable())
        rig.run()
    assert rig.state().breaker_until is not None
    rig.execute(f"UPDATE calendar_ext_sync_state SET next_at = 0 WHERE account_id = {other.id}")
    assert rig.runner.due() == [other.id]


def test_a_defect_of_ours_is_logged_counted_and_tried_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryProvider):
        def _enter(self):
            raise ZeroDivisionError("a title somebody typed")

    rig.open = lambda account: Broken(rig.world)
    assert rig.run().error == "Defect"
    assert rig.state().failures == 1 and rig.status() == ("active", "")
    assert "broke" in caplog.text


def test_a_batch_is_claimed_and_released_at_once(rig: Rig) -> None:
    for number in range(9):
        rig.connect(f"user{number}@example.test")
    rig.runner.run_due()
    rig.make_due()
    with rig.statements() as statements:
        assert rig.runner.run_due() == 10
    assert len(statements) == 3, "asked once, claimed once, released once"


def test_urgent_accounts_come_first_and_long_listings_last(rig: Rig) -> None:
    others = [rig.connect(f"user{number}@example.test") for number in range(3)]
    rig.runner.run_due()
    fresh = rig.connect("fresh@example.test")
    rig.make_due()
    rig.runner.wake(None, others[2].id, priority=0, reason="asked")
    assert rig.runner.due()[0] == others[2].id
    order = []
    opened = rig.open
    rig.open = lambda account: order.append(account.id) or opened(account)
    rig.runner.run_due()
    assert order[0] == others[2].id and order[-1] == fresh.id


def test_claims_that_grew_old_are_given_back(rig: Rig, store: SqlStore) -> None:
    now = [0.0]

    class Slow(MemoryProvider):
        def _enter(self):
            super()._enter()
            now[0] += 31

    rig.open = lambda account: Slow(rig.world)
    rig.connect("joan@example.test")
    runner = AccountRunner(store=store, engine=rig.engine, limits=rig.limits, monotonic=lambda: now[0])
    assert runner.run_due() == 1
    free = [row for row in rig.all("sync_state") if row["lease_until"] is None]
    assert len(free) == 2


def test_a_stopped_runner_claims_nothing_and_hurries_what_is_under_way(rig: Rig) -> None:
    rig.world.page_size = 1
    rig.fill(6)
    rig.open = lambda account: Meddling(rig.world, rig.runner.stop)
    assert rig.runner.run_one(rig.account.id).error == ""
    assert 0 < len(rig.titles()) < 6
    rig.make_due()
    assert rig.runner.run_due() == 0
    rig.runner.go_on()
    assert rig.runner.run_due() == 1


def test_workers_never_run_one_account_at_a_time(rig: Rig, limits: Limits) -> None:
    for number in range(7):
        rig.connect(f"user{number}@example.test")
    running, overlaps, ran = set(), [], []
    guard = threading.Lock()

    class Watched(MemoryProvider):
        def __init__(self, world, account_id):
            super().__init__(world)
            self._account_id = account_id

        def _enter(self):
            with guard:
                if self._account_id in running:
                    overlaps.append(self._account_id)
                running.add(self._account_id)
            super()._enter()
            with guard:
                running.discard(self._account_id)
                ran.append(self._account_id)

    rig.open = lambda account: Watched(rig.world, account.id)
    runners = [AccountRunner(store=rig.store, engine=rig.engine, limits=limits, owner=name) for name in "abcd"]
    threads = [threading.Thread(target=runner.run_due, kwargs={"limit": 2}) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [] and len(ran) == 16 and len(set(ran)) == 8


def test_an_account_nobody_took_for_a_minute_is_hinted_at_again(rig: Rig) -> None:
    hinted = []
    rig.runner.hints.append(lambda account_id, *rest: hinted.append(account_id))
    rig.execute("UPDATE calendar_ext_sync_state SET next_at = 1")
    assert rig.runner.sweep() == 1 and hinted == [rig.account.id]


def test_leaving_is_carried_on_and_nothing_else_is_done(rig: Rig) -> None:
    left = []
    rig.engine._leave = lambda run: left.append(run.account.id)
    with rig.store.write() as unit:
        unit.accounts.set_status(rig.account.id, "disconnecting")
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.run()
    assert (left, provider.requests) == ([rig.account.id], 0)
