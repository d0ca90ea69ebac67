"""One bad event never keeps the others from being stored, and is never dropped in silence (trust.md R-11)."""

from __future__ import annotations

import pytest

from calendar_ext.domain.model import Refusal
from calendar_ext.providers.base import Page
from calendar_ext.providers.memory import MemoryProvider

from .rig import Rig

#: What a database, or its driver, cannot take: column, value, and the one that takes it all the same.
BAD = [
    ("sequence", 2**70, ""),
    ("title", "half of a pair: \ud800", ""),
    ("title", ["a", "list"], "postgresql"),
    ("remote_updated", "yesterday", "sqlite"),
    ("etag", None, ""),
]


def with_bad(rig: Rig, name: str, column: str, value: object) -> None:
    """Let the provider hand over one row with a value that cannot be stored."""

    class Poisoning(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            spoilt = [{**row, column: value} if row["object_id"] == name else row for row in page.rows]
            return Page(spoilt, page.gone, resume=page.resume, cursor=page.cursor)

    rig.open = lambda account: Poisoning(rig.world)


@pytest.mark.parametrize(("column", "value", "taken_by"), BAD)
@pytest.mark.parametrize("place", [0, 7, 19])
def test_one_bad_row_is_listed_by_name_and_the_rest_is_stored(
    rig: Rig, column: str, value: object, taken_by: str, place: int
) -> None:
    rig.fill(20)
    with_bad(rig, f"event{place:05}", column, value)
    assert rig.run().error == ""
    good = [row for row in rig.events() if row["quarantine"] is None]
    if rig.database.dialect.name == taken_by:
        assert len(good) == 20
        return
    assert len(good) == 19
    calendar_id = rig.calendar().id
    with rig.store.read() as unit:
        (refused,) = unit.events.refused(calendar_id)
    assert refused["remote_id"] == f"event{place:05}" and "cannot store" in refused["quarantine"]


def test_an_event_that_turned_bad_keeps_what_we_knew_of_it(rig: Rig) -> None:
    rig.fill(3)
    rig.run()
    with_bad(rig, "event00001", "sequence", 2**70)
    rig.put("event00001", "Poisoned")
    rig.run()
    row = next(row for row in rig.events() if row["object_id"] == "event00001")
    assert row["title"] == "event00001" and row["quarantine"]


def test_an_event_that_was_mended_is_listed_no_more(rig: Rig) -> None:
    rig.fill(3)
    with_bad(rig, "event00001", "sequence", 2**70)
    rig.run()
    rig.open = lambda account: MemoryProvider(rig.world)
    rig.put("event00001", "Mended")
    rig.run()
    assert rig.titles() == ["Mended", "event00000", "event00002"]
    assert all(row["quarantine"] is None for row in rig.events())
    assert len(rig.starts("event00001")) == 1


def test_what_the_provider_could_not_map_is_kept_by_name_and_reason(rig: Rig) -> None:
    class Refusing(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            refused = [Refusal("Odd", "Its start could not be read.", "odd", '"1"'), Refusal("Nameless", "No id.")]
            return Page(page.rows, page.gone, refused, page.resume, page.cursor)

    rig.fill(2)
    rig.open = lambda account: Refusing(rig.world)
    assert rig.run().error == ""
    calendar_id = rig.calendar().id
    with rig.store.read() as unit:
        (row,) = unit.events.refused(calendar_id)
    assert (row["title"], row["quarantine"]) == ("Odd", "Its start could not be read.")
    assert rig.state().lease_until is None


def test_many_bad_rows_are_all_listed(rig: Rig) -> None:
    rig.fill(20)

    class Poisoning(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            spoilt = [{**row, "sequence": 2**70} if int(row["object_id"][5:]) % 2 else row for row in page.rows]
            return Page(spoilt, page.gone, resume=page.resume, cursor=page.cursor)

    rig.open = lambda account: Poisoning(rig.world)
    assert rig.run().error == ""
    assert len([row for row in rig.events() if row["quarantine"]]) == 10
