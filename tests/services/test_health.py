"""States out of rows, and what administrators are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calendar_ext.errors import Refused, StoreUnavailable
from calendar_ext.limits import Limits
from calendar_ext.services.health import IN_STEP, STATES, progress_of, state_of, worst
from calendar_ext.sync.ports.people import AccountRecord, CardRecord, ConnectionRecord, TallyRecord
from calendar_ext.sync.ports.plan import OperationRecord

from ..sync.rig import TENANT, Rig
from .people import OTHER, STRANGER, USER, People

NOW = 1_800_000_000
LIMITS = Limits()
CARD = CardRecord(
    ConnectionRecord(1, "c", "t", 1, "7", first_sync={"started_at": 1, "finished_at": 2}),
    AccountRecord(1, "a", "t", "memory", "i", "s", "mira@example.test"),
    read_ok_at=NOW - 10,
)


def card(
    *, account: dict[str, Any] | None = None, connection: dict[str, Any] | None = None, **state: Any
) -> CardRecord:
    """Return a healthy card with some facts changed."""
    changed = replace(CARD, **state)
    changed = replace(changed, account=replace(CARD.account, **account or {}))
    return replace(changed, connection=replace(CARD.connection, **connection or {}))


CASES: list[tuple[str, CardRecord, TallyRecord]] = [
    ("connected", card(), TallyRecord()),
    ("connected", card(), TallyRecord(waiting=3, unread=2)),
    ("sign_in", card(account={"status": "reconnect_needed"}), TallyRecord()),
    ("sign_in", card(account={"status": "reconnect_needed"}, connection={"paused_by": "owner"}), TallyRecord()),
    ("sign_in", card(account={"status": "credential_error"}), TallyRecord()),
    ("consent", card(account={"status": "consent_needed"}), TallyRecord()),
    ("limited", card(account={"status": "limited", "status_reason": "missing_permission"}), TallyRecord()),
    ("closed", card(account={"status": "limited", "status_reason": "calendar_closed"}), TallyRecord()),
    ("review", card(account={"status": "needs_review"}), TallyRecord()),
    ("disconnecting", card(account={"status": "disconnecting"}), TallyRecord()),
    ("disconnecting", card(connection={"leaving": {"at": 1}}), TallyRecord()),
    ("paused", card(connection={"paused_by": "owner"}), TallyRecord(failed=1)),
    ("paused", card(account={"status": "paused"}), TallyRecord()),
    ("paused_by_admin", card(connection={"paused_by": "admin"}), TallyRecord()),
    ("error", card(), TallyRecord(failed=1)),
    ("rate_limited", card(failures=1, error_class="RateLimited", failing_since=NOW - 5), TallyRecord()),
    ("retrying", card(failures=1, error_class="ProviderUnavailable", failing_since=NOW - 599), TallyRecord()),
    ("outage", card(failures=9, error_class="ProviderUnavailable", failing_since=NOW - 600), TallyRecord()),
    ("first_sync", card(read_ok_at=None), TallyRecord()),
    ("first_sync", card(connection={"first_sync": {"started_at": NOW}}), TallyRecord()),
    ("late", card(read_ok_at=NOW - 2 * LIMITS.poll_seconds - 601), TallyRecord()),
    ("connected", card(read_ok_at=NOW - 2 * LIMITS.poll_seconds - 600), TallyRecord()),
]


@pytest.mark.parametrize(("state", "given", "tally"), CASES)
def test_a_state_follows_from_rows(state: str, given: CardRecord, tally: TallyRecord) -> None:
    assert state_of(given, tally, NOW, LIMITS) == state
    assert state in STATES


def test_a_calendar_that_is_gone_is_a_state() -> None:
    assert state_of(CARD, TallyRecord(), NOW, LIMITS, gone=True) == "calendar_gone"


def test_every_state_is_a_case_and_only_two_are_in_step() -> None:
    assert {state for state, _, _ in CASES} | {"calendar_gone"} == set(STATES)
    assert set(IN_STEP) == {"connected", "retrying"}


@pytest.mark.parametrize(("passed", "late"), [(10, False), (1_800, False), (1_801, True)])
def test_E19_a_first_synchronization_is_late_after_half_an_hour(passed: int, late: bool) -> None:
    given = card(connection={"first_sync": {"started_at": NOW - passed}}, progress={"pulled": 796, "total": 1_284})
    progress = progress_of(given, NOW, LIMITS)
    assert progress is not None
    assert (progress.done, progress.percent, progress.late) == (796, 61, late)
    assert progress_of(CARD, NOW, LIMITS) is None


def test_a_total_nobody_knows_gives_no_percentage() -> None:
    progress = progress_of(card(connection={"first_sync": {"started_at": NOW}}), NOW, LIMITS)
    assert progress is not None and progress.percent is None


def test_connections_are_their_person_s_and_cards_the_organisation_s(people: People, rig: Rig) -> None:
    rig.put("one")
    rig.put("two")
    rig.run()
    (mine,) = people.health.connections(USER)
    assert (mine.state, mine.tally.events, mine.email, mine.label) == (
        "connected", 2, "mira@example.test", "Memory Calendar",
    )  # fmt: skip
    assert people.health.connections(OTHER) == []
    assert [one.connection for one in people.health.organisation(OTHER)] == [mine.connection]
    assert people.health.organisation(STRANGER) == []


def test_what_waits_and_what_failed_is_counted_beside_the_card(people: People, rig: Rig) -> None:
    rig.run()
    states = [("planned", 1), ("unknown", 2), ("held", 3), ("failed", 4), ("failed", 5), ("done", 5)]
    with people.store.write() as unit:
        for state, event in states:
            unit.operations.add(
                OperationRecord(TENANT, rig.account.id, "patch", event_id=event, state=state, created_at=1)
            )
    (mine,) = people.health.connections(USER)
    assert (mine.tally.waiting, mine.tally.held, mine.tally.failed) == (2, 1, 1)
    assert mine.waiting == 3 and mine.state == "error"


def test_administrators_are_told_counts_ages_and_findings(people: People, rig: Rig) -> None:
    rig.put("Confidential")
    rig.run()

    def refuse() -> None:
        raise Refused("The keys are wrong.")

    people.health._checks.update({"keys": refuse, "schema": lambda: ""})
    report = people.health.report()
    assert report["database"] == "ok" and report["connections"] == 1
    assert report["accounts"] == {"active": 1}
    assert report["checks"] == {"keys": "The keys are wrong.", "schema": "ok"}
    assert report["ready"] is False, "nobody ticks here"
    assert "Confidential" not in repr(report) and "mira@" not in repr(report)
    rig.execute(
        "INSERT INTO calendar_ext_process (host, pid, role, version, started_at, seen_at)"
        " VALUES ('h', 1, 'web', '0', 1, :now)",
        now=people.health.now(),
    )
    assert people.health.report()["ready"] is True


def test_a_database_that_does_not_answer_is_a_finding(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> Any:
        raise StoreUnavailable

    monkeypatch.setattr(people.store, "read", down)
    assert people.health.live() is False
    report = people.health.report()
    assert report["database"].startswith("The database is not answering") and report["ready"] is False


def test_the_worst_connection_speaks_for_all(people: People, rig: Rig) -> None:
    rig.run()
    (mine,) = people.health.connections(USER)
    others = [replace(mine, state=state) for state in ("connected", "paused", "sign_in", "error")]
    found = worst(others)
    assert found is not None and found.state == "sign_in"
    assert worst([]) is None
