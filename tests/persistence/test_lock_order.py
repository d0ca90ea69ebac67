"""L6: whoever takes several locks takes them in one order, so that no two transactions wait for each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from calendar_ext.persistence.unit_of_work import SqlStore

from .story import MIRA, Story

ORDER = ["sync_state", "calendar", "event", "link", "operation"]
_WRITE = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) calendar_ext_(\w+)")
#: A row that is only made where there is none waits for nobody.
_NO_LOCK = "INSERT INTO calendar_ext_sync_state"


@contextmanager
def transactions(engine: Engine) -> Iterator[list[list[str]]]:
    """Collect, for each transaction, the tables it wrote to, each once, in order."""
    found: list[list[str]] = []

    def begin(connection: object) -> None:
        found.append([])

    def hear(connection: object, cursor: object, statement: str, *rest: object) -> None:
        table = _WRITE.match(statement)
        if table and table[1] not in found[-1] and not statement.startswith(_NO_LOCK):
            found[-1].append(table[1])

    event.listen(engine, "begin", begin)
    event.listen(engine, "before_cursor_execute", hear)
    yield found
    event.remove(engine, "begin", begin)
    event.remove(engine, "before_cursor_execute", hear)


def in_order(tables: list[str]) -> bool:
    ranks = [ORDER.index(table) for table in tables if table in ORDER]
    return ranks == sorted(ranks)


def test_L06_the_order_is_told_from_disorder() -> None:
    assert in_order(["sync_state", "wake", "calendar", "event", "occurrence", "operation"])
    assert not in_order(["sync_state", "event", "calendar"])


def test_L06_a_run_that_pulls_and_pushes_takes_its_locks_in_order(store: SqlStore, engine: Engine) -> None:
    story = Story(store)
    story.put("theirs")
    with transactions(engine) as found:
        story.connect()
        story.run()
        public_id = story.create("Ours")
        story.run()
        story.editing.delete(MIRA, public_id)
        story.run()
    wrote = [tables for tables in found if tables]
    assert [tables for tables in wrote if not in_order(tables)] == []
    assert any({"sync_state", "calendar", "event"} <= set(tables) for tables in wrote)
    assert any({"event", "operation"} <= set(tables) for tables in wrote)
    assert len(story.world.calendar(story.world.subject).rows) == 2, "ours got there"
