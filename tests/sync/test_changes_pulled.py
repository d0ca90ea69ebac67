"""What changed since the last look: rows, instances, guests, edits of ours on their way."""

from __future__ import annotations

from datetime import datetime, timedelta

import orjson
from sqlalchemy import update

from calendar_ext.domain.when import recurrence_key
from calendar_ext.persistence import tables
from calendar_ext.providers.base import Page
from calendar_ext.providers.memory import MemoryProvider
from calendar_ext.sync.keeping import window

from .rig import MONDAY, Rig, guest

WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=4",)


def key_of(rig: Rig, name: str, number: int) -> str:
    """Return the key of an occurrence of a weekly series."""
    row = rig.world.row(rig.world.subject, name)
    return recurrence_key(_later(row["start_wall"], number), row["start_zone"])


def _later(wall: str, weeks: int) -> str:
    return (datetime.fromisoformat(wall) + timedelta(weeks=weeks)).isoformat()


def test_a_change_is_stored_under_a_new_revision(rig: Rig) -> None:
    rig.put("one", "Before")
    rig.put("two")
    rig.run()
    before = rig.calendar().revision
    rig.put("one", "After")
    rig.run()
    revisions = {row["title"]: row["revision"] for row in rig.events()}
    assert revisions["After"] == rig.calendar().revision > before >= revisions["two"]


def test_our_own_write_coming_back_is_nothing(rig: Rig) -> None:
    """The answer to a write was stored with its etag: the same version pulled again changes no row."""
    rig.put("one")
    rig.run()
    rig.put("one", "Ours")
    row = dict(rig.world.row(rig.world.subject, "one"))
    calendar = rig.calendar()
    with rig.store.write() as unit:
        unit.events.store(calendar, [row], round=1, window=window(unit.now(), rig.limits))
    stored = rig.events()
    rig.run()
    assert rig.events() == stored
    assert [what for what, _ in rig.host.told] == ["sync_finished"]


def test_an_event_moved_out_of_the_window_has_no_instance_and_comes_back(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    assert rig.starts("one") == [int(MONDAY.timestamp())]
    rig.put("one", at=MONDAY + timedelta(days=2_000))
    rig.run()
    assert rig.starts("one") == []
    rig.put("one", at=MONDAY + timedelta(days=3))
    rig.run()
    assert rig.starts("one") == [int((MONDAY + timedelta(days=3)).timestamp())]


def test_a_title_alone_leaves_instances_as_they_are_and_a_declined_one_says_so(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    rig.put("one", "Other", attendees=(guest("mira@example.test", "declined", own=True),))
    rig.run()
    (instance,) = rig.all("occurrence")
    assert instance["flags"] == tables.content.DECLINED


def test_the_longest_event_bounds_how_far_back_a_page_must_look(rig: Rig) -> None:
    rig.put("short")
    rig.put("long", hours=72)
    rig.run()
    assert rig.calendar().longest_span == 72 * 3600


def test_an_override_moves_its_occurrence_and_a_gap_removes_it(rig: Rig) -> None:
    rig.put("series", rules=WEEKLY)
    rig.run()
    weeks = [int((MONDAY + timedelta(weeks=n)).timestamp()) for n in range(4)]
    assert rig.starts("series") == weeks
    moved, gone = key_of(rig, "series", 1), key_of(rig, "series", 2)
    row = rig.world.row(rig.world.subject, f"series_{moved}")
    rig.put_occurrence("series", moved, start_at=row["start_at"] + 7200, end_at=row["end_at"] + 7200)
    rig.world.remove(rig.world.subject, f"series_{gone}")
    rig.run()
    assert rig.starts("series") == [weeks[0], weeks[1] + 7200, weeks[3]]
    assert sorted(row["kind"] for row in rig.events()) == ["gap", "master", "override"]


def test_an_override_without_its_master_is_shown_until_the_master_comes(rig: Rig) -> None:
    rig.put("series", rules=WEEKLY)
    key = key_of(rig, "series", 1)
    rig.put_occurrence("series", key, title="Alone")
    master = rig.world.calendar(rig.world.subject).rows.pop("series")
    changed = rig.world.calendar(rig.world.subject).changed.pop("series")
    rig.run()
    assert rig.titles() == ["Alone"] and len(rig.starts("series")) == 1
    rig.world.calendar(rig.world.subject).rows["series"] = master
    rig.world.calendar(rig.world.subject).changed["series"] = changed + 100
    rig.world._revision += 200
    rig.run()
    assert rig.titles() == ["Alone", "series"] and len(rig.starts("series")) == 4


def test_a_deleted_event_goes_to_the_bin_with_its_instances_and_comes_back_when_it_is_listed_again(rig: Rig) -> None:
    rig.put("one")
    rig.put("two")
    rig.run()
    rig.remove("one")
    rig.run()
    assert rig.titles() == ["two"] and rig.starts("one") == []
    assert [row["title"] for row in rig.events(deleted=True)] == ["one", "two"]
    rig.put("one", "Again", status="confirmed")
    rig.run()
    assert rig.titles() == ["Again", "two"] and len(rig.starts("one")) == 1


def test_a_deleted_series_takes_its_overrides_along(rig: Rig) -> None:
    rig.put("series", rules=WEEKLY)
    rig.put_occurrence("series", key_of(rig, "series", 1), title="Other")
    rig.run()
    rig.remove("series")
    rig.run()
    assert rig.events() == [] and rig.all("occurrence") == []


def test_an_edit_on_its_way_stays_as_people_see_it_and_the_news_waits_beside_it(rig: Rig) -> None:
    rig.put("one", "There")
    rig.put("two")
    rig.run()
    rig.execute(update(tables.Event).where(tables.Event.object_id == "one").values(pending=1, title="Here"))
    rig.put("one", "There again", attendees=(guest("pat@elsewhere.test"),))
    rig.run_reading()
    row = next(row for row in rig.events() if row["object_id"] == "one")
    said = orjson.loads(row["shadow"])
    assert row["title"] == "Here"
    assert (said["title"], said["attendees"][0]["email"]) == ("There again", "pat@elsewhere.test")
    assert bytes.fromhex(said["fingerprint"]) != row["fingerprint"]


def test_a_deletion_of_an_event_with_an_edit_on_its_way_is_told_and_not_obeyed(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    rig.execute(update(tables.Event).values(pending=1))
    rig.remove("one")
    rig.run_reading()
    (row,) = rig.events()
    assert row["shadow"] == '{"gone":true}' and rig.starts("one") != []


def test_what_has_to_be_settled_leaves_a_hint_in_the_same_transaction(rig: Rig) -> None:
    rig.put("plain")
    rig.put("edited")
    rig.run()
    rig.put("plain", "Other")
    rig.run_reading()
    assert rig.all("wake") == []
    rig.execute(update(tables.Event).where(tables.Event.object_id == "edited").values(pending=1))
    rig.put("edited", "There")
    rig.run_reading()
    assert [(wake["reason"], wake["priority"]) for wake in rig.all("wake")] == [("settle", 0)]


def test_a_guest_who_was_matched_stays_matched_and_one_who_left_is_gone(rig: Rig) -> None:
    people = (guest("pat@elsewhere.test"), guest("kim@elsewhere.test"))
    rig.put("meeting", attendees=people)
    rig.run()
    rig.execute("UPDATE calendar_ext_participant SET contact_ref = '12'")
    rig.put("meeting", attendees=(guest("pat@elsewhere.test", "accepted"),))
    rig.run()
    (row,) = rig.all("participant")
    assert (row["email_norm"], row["response"], row["contact_ref"]) == ("pat@elsewhere.test", "accepted", "12")


def test_the_marker_of_another_installation_is_noted(rig: Rig) -> None:
    rig.put("theirs", marker=("somebody-elses-link-id", "00"))
    rig.put("plain")
    rig.run()
    assert {row["title"]: bool(row["foreign_marker"]) for row in rig.events()} == {"theirs": True, "plain": False}


def test_a_place_is_stored_anew_now_and_then_although_nothing_changed(rig: Rig) -> None:
    rig.put("one")
    rig.run()
    rig.world._revision += 5
    rig.run()
    assert rig.all("cursor")[-1]["value"] == "1:1"
    rig.execute("UPDATE calendar_ext_cursor SET completed_at = completed_at - 90000")
    rig.run()
    assert rig.all("cursor")[-1]["value"] == "1:6"


def test_the_same_event_twice_in_a_page_is_stored_once(rig: Rig) -> None:
    class Stuttering(MemoryProvider):
        def _page(self, rows, span, resume):
            page = super()._page(rows, span, resume)
            return Page(page.rows + [dict(row) for row in page.rows], resume=page.resume, cursor=page.cursor)

    rig.open = lambda account: Stuttering(rig.world)
    rig.put("one")
    assert rig.run().error == ""
    assert rig.titles() == ["one"]


def test_an_unchanged_row_keeps_its_revision_when_everything_is_listed_again(rig: Rig) -> None:
    rig.fill(5)
    rig.run()
    before = rig.events("revision", "etag", "title")
    rig.world.expire_cursors()
    rig.put("event00003", "Changed")
    rig.run()
    after = rig.events("revision", "etag", "title")
    assert [new["title"] for old, new in zip(before, after, strict=True) if old != new] == ["Changed"]
    assert {row["seen_round"] for row in rig.events()} == {2}


def test_an_event_of_any_length_of_rules_is_only_shown_within_the_window(rig: Rig) -> None:
    rig.put("daily", rules=("RRULE:FREQ=DAILY",), at=MONDAY - timedelta(days=3_000))
    rig.run()
    starts = rig.starts("daily")
    assert 489 <= len(starts) <= 492
