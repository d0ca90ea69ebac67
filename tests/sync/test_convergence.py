"""Whatever is edited where, and whatever fails meanwhile: both sides end up saying the same, and then all is quiet."""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from calendar_ext.contract import OwnerProfile
from calendar_ext.domain.model import Event
from calendar_ext.domain.rows import row_of
from calendar_ext.domain.when import When
from calendar_ext.errors import (
    EtagMismatch,
    Gone,
    ProviderUnavailable,
    RateLimited,
    Refused,
    Retryable,
    Stale,
    UnknownOutcome,
)
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.services.editing import EventDraft

from ..conftest import LIMITS, Files
from .both import Both
from .rig import MONDAY, OWNER, TENANT

EXAMPLES = int(os.environ.get("CALENDAR_EXT_EXAMPLES", "0"))
MIRA = OwnerProfile(OWNER, "Mira", "mira@example.test", TENANT)
TITLES = st.sampled_from(["Haircut", "Trim", "Beard", "Colour"])
PLACES = st.sampled_from(["", "Room 1", "Room 2"])
HOURS = st.integers(0, 6)
WHICH = st.integers(0, 3)
FAULTS = st.sampled_from([ProviderUnavailable, UnknownOutcome, RateLimited, EtagMismatch])

EDITS = st.one_of(
    st.tuples(st.just("change"), WHICH, TITLES, HOURS),
    st.tuples(st.just("place"), WHICH, PLACES),
    st.tuples(st.just("edit there"), WHICH, TITLES, HOURS),
    st.tuples(st.just("place there"), WHICH, PLACES),
    st.tuples(st.just("edit on the page"), WHICH, TITLES, HOURS),
)
ENDS = st.one_of(
    st.tuples(st.sampled_from(["cancel", "delete there", "delete on the page"]), WHICH),
    st.tuples(st.sampled_from(["save", "make there"]), TITLES, HOURS),
)
EVENTS = st.one_of(
    st.tuples(st.just("run")),
    st.tuples(st.just("dispatch")),
    st.tuples(st.just("fault"), FAULTS, st.booleans()),
    st.tuples(st.sampled_from(["expire", "host away"])),
)
ACTIONS = st.one_of(EDITS, EDITS, ENDS, EVENTS)


# The same forty histories each time; CALENDAR_EXT_EXAMPLES asks for that many new ones.
@settings(max_examples=EXAMPLES or 40, derandomize=not EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTIONS, min_size=4, max_size=14))
def test_both_sides_converge_and_a_second_pass_writes_nothing(
    sqlite_databases: Files, templates: dict[str, str], actions: list[tuple[object, ...]]
) -> None:
    if "sqlite" not in templates:
        templates["sqlite"] = sqlite_databases.prepare()
    with sqlite_databases.fresh(templates["sqlite"]) as url:
        database = create_engine(url)
        both = Both(SqlStore(lambda: database, LIMITS), database, LIMITS)
        begin(both)
        for action in actions:
            act(both, *action)
        heal(both)
        assert says_the_same(both)
        assert both.world.mails == []
        before, operations, applied = both.writes(), both.operations(), list(both.host.applied)
        for _ in range(3):
            both.settle_down()
        assert (both.writes(), both.operations(), both.host.applied) == (before, operations, applied)
        database.dispose()


def begin(both: Both) -> None:
    """Let there be appointments in the calendar, and an event of the calendar's own."""
    for number in range(3):
        both.host.save(f"Appointment {number}", at=MONDAY + timedelta(hours=number))
    both.put("theirs", "Theirs")
    both.settle_down()


def act(both: Both, what: str, *facts: object) -> None:
    """Do one thing; what is not there any more is left alone."""
    at = MONDAY + timedelta(hours=facts[-1]) if facts and isinstance(facts[-1], int) else MONDAY
    refs = [ref for ref, row in both.host.rows.items() if row.status != "cancelled"]
    ref = refs[facts[0] % len(refs)] if refs and facts and isinstance(facts[0], int) else None
    names = sorted(remote_by_id(both), key=both.world.calendar(both.world.subject).changed.__getitem__)
    name = names[facts[0] % len(names)] if names and facts and isinstance(facts[0], int) else None
    if what == "save" and len(both.host.rows) < 6:
        both.host.save(str(facts[0]), at=at)
    elif what == "change" and ref:
        both.host.change(ref, title=facts[1], start=at, end=at + timedelta(hours=1))
    elif what == "place" and ref:
        both.host.change(ref, location=facts[1])
    elif what == "cancel" and ref:
        both.host.cancel(ref)
    elif what == "edit there" and name:
        both.edit_remote(name, title=facts[1], **columns(at))
    elif what == "place there" and name:
        both.edit_remote(name, location=facts[1])
    elif what == "delete there" and name:
        both.remove(name)
    elif what == "make there" and len(names) < 6:
        both.put(f"theirs{both.writes()}", str(facts[0]), at=at)
    elif what in ("edit on the page", "delete on the page"):
        edit(both, what, facts, at)
    else:
        disturb(both, what, facts)


def edit(both: Both, what: str, facts: tuple[object, ...], at: object) -> None:
    """Let the person do something on the Calendar page."""
    rows = sorted((row for row in both.events() if row["kind"] == "single"), key=lambda row: row["id"])
    if not rows:
        return
    with both.store.write() as unit:
        event = unit.edits.public_id(rows[facts[0] % len(rows)]["id"])
    try:
        if what.startswith("edit"):
            both.editing.edit(MIRA, event, EventDraft(str(facts[1]), When.timed(at, at + timedelta(hours=1), "UTC")))
        else:
            both.editing.delete(MIRA, event)
    except (Gone, Stale, Refused):
        return


def disturb(both: Both, what: str, facts: tuple[object, ...]) -> None:
    """Let time pass, or something fail."""
    if what == "run":
        both.run()
    elif what == "dispatch":
        both.dispatch()
    elif what == "fault":
        both.world.fail_next(facts[0](), after=bool(facts[1]))
    elif what == "expire":
        both.world.expire_cursors()
    elif what == "host away":
        both.host.failures.append(Retryable("away"))


def columns(at: object) -> dict[str, object]:
    """Return the columns of an hour from `at` on."""
    row = row_of(Event(When.timed(at, at + timedelta(hours=1), "Europe/Berlin")))
    return {name: value for name, value in row.items() if name.startswith(("start_", "end_"))}


def heal(both: Both) -> None:
    """End the faults and let five passes go by."""
    both.world._faults.clear()
    both.host.failures.clear()
    for _ in range(5):
        both.execute("UPDATE calendar_ext_operation SET next_at = 0")
        both.execute("UPDATE calendar_ext_account SET status = 'active'")
        both.pass_time(10_000)
        both.settle_down()


def says_the_same(both: Both) -> bool:
    """Return whether every copy says what its appointment says and every row what the provider says, none twice."""
    links = [one for one in both.links() if one["state"] == "live"]
    appointments = {one["id"]: one["ref"] for one in both.all("appointment")}
    rows = {row["id"]: row for row in both.events(deleted=True)}
    live = remote_by_id(both)
    assert sorted(row["remote_id"] for row in both.events()) == sorted(live)
    for link in links:
        host, row = both.host.rows[appointments[link["appointment_id"]]], rows[link["event_id"]]
        there = live[row["remote_id"]]
        assert host.status != "cancelled"
        assert (host.title, host.location) == (there["title"], there["location"]) == (row["title"], row["location"])
        assert int(host.start.timestamp()) == there["start_at"] == row["start_at"]
    current = {ref for ref, row in both.host.rows.items() if row.status != "cancelled"}
    assert {appointments[link["appointment_id"]] for link in links} == current
    return not both.operations("planned", "sending", "unknown", "held")


def remote_by_id(both: Both) -> dict[str, dict[str, object]]:
    rows = both.world.calendar(both.world.subject).rows
    return {name: row for name, row in rows.items() if row["status"] != "cancelled"}
