"""What a look costs, in statements and requests (data-model.md section 9; performance.md G3)."""

from __future__ import annotations

from datetime import timedelta

from calendar_ext.providers.memory import MemoryProvider

from .rig import MONDAY, Rig, guest


def look(rig: Rig) -> tuple[int, int]:
    """Run the account once; return its requests and its statements, claim and release among them."""
    provider = MemoryProvider(rig.world)
    rig.open = lambda account: provider
    rig.make_due()
    with rig.statements() as statements:
        outcome = rig.runner.run_one(rig.account.id)
    assert outcome.error == ""
    assert rig.state().lease_until is None and rig.state().next_at > 0
    return provider.requests, len(statements)


def test_a_look_without_news_is_one_request_and_two_statements(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    assert look(rig) == (1, 2)


def test_one_changed_event_is_six_statements_at_most(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.put("event00001", "Other title", at=MONDAY - timedelta(hours=99))
    assert look(rig) == (1, 5)
    rig.put("event00001", "Other title", at=MONDAY + timedelta(days=2))
    assert look(rig) == (1, 6)


def test_one_new_event_is_six_statements(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.put("new")
    assert look(rig) == (1, 6)
    assert "new" in rig.titles()


def test_one_deleted_event_is_seven_statements(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.remove("event00001")
    assert look(rig) == (1, 7)


def test_guests_cost_one_statement_more(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.put("meeting", attendees=(guest("pat@elsewhere.test"),))
    assert look(rig) == (1, 7)


def test_the_release_that_rode_on_the_fence_says_that_all_is_well(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    rig.execute("UPDATE calendar_ext_sync_state SET failures = 2, error_class = 'ProviderUnavailable', read_ok_at = 1")
    rig.put("new")
    look(rig)
    state = rig.state()
    assert (state.failures, state.error_class) == (0, "") and state.read_ok_at > 1


def test_waiting_costs_one_statement(rig: Rig) -> None:
    rig.run()
    with rig.statements() as statements:
        assert rig.runner.run_due() == 0
    assert len(statements) == 1 and statements[0].startswith("SELECT")
