"""What time alone drops, moves or empties."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from calendar_ext.errors import LeaseLost
from calendar_ext.jobs.housekeeping import DAY, EDGE, Housekeeping
from calendar_ext.persistence import tables

from ..sync.rig import MONDAY, Rig


@pytest.fixture
def house(rig: Rig) -> Housekeeping:
    """The house of an account that has been read."""
    return Housekeeping(rig.store, rig.limits)


def age(rig: Rig, statement: str, days: int) -> None:
    """Move a time into the past; `statement` ends before the number of seconds."""
    rig.execute(f"{statement} - {days * DAY}")


def test_what_has_been_in_the_bin_for_a_month_is_gone_with_everything_that_hung_on_it(
    rig: Rig, house: Housekeeping
) -> None:
    rig.put("old")
    rig.put("young")
    rig.put("kept")
    rig.run()
    for name in ("old", "young"):
        rig.remove(name)
    rig.run()
    age(rig, "UPDATE calendar_ext_event SET deleted_at = deleted_at", 31)
    rig.execute("UPDATE calendar_ext_event SET deleted_at = deleted_at + 200000 WHERE object_id = 'young'")
    house.do()
    assert [row["title"] for row in rig.events(deleted=True)] == ["kept", "young"]


def test_instances_that_ended_before_the_window_are_dropped(rig: Rig, house: Housekeeping) -> None:
    rig.put("past", at=MONDAY - timedelta(days=80))
    rig.put("present")
    rig.run()
    assert len(rig.all("occurrence")) == 2
    rig.execute("UPDATE calendar_ext_occurrence SET start_at = start_at - 1728000, end_at = end_at - 1728000")
    house.do()
    assert len(rig.all("occurrence")) == 1
    assert rig.titles() == ["past", "present"], "the window bounds the index, never what is synced"


def test_the_edge_of_the_window_moves_with_time(rig: Rig, house: Housekeeping) -> None:
    rig.put("daily", rules=("RRULE:FREQ=DAILY",))
    rig.put("later", at=MONDAY + timedelta(days=395))
    rig.run()
    house.do()
    full = len(rig.starts("daily"))
    with rig.store.write() as unit:
        edge = unit.settings.get(EDGE)
        unit.settings.put(EDGE, {**edge, "to": edge["to"] - 20 * DAY})
    rig.execute(f"DELETE FROM calendar_ext_occurrence WHERE start_at > {edge['to'] - 20 * DAY}")
    assert len(rig.starts("daily")) == full - 20 and rig.starts("later") == []
    house.do()
    assert len(rig.starts("daily")) == full and len(rig.starts("later")) == 1
    house.do()
    assert len(rig.starts("daily")) == full


def test_moving_the_edge_goes_on_where_it_was_interrupted(
    rig: Rig, house: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calendar_ext.jobs.housekeeping.BATCH", 2)
    for number in range(7):
        rig.put(f"daily{number}", rules=("RRULE:FREQ=DAILY",))
    rig.run()
    house.do()
    full = len(rig.all("occurrence"))
    with rig.store.write() as unit:
        edge = unit.settings.get(EDGE)
        unit.settings.put(EDGE, {**edge, "to": edge["to"] - 5 * DAY})
    rig.execute(f"DELETE FROM calendar_ext_occurrence WHERE start_at > {edge['to'] - 5 * DAY}")
    answers = iter([False, False, True])
    house.do(give_up=lambda: next(answers, True))
    assert len(rig.all("occurrence")) == full - 35 + 20
    house.do()
    assert len(rig.all("occurrence")) == full


def test_events_of_a_calendar_somebody_dropped_are_removed(rig: Rig, house: Housekeeping) -> None:
    rig.fill(3)
    rig.run()
    rig.choose("ignore")
    house.do()
    assert rig.events(deleted=True) == [] and rig.all("occurrence") == []


def test_events_somebody_chose_to_keep_stay(rig: Rig, house: Housekeeping) -> None:
    rig.fill(3)
    rig.run()
    rig.choose("kept")
    house.do()
    assert len(rig.events()) == 3


def test_an_edit_that_waits_is_never_dropped(rig: Rig, house: Housekeeping) -> None:
    rig.fill(2)
    rig.run()
    rig.execute(update(tables.Event).where(tables.Event.object_id == "event00001").values(pending=1))
    rig.choose("ignore")
    house.do()
    assert rig.titles() == ["event00001"]


def test_old_journal_lines_cursors_and_processes_are_dropped(rig: Rig, house: Housekeeping) -> None:
    rig.put("one")
    rig.run()
    with rig.store.write() as unit:
        unit.processes.beat(host="h", pid=1, role="web", version="1", started_at=1)
    age(rig, "UPDATE calendar_ext_run SET started_at = started_at", 91)
    age(rig, "UPDATE calendar_ext_cursor SET started_at = started_at", 31)
    age(rig, "UPDATE calendar_ext_process SET seen_at = seen_at", 2)
    house.do()
    assert rig.all("run") == [] and rig.all("process") == []
    assert [cursor["state"] for cursor in rig.all("cursor")] == ["current"]


def test_only_one_process_keeps_house_at_a_time(rig: Rig, house: Housekeeping) -> None:
    with rig.store.write() as unit:
        unit.leases.take("housekeeping", "another", 60)
    rig.fill(1)
    rig.run()
    rig.choose("ignore")
    house.do()
    assert len(rig.events()) == 1


def test_while_inactive_nothing_is_touched(rig: Rig, house: Housekeeping) -> None:
    rig.fill(1)
    rig.run()
    rig.choose("ignore")
    with rig.store.write() as unit:
        unit.installations.write(state="inactive")
    with pytest.raises(LeaseLost):
        house.do()
    assert len(rig.events()) == 1
