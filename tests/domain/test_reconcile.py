"""The table of architecture.md section 5, row by row, and then any history at all."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendar_ext.domain.fingerprint import differences, fingerprint
from calendar_ext.domain.model import CONTENT_FIELDS, Attendee, Event
from calendar_ext.domain.reconcile import Base, Decision, Kind, base_content, base_from_content, decide

from .making import event, events, timed

BASE = event("Review", description="old", location="old")
OURS = replace(BASE, title="Ours")
THEIRS = replace(BASE, title="Theirs")
SAME = replace(BASE, uid="other", marker=("l", "h"))
ANSWERED = replace(BASE, attendees=(Attendee("me@x", response="accepted", is_self=True),))


@pytest.mark.parametrize(
    ("base", "local", "remote", "kind"),
    [
        (None, None, None, Kind.NOTHING),
        (None, BASE, None, Kind.PUSH_CREATE),
        (None, None, BASE, Kind.PULL_CREATE),
        (None, BASE, SAME, Kind.LINK),
        (None, OURS, THEIRS, Kind.LINK),
        (BASE, SAME, SAME, Kind.NOTHING),
        (BASE, OURS, BASE, Kind.PUSH_UPDATE),
        (BASE, BASE, THEIRS, Kind.PULL_UPDATE),
        (BASE, OURS, replace(OURS), Kind.REMEMBER),
        (BASE, OURS, THEIRS, Kind.CONFLICT),
        (BASE, OURS, replace(BASE, location="new"), Kind.CONFLICT),
        (BASE, None, SAME, Kind.PUSH_DELETE),
        (BASE, SAME, None, Kind.PULL_DELETE),
        (BASE, None, THEIRS, Kind.PULL_CREATE),
        (BASE, OURS, None, Kind.PUSH_CREATE),
        (BASE, None, ANSWERED, Kind.PUSH_DELETE),
        (BASE, ANSWERED, None, Kind.PULL_DELETE),
        (BASE, None, None, Kind.FORGET),
        (BASE, replace(OURS, status="cancelled"), BASE, Kind.PUSH_DELETE),
        (BASE, BASE, replace(THEIRS, status="cancelled"), Kind.PULL_DELETE),
        (None, replace(BASE, status="cancelled"), BASE, Kind.PULL_CREATE),
    ],
)
def test_every_row_of_the_table(base, local, remote, kind):
    assert decide(base, local, remote).kind == kind


def test_a_new_event_is_sent_whole():
    assert decide(None, BASE, None) == Decision(Kind.PUSH_CREATE, BASE, push=CONTENT_FIELDS)


def test_only_what_was_edited_is_sent():
    decision = decide(BASE, replace(OURS, location="new"), ANSWERED)
    assert (decision.push, decision.pull, decision.lost) == (("title", "location"), (), ())
    assert decision.event.attendees == ANSWERED.attendees


def test_edits_of_different_fields_are_both_kept():
    decision = decide(BASE, OURS, replace(BASE, location="new"))
    assert (decision.push, decision.pull, decision.lost) == (("title",), ("location",), ())
    assert (decision.event.title, decision.event.location) == ("Ours", "new")


@pytest.mark.parametrize(
    ("local_at", "remote_at", "title"),
    [
        (2, 1, "Ours"),
        (1, 2, "Theirs"),
        (1, 1, "Theirs"),
        (None, 1, "Theirs"),
        (1, None, "Theirs"),
        (None, None, "Theirs"),
    ],
)
def test_of_one_field_edited_twice_the_later_edit_counts_and_the_other_is_kept(local_at, remote_at, title):
    decision = decide(BASE, OURS, THEIRS, local_at=local_at, remote_at=remote_at)
    assert decision.event.title == title
    (lost,) = decision.lost
    assert (lost.field, lost.local, lost.remote) == ("title", "Ours", "Theirs")
    assert lost.winner == ("local" if title == "Ours" else "remote")
    assert (decision.push, decision.pull) == ((("title",), ()) if title == "Ours" else ((), ("title",)))


def test_two_that_met_and_differ_are_linked_and_merged():
    decision = decide(None, OURS, THEIRS, local_at=2, remote_at=1)
    assert (decision.kind, decision.push, decision.event.title) == (Kind.LINK, ("title",), "Ours")
    assert [lost.field for lost in decision.lost] == ["title"]


def test_a_deletion_that_an_edit_outranks_is_on_record():
    decision = decide(BASE, OURS, None)
    (lost,) = decision.lost
    assert (lost.field, lost.winner, lost.remote) == ("deleted", "local", None)
    assert lost.local["title"] == "Ours"
    assert json.dumps(lost.local)


def test_a_rule_and_the_start_it_belongs_to_are_one_field():
    weekly = event(rules=("RRULE:FREQ=WEEKLY;BYDAY=MO",))
    moved = replace(weekly, when=timed("2026-11-24 09:00"))
    tuesdays = replace(weekly, rules=("RRULE:FREQ=WEEKLY;BYDAY=TU",))
    decision = decide(weekly, moved, tuesdays, local_at=2, remote_at=1)
    assert (decision.event.when, decision.event.rules) == (moved.when, weekly.rules)
    assert {lost.field for lost in decision.lost} == {"when", "rules"}


def test_what_a_provider_rewrote_is_not_sent_again():
    """It does not know `away`, so it keeps `busy`: each side is compared with its own version."""
    sent = replace(BASE, show_as="away")
    base = Base(local=sent, remote=BASE)
    assert decide(base, sent, BASE).kind is Kind.NOTHING
    assert decide(base, replace(sent, title="Ours"), BASE).push == ("title",)
    assert decide(base, sent, THEIRS).pull == ("title",)
    assert decide(base, replace(sent, show_as="free"), BASE).push == ("show_as",)


def test_the_same_edit_on_both_sides_is_only_remembered_whatever_was_rewritten():
    base = Base(local=replace(BASE, show_as="away"), remote=BASE)
    assert decide(base, replace(OURS, show_as="away"), OURS).kind is Kind.REMEMBER


@given(events, events)
def test_a_base_survives_being_stored(local, remote):
    stored = base_from_content(json.loads(json.dumps(base_content(Base(local, remote)))))
    assert stored.remote == remote
    assert differences(stored.local, local) == ()


@pytest.mark.parametrize(
    ("base", "local", "remote", "direction", "kind"),
    [
        (None, BASE, None, "pull", Kind.NOTHING),
        (None, None, BASE, "push", Kind.NOTHING),
        (None, None, BASE, "pull", Kind.PULL_CREATE),
        (BASE, OURS, BASE, "pull", Kind.NOTHING),
        (BASE, OURS, BASE, "push", Kind.PUSH_UPDATE),
        (BASE, BASE, THEIRS, "push", Kind.NOTHING),
        (BASE, None, BASE, "pull", Kind.NOTHING),
        (BASE, BASE, None, "push", Kind.NOTHING),
        (BASE, OURS, THEIRS, "pull", Kind.CONFLICT),
        (BASE, OURS, replace(BASE, location="new"), "push", Kind.CONFLICT),
        (BASE, None, None, "push", Kind.FORGET),
        (None, BASE, SAME, "pull", Kind.LINK),
    ],
)
def test_one_way_never_writes_the_other_way(base, local, remote, direction, kind):
    decision = decide(base, local, remote, direction=direction, local_at=5, remote_at=1)
    assert decision.kind is kind
    assert not (decision.push if direction == "pull" else decision.pull)


def test_in_one_way_the_side_that_is_written_loses():
    assert decide(BASE, OURS, THEIRS, direction="pull", local_at=5, remote_at=1).event.title == "Theirs"
    assert decide(BASE, OURS, THEIRS, direction="push", local_at=1, remote_at=5).event.title == "Ours"


# --- any history -------------------------------------------------------------------------------------------------


@dataclass
class World:
    """One event on two in-memory sides, and a sync that may fail half-way."""

    rewrites: bool
    local: Event | None = None
    remote: Event | None = None
    base: Base | None = None
    local_at: int = 0
    remote_at: int = 0
    record: list[str] = field(default_factory=list)

    def stored(self, event: Event | None) -> Event | None:
        """What the remote side makes of an event: some know fewer values."""
        if event is None or not self.rewrites:
            return event
        return replace(event, show_as="free" if event.show_as == "free" else "busy", title=event.title[:8])

    def sync(self, *, loses_base: bool = False) -> Decision:
        """One pass: decide, write both sides, remember. A pass may end before it has remembered."""
        decision = decide(self.base, self.local, self.remote, local_at=self.local_at, remote_at=self.remote_at)
        self.record += [json.dumps([lost.local, lost.remote], sort_keys=True) for lost in decision.lost]
        base, sent = self.base, decision.event
        if decision.push:
            self.remote = self.stored(sent if self.remote is None else _patched(self.remote, sent, decision.push))
        if decision.pull:
            self.local = sent if self.local is None else _patched(self.local, sent, decision.pull)
        if decision.kind is Kind.PUSH_DELETE:
            self.remote = None
        if decision.kind is Kind.PULL_DELETE:
            self.local = None
        if self.local is None or self.remote is None:
            base = None
        elif decision.kind is not Kind.NOTHING:
            base = Base(self.local, self.remote)
        if not loses_base:
            self.base = base
        return decision


def _patched(target: Event, source: Event, fields: tuple[str, ...]) -> Event:
    return replace(target, **{name: getattr(source, name) for name in fields})


def _edit(rng: random.Random, number: int) -> dict:
    return {
        rng.choice(("title", "location", "description")): f"edit {number}",
        **({"show_as": rng.choice(("busy", "free", "away"))} if rng.random() < 0.2 else {}),
    }


EXAMPLES = int(os.environ.get("CALENDAR_EXT_EXAMPLES", "1500"))
HISTORIES = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@HISTORIES
@given(st.integers(0, 2**32), st.booleans())
def test_after_any_history_both_sides_agree_and_no_edit_is_lost_without_a_record(seed, rewrites):
    rng = random.Random(seed)
    world = World(rewrites)
    written: dict[tuple[str, str], str] = {}
    overwritten: set[str] = set()
    for number in range(rng.randint(1, 12)):
        _act(rng, world, number, written, overwritten)
    for _ in range(5):
        world.sync()
    assert world.sync().kind is Kind.NOTHING
    assert (world.local is None) == (world.remote is None)
    if world.local is not None and not rewrites:
        assert fingerprint(world.local) == fingerprint(world.remote)
    _nothing_is_lost(world, written, overwritten)


def _act(rng, world: World, number: int, written: dict, overwritten: set) -> None:
    """A person edits, creates or deletes on one side, or a sync runs, whole or cut off."""
    side = rng.choice(("local", "remote"))
    now = getattr(world, side)
    dice = rng.random()
    if dice < 0.35:
        world.sync(loses_base=rng.random() < 0.2)
    elif now is None:
        if world.local is world.remote is world.base is None:
            setattr(world, side, event(f"new {number}"))
    elif dice < 0.45:
        # Who deletes what they see means all that is in it.
        overwritten.update(getattr(now, name) for name in ("title", "location", "description"))
        setattr(world, side, None)
    else:
        edit = _edit(rng, number)
        setattr(world, side, replace(now, **edit))
        setattr(world, f"{side}_at", number + 1)
        for name, value in edit.items():
            overwritten.add(getattr(now, name))
            if name != "show_as":
                written[(side, name)] = value


def _nothing_is_lost(world: World, written: dict, overwritten: set) -> None:
    """The last edit of a field stands on both sides, was replaced by a person, or is on record."""
    record = "\n".join(world.record)
    standing = {getattr(world.local, name) for name in ("title", "location", "description")} if world.local else set()
    for value in written.values():
        known = value in standing or value[:8] in {text[:8] for text in standing} or value in overwritten
        assert known or f'"{value}"' in record, f"{value} is nowhere"


@settings(HISTORIES, max_examples=min(EXAMPLES * 2, 200_000))
@given(st.one_of(st.none(), events), st.one_of(st.none(), events), st.one_of(st.none(), events))
def test_any_three_versions_give_a_decision_that_settles_them(base, local, remote):
    decision = decide(base, local, remote, local_at=1, remote_at=2)
    assert not set(decision.push) & set(decision.pull)
    if decision.event is not None and local is not None and remote is not None and base is not None:
        ours = _patched(local, decision.event, decision.pull)
        theirs = _patched(remote, decision.event, decision.push)
        if decision.kind not in (Kind.PUSH_CREATE, Kind.PULL_CREATE):
            assert differences(ours, theirs) == ()
    if decision.kind is Kind.NOTHING and base is not None:
        assert differences(base, local) == differences(base, remote) == ()
