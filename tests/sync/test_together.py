"""Small changes of several accounts are stored in one transaction, each under its own fence."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from calendar_ext.errors import StoreUnavailable
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.providers.memory import MemoryProvider, MemoryWorld
from calendar_ext.sync import together
from calendar_ext.sync.ports.people import AccountRecord

from .rig import MONDAY, Rig

COUNT = 4


class Town:
    """Several accounts, each with a world of its own that was read once."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.worlds: dict[str, MemoryWorld] = {rig.account.subject: rig.world}
        rig.open = self.open
        for number in range(1, COUNT):
            subject = f"user{number}@example.test"
            self.worlds[subject] = MemoryWorld(subject, now=rig.world.now)
            rig.connect(subject)
        rig.runner.run_due()
        rig.host.told.clear()

    def open(self, account: AccountRecord) -> MemoryProvider:
        return MemoryProvider(self.worlds[account.subject])

    def change(self, title: str, *, count: int = 1) -> None:
        """Let something new stand in every world."""
        for world in self.worlds.values():
            self.rig.world = world
            for number in range(count):
                self.rig.put(f"{title}-{number}", title, at=MONDAY)

    def look(self) -> int:
        """Let all be due, and run them in one batch."""
        self.rig.make_due()
        return self.rig.runner.run_due()

    def stored(self, title: str) -> list[int]:
        """Return the calendars that hold it."""
        return sorted({row["calendar_id"] for row in self.rig.events() if row["title"] == title})


@pytest.fixture
def town(rig: Rig) -> Town:
    return Town(rig)


def commits(town: Town) -> int:
    """Look, and return how many transactions were committed."""
    seen: list[int] = []

    def note(connection: object) -> None:
        seen.append(1)

    town.rig.make_due()
    event.listen(town.rig.database, "commit", note)
    assert town.rig.runner.run_due() == COUNT
    event.remove(town.rig.database, "commit", note)
    return len(seen)


def test_the_changes_of_a_batch_are_one_transaction(town: Town) -> None:
    town.change("new")
    # The claims, and the changes with their releases in them.
    assert commits(town) == 2
    assert len(town.stored("new")) == COUNT
    states = town.rig.all("sync_state")
    assert all(state["lease_until"] is None and state["next_at"] > 0 for state in states)


def test_each_account_costs_what_it_costs_alone(town: Town) -> None:
    town.change("new")
    town.rig.make_due()
    with town.rig.statements() as statements:
        town.rig.runner.run_due()
    assert len(statements) == 2 + 5 * COUNT


def test_listeners_are_told_after_the_changes_are_stored(town: Town) -> None:
    town.change("new")
    town.look()
    assert [what for what, _ in town.rig.host.told] == ["sync_finished"] * COUNT
    assert all(facts["summary"]["pulled"] == 1 for _, facts in town.rig.host.told)


def test_an_account_that_lost_its_lease_keeps_nobody_else_from_storing(town: Town, monkeypatch) -> None:
    town.change("new")
    lost = town.rig.all("account")[2]["id"]
    flush = together.Gathering.flush

    def take_over(self: together.Gathering) -> None:
        town.rig.execute(f"UPDATE calendar_ext_sync_state SET epoch = epoch + 1 WHERE account_id = {lost}")
        flush(self)

    monkeypatch.setattr(together.Gathering, "flush", take_over)
    town.look()
    assert len(town.stored("new")) == COUNT - 1


def test_the_first_account_may_be_the_one_that_lost_it(town: Town, monkeypatch) -> None:
    town.change("new")
    lost = town.rig.all("account")[0]["id"]
    flush = together.Gathering.flush

    def take_over(self: together.Gathering) -> None:
        town.rig.execute(f"UPDATE calendar_ext_sync_state SET epoch = epoch + 1 WHERE account_id = {lost}")
        flush(self)

    monkeypatch.setattr(together.Gathering, "flush", take_over)
    town.look()
    assert len(town.stored("new")) == COUNT - 1


def test_one_row_the_database_refuses_is_refused_alone(town: Town) -> None:
    class Poisoning(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            for row in page.rows:
                if row["title"] == "new" and self.world.subject.startswith("user1"):
                    row["sequence"] = 2**70
            return page

    town.rig.open = lambda account: Poisoning(town.worlds[account.subject])
    town.change("new")
    town.look()
    rows = [row for row in town.rig.events() if row["title"] == "new"]
    assert len(rows) == COUNT and len([row for row in rows if row["quarantine"]]) == 1


def test_a_large_change_is_stored_by_itself(town: Town) -> None:
    town.change("many", count=together.SMALL + 1)
    assert commits(town) == 1 + COUNT
    assert len(town.stored("many")) == COUNT


def test_what_waits_is_written_before_it_waits_long(town: Town) -> None:
    town.change("new")
    now = [0.0]

    class Slow(MemoryProvider):
        def _enter(self):
            super()._enter()
            now[0] += together.SECONDS

    town.rig.open = lambda account: Slow(town.worlds[account.subject])
    runner = AccountRunner(
        store=town.rig.store, engine=town.rig.engine, limits=town.rig.limits, monotonic=lambda: now[0]
    )
    town.rig.runner = runner
    assert commits(town) > 2
    assert len(town.stored("new")) == COUNT


def test_a_process_that_dies_before_writing_finds_the_changes_again(town: Town, monkeypatch) -> None:
    town.change("new")
    monkeypatch.setattr(together.Gathering, "flush", lambda self: None)
    town.look()
    assert town.stored("new") == []
    monkeypatch.undo()
    town.rig.execute("UPDATE calendar_ext_sync_state SET lease_until = NULL")
    town.look()
    assert len(town.stored("new")) == COUNT


def test_a_database_that_is_away_loses_nothing(town: Town, store: SqlStore, monkeypatch) -> None:
    town.change("new")
    hold = type(store).write

    def away(self, fence=None, **facts):
        if fence is not None:
            raise StoreUnavailable
        return hold(self, fence, **facts)

    monkeypatch.setattr(type(store), "write", away)
    town.look()
    assert town.stored("new") == []
    monkeypatch.undo()
    town.rig.execute("UPDATE calendar_ext_sync_state SET lease_until = NULL")
    town.look()
    assert len(town.stored("new")) == COUNT


def test_an_edit_that_met_news_is_settled_by_the_next_run(town: Town) -> None:
    town.change("new")
    town.look()
    town.rig.execute("UPDATE calendar_ext_event SET pending = 1")
    town.change("newer")
    for world in town.worlds.values():
        town.rig.world = world
        town.rig.put("new-0", "other")
    town.rig.make_due()
    town.rig.runner.run_due()
    assert len(town.rig.runner.due()) == COUNT
    assert {wake["reason"] for wake in town.rig.all("wake")} == {"settle"}
