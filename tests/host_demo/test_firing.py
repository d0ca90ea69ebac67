"""Hooks are fired from the session: whoever writes, once, inside the transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from calendar_ext.contract import Applied, AppointmentDraft
from calendar_ext.hookspecs import hookimpl
from calendar_ext.testing import HostConformance, HostUnderTest
from demo.host import db
from demo.host.models import Activity, Appointment, Contact, User

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


def new(title: str = "Interview", **facts: Any) -> Appointment:
    return Appointment(owner_id=2, title=title, guests=[], starts_at=START, ends_at=START + timedelta(hours=1), **facts)


class Ear:
    """Hears everything the host fires about rows."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.in_transaction: list[bool] = []

    @hookimpl
    def appointment_created(self, session: Any, appointment: Any, actor_id: Any, origin: Any) -> None:
        self.in_transaction.append(session.in_transaction())
        self.heard.append(("created", appointment.ref, appointment.title, origin))

    @hookimpl
    def appointment_updated(self, appointment: Any, changes: Any, origin: Any) -> None:
        self.heard.append(("updated", appointment.ref, changes, origin))

    @hookimpl
    def appointment_cancelled(self, appointment: Any, reason: Any) -> None:
        self.heard.append(("cancelled", appointment.ref, appointment.title, reason))

    @hookimpl
    def activity_created(self, activity: Any) -> None:
        self.heard.append(("activity created", activity.title))

    @hookimpl
    def activity_updated(self, activity: Any) -> None:
        self.heard.append(("activity updated", activity.title))

    @hookimpl
    def activity_deleted(self, activity: Any) -> None:
        self.heard.append(("activity deleted", activity.title))

    @hookimpl
    def contact_changed(self, contact: Any) -> None:
        self.heard.append(("contact", contact.name))

    @hookimpl
    def user_changed(self, user: Any) -> None:
        self.heard.append(("user", user.zone))

    @hookimpl
    def user_deleted(self, session: Any, user_id: Any) -> None:
        self.heard.append(("user deleted", user_id, session.scalar(select(User.name).where(User.id == int(user_id)))))


@pytest.fixture
def app(database: str, make: Callable[..., Flask]) -> Flask:
    """A host without any extension, on SQLite and on PostgreSQL."""
    return make(SQLALCHEMY_DATABASE_URI=database)


@pytest.fixture
def ear(app: Flask) -> Ear:
    ear = Ear()
    app.extensions["harbor"].pm.register(ear)
    return ear


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Any:
    with app.app_context():
        yield


def test_several_flushes_are_told_once_with_the_last_values(ear: Ear) -> None:
    row = new("One")
    db.session.add(row)
    db.session.flush()
    row.title = "Two"
    db.session.flush()
    assert ear.heard == []
    db.session.commit()
    assert ear.heard == [("created", str(row.id), "Two", None)]
    assert ear.in_transaction == [True]


def test_a_rollback_tells_nothing_then_and_later(ear: Ear) -> None:
    db.session.add(new())
    db.session.flush()
    db.session.rollback()
    db.session.commit()
    assert ear.heard == []


def test_a_savepoint_that_is_rolled_back_is_not_told_but_the_rest_is(ear: Ear) -> None:
    db.session.add(new("Kept"))
    outer = db.session.begin_nested()
    with db.session.begin_nested():
        db.session.add(new("Inner, released"))
    outer.rollback()
    with db.session.begin_nested():
        db.session.add(new("Kept too"))
    db.session.commit()
    assert [heard[2] for heard in ear.heard] == ["Kept", "Kept too"]


def test_a_change_names_old_and_new_also_on_a_row_that_a_commit_expired(ear: Ear) -> None:
    row = new("Before")
    db.session.add(row)
    db.session.commit()
    row.title = "Between"
    db.session.flush()
    row.title, row.starts_at = "After", START + timedelta(minutes=15)
    db.session.commit()
    kind, ref, changes, origin = ear.heard[-1]
    assert (kind, ref, origin) == ("updated", str(row.id), None)
    assert changes == {"title": ("Before", "After"), "start": (START, START + timedelta(minutes=15))}


def test_what_came_and_went_in_one_transaction_is_not_told(ear: Ear) -> None:
    row = new()
    db.session.add(row)
    db.session.flush()
    db.session.delete(row)
    db.session.commit()
    assert ear.heard == []


def test_a_deleted_appointment_is_told_as_cancelled_with_its_last_values(ear: Ear) -> None:
    row = new("Called off")
    db.session.add(row)
    db.session.commit()
    db.session.delete(row)
    db.session.commit()
    assert ear.heard[-1][0::2] == ("cancelled", "Called off")


def test_cancelling_tells_the_reason(ear: Ear) -> None:
    row = new()
    db.session.add(row)
    db.session.commit()
    row.status, row.cancel_reason = "cancelled", "Ill"
    db.session.commit()
    assert ear.heard[-1] == ("cancelled", str(row.id), "Interview", "Ill")


def test_activities_contacts_and_users_are_told_too(ear: Ear) -> None:
    call = Activity(owner_id=2, title="Call Noor")
    db.session.add(call)
    db.session.commit()
    call.title = "Call Noor back"
    db.session.commit()
    db.session.delete(call)
    db.session.get(Contact, 1).name = "Noor Haddad-Berg"
    db.session.get(User, 2).zone = "Asia/Tokyo"
    db.session.commit()
    assert sorted(ear.heard) == sorted(
        [
            ("activity created", "Call Noor"),
            ("activity updated", "Call Noor back"),
            ("activity deleted", "Call Noor back"),
            ("contact", "Noor Haddad-Berg"),
            ("user", "Asia/Tokyo"),
        ]
    )


def test_a_new_password_is_nobodys_business(ear: Ear) -> None:
    db.session.get(User, 2).set_password("another")
    db.session.commit()
    assert ear.heard == []


def test_a_user_is_told_before_the_row_goes(ear: Ear) -> None:
    db.session.delete(db.session.get(User, 3))
    db.session.commit()
    assert ear.heard == [("user deleted", "3", "Joan Ferrer")]


def test_two_writes_of_the_engine_keep_their_own_origins(app: Flask, ear: Ear) -> None:
    answers = [
        app.extensions["harbor"].pm.hook.host_apply_appointment(
            session=db.session(),
            user_id="2",
            draft=AppointmentDraft(None, frozenset(), title=title, start=START, end=START + timedelta(hours=1)),
            expected_version=None,
            origin=origin,
        )
        for title, origin in (("One", "a"), ("Two", "b"))
    ]
    db.session.add(new("By hand"))
    db.session.commit()
    assert all(isinstance(answer, Applied) for answer in answers)
    assert sorted((heard[2], heard[3]) for heard in ear.heard) == [("By hand", None), ("One", "a"), ("Two", "b")]


def test_the_same_timeline_key_twice_is_one_entry(app: Flask) -> None:
    from calendar_ext.contract import Activity as Entry

    for title in ("Met Noor", "Met Noor, renamed"):
        taken = app.extensions["harbor"].pm.hook.host_log_activity(
            session=db.session(),
            user_id="2",
            entry=Entry("", 1, title, kind="meeting", contact_ref="1"),
            dedupe_key="k",
        )
        assert taken
        db.session.commit()
    assert db.session.scalars(select(Activity.title).where(Activity.dedupe_key == "k")).all() == ["Met Noor, renamed"]


class TestHarborIsAGoodHost(HostConformance):
    """The promises every host makes, kept by this one."""

    @pytest.fixture
    def host(self, app: Flask) -> HostUnderTest:
        def save(title: str) -> str:
            row = new(title)
            db.session.add(row)
            db.session.commit()
            return str(row.id)

        def change(ref: str, title: str) -> None:
            db.session.get(Appointment, int(ref)).title = title
            db.session.commit()

        def cancel(ref: str) -> None:
            db.session.get(Appointment, int(ref)).status = "cancelled"
            db.session.commit()

        def save_but_roll_back(title: str) -> None:
            db.session.add(new(title))
            db.session.flush()
            db.session.rollback()

        pm = app.extensions["harbor"].pm
        return HostUnderTest(app, pm, db, "2", save, change, cancel, save_but_roll_back)
