"""The host asked through its hooks: a real Flask application, a real session, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pluggy
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from calendar_ext import contract, hookspecs
from calendar_ext.domain.model import Event
from calendar_ext.domain.when import When
from calendar_ext.errors import Defect, Refused, Retryable
from calendar_ext.host.calls import Host

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
MIRA = contract.OwnerProfile("7", "Mira", "mira@example.test", "salon", zone="Europe/Berlin")


class Salon:
    """A small host: appointments in its own table, everything else by hand."""

    def __init__(self, db: SQLAlchemy) -> None:
        class Row(db.Model):
            __tablename__ = "salon_appointment"
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str] = mapped_column(unique=True)
            version: Mapped[int] = mapped_column(default=1)
            status: Mapped[str] = mapped_column(default="confirmed")

        self.db, self.Row = db, Row
        self.answer: Any = None
        self.failure: Exception | None = None
        self.drafts: list[contract.AppointmentDraft] = []
        self.mails: list[contract.MailMessage] = []

    def _maybe_fail(self) -> None:
        if self.failure:
            raise self.failure

    def value(self, row: Any) -> contract.Appointment:
        return contract.Appointment(str(row.id), row.version, row.title, NINE, TEN, status=row.status, owners=("7",))

    @hookspecs.hookimpl
    def host_get_user(self, user_id: str) -> Any:
        self._maybe_fail()
        return MIRA if user_id == "7" else self.answer

    @hookspecs.hookimpl
    def host_get_appointment(self, appointment_id: str) -> Any:
        row = self.db.session.get(self.Row, int(appointment_id))
        return self.value(row) if row else None

    @hookspecs.hookimpl
    def host_list_appointments(self, user_id: str, changed_since: Any, cursor: Any, limit: int) -> Any:
        self._maybe_fail()
        self.asked = (user_id, changed_since, cursor, limit)
        return self.answer

    @hookspecs.hookimpl
    def host_apply_appointment(self, session: Any, user_id: str, draft: Any, expected_version: Any, origin: Any) -> Any:
        self.drafts.append(draft)
        row = session.get(self.Row, int(draft.ref)) if draft.ref else self.Row()
        if expected_version is not None and row.version != expected_version:
            return contract.Conflict(self.value(row))
        row.title, row.version = draft.title, (row.version or 0) + 1
        session.add(row)
        session.flush()
        self._maybe_fail()
        return contract.Applied(str(row.id), row.version) if self.answer is None else self.answer

    @hookspecs.hookimpl
    def host_has_permission(self, user_id: str, permission: str) -> Any:
        self._maybe_fail()
        return self.answer

    @hookspecs.hookimpl
    def host_base_url(self) -> Any:
        return self.answer

    @hookspecs.hookimpl
    def host_find_contacts(self, user_id: str, emails: Any) -> Any:
        self._maybe_fail()
        return self.answer

    @hookspecs.hookimpl
    def host_list_users(self, tenant_id: str) -> Any:
        return self.answer

    @hookspecs.hookimpl
    def host_send_mail(self, message: contract.MailMessage) -> Any:
        self.mails.append(message)
        return True

    @hookspecs.hookimpl
    def host_notify_user(self, user_id: str, kind: str, params: Any) -> Any:
        self.told = (user_id, kind, params)
        return True


@pytest.fixture
def app(database: str) -> Iterator[Flask]:
    app = Flask("salon")
    app.config["SQLALCHEMY_DATABASE_URI"] = database
    db = SQLAlchemy(app)
    salon = Salon(db)
    pm = pluggy.PluginManager(hookspecs.PROJECT)
    pm.add_hookspecs(hookspecs)
    pm.register(salon)
    app.extensions["salon"] = (salon, pm)
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def salon(app: Flask) -> Salon:
    return app.extensions["salon"][0]


@pytest.fixture
def host(app: Flask) -> Host:
    salon, pm = app.extensions["salon"]
    return Host(pm=pm, app=app, db=salon.db)


def event(title: str = "Haircut") -> Event:
    return Event(when=When.timed(NINE, TEN, "Europe/Berlin"), title=title)


def titles(app: Flask) -> list[str]:
    """Return what is committed."""
    salon, _ = app.extensions["salon"]
    with app.app_context():
        return sorted(salon.db.session.scalars(salon.db.select(salon.Row.title)))


def test_L08_an_appointment_is_written_in_a_transaction_of_its_own(host: Host, app: Flask) -> None:
    created = host.apply("7", None, event(), ("title", "when"), expected_version=None, origin="link")
    assert (created.ref, created.version, created.conflict) == ("1", 1, None)
    changed = host.apply("7", "1", event("Trim"), ("title",), expected_version=1, origin="link")
    assert changed.version == 2 and titles(app) == ["Trim"]
    assert app.extensions["salon"][0].drafts[1].fields == {"title"}


def test_L08_what_a_request_has_half_done_is_not_committed_along(host: Host, app: Flask, salon: Salon) -> None:
    if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"]:
        return
    with app.app_context():
        salon.db.session.add(salon.Row(title="Half done"))
        salon.db.session.flush()
        host.apply("7", None, event("Whole"), ("title",), expected_version=None, origin="link")
        salon.db.session.rollback()
    assert titles(app) == ["Whole"]


def test_an_outdated_version_is_a_conflict_that_says_what_there_is(host: Host, app: Flask) -> None:
    host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    written = host.apply("7", "1", event("Stale"), ("title",), expected_version=9, origin="")
    assert written.conflict is not None and written.conflict.event is not None
    assert (written.version, written.conflict.event.title) == (1, "Haircut")
    assert titles(app) == ["Haircut"]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (LookupError("no such appointment"), Refused),
        (ValueError("bad"), Refused),
        (PermissionError("not yours"), Refused),
        (IntegrityError("INSERT a secret title", {}, Exception()), Refused),
        (OperationalError("INSERT", {}, Exception("database is locked")), Retryable),
        (ConnectionError("away"), Retryable),
        (RuntimeError("who knows"), Retryable),
    ],
)
def test_what_a_host_raises_is_contained_and_rolled_back(
    host: Host, app: Flask, salon: Salon, failure: Exception, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    salon.failure = failure
    with pytest.raises(error):
        host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    assert titles(app) == []
    assert "secret" not in caplog.text


@pytest.mark.parametrize("answer", [True, "1", {"ref": "1"}])
def test_an_answer_that_is_none_is_a_refusal(host: Host, app: Flask, salon: Salon, answer: Any) -> None:
    salon.answer = answer
    with pytest.raises(Refused):
        host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    assert titles(app) == []


def test_a_host_without_that_service_refuses(app: Flask) -> None:
    empty = pluggy.PluginManager(hookspecs.PROJECT)
    empty.add_hookspecs(hookspecs)
    host = Host(pm=empty, app=app, db=app.extensions["salon"][0].db)
    with pytest.raises(Refused):
        host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    assert host.person("7") is None and host.appointment("1") is None and host.profile("7") is None
    assert host.appointments("7", None, None, 10).records == ()
    assert not host.has_permission("7", "calendar.view") and host.users("salon") == []
    assert not host.send_mail(contract.MailMessage("a@b.c", "Hi", "Hi")) and not host.notify("7", "x", {})
    assert host.find_contacts("7", ["a@b.c"]) == [] and host.contacts("7", ["a@b.c"]) == {}
    with pytest.raises(Defect):
        host.base_url()
    host.tell("event_changed", connection="c", change={})


def test_a_cancelling_draft_says_why(host: Host, salon: Salon) -> None:
    host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    host.apply("7", "1", None, (), expected_version=1, origin="link", reason="deleted_in_calendar")
    assert (salon.drafts[-1].cancel, salon.drafts[-1].reason) == (True, "deleted_in_calendar")


def test_days_stay_days_on_their_way_to_the_host(host: Host, salon: Salon) -> None:
    day = Event(when=When.days(date(2026, 11, 23), date(2026, 11, 24)), title="Fair")
    host.apply("7", None, day, ("title", "when", "attendees", "rules"), expected_version=None, origin="")
    assert (salon.drafts[0].start, salon.drafts[0].end) == (date(2026, 11, 23), date(2026, 11, 24))
    assert salon.drafts[0].fields == {"title", "start", "end", "zone"}


def test_a_person_is_known_by_organisation(host: Host, salon: Salon) -> None:
    person = host.person("7")
    assert person is not None and (person.tenant_id, person.zone, person.may_use) == ("salon", "Europe/Berlin", True)
    assert host.person("8") is None
    salon.answer = replace(MIRA, user_id="9", tenant_id="")
    assert host.person("9") is None
    salon.answer = "rubbish"
    assert host.person("9") is None and host.profile("9") is None


def test_a_host_that_cannot_answer_is_asked_again(host: Host, salon: Salon) -> None:
    salon.failure = RuntimeError("away")
    for ask in (lambda: host.person("7"), lambda: host.appointments("7", None, None, 10), lambda: host.profile("7")):
        with pytest.raises(Retryable):
            ask()


def test_permission_is_denied_unless_the_host_says_a_clear_yes(host: Host, salon: Salon) -> None:
    for answer, allowed in ((True, True), (False, False), (None, False), ("yes", False), (1, False)):
        salon.answer = answer
        assert host.has_permission("7", "calendar.connect") is allowed
    salon.answer, salon.failure = True, RuntimeError("away")
    assert host.has_permission("7", "calendar.connect") is False


def test_a_page_of_appointments_leaves_out_what_makes_no_sense(host: Host, salon: Salon) -> None:
    good = contract.Appointment("1", 1, "Good", NINE, TEN, owners=("7",))
    salon.answer = contract.AppointmentPage(
        (good, replace(good, ref=""), replace(good, ref="2", end=NINE.date())), "next"
    )
    page = host.appointments("7", 1_800_000_000, "here", 10)
    assert ([record.ref for record in page.records], page.cursor) == (["1"], "next")
    assert salon.asked == ("7", datetime.fromtimestamp(1_800_000_000, UTC), "here", 10)


def test_a_cursor_that_does_not_move_ends_the_listing(host: Host, salon: Salon) -> None:
    salon.answer = contract.AppointmentPage((), "stuck")
    assert host.appointments("7", None, "stuck", 10).cursor is None
    salon.answer = "rubbish"
    assert host.appointments("7", None, None, 10).records == ()


def test_the_base_address_has_no_slash_at_its_end(host: Host, salon: Salon) -> None:
    salon.answer = "https://crm.example/"
    assert host.base_url() == "https://crm.example"
    salon.answer = "javascript:alert(1)"
    with pytest.raises(Defect):
        host.base_url()


def test_people_of_another_organisation_are_never_listed(host: Host, salon: Salon) -> None:
    salon.answer = [MIRA, replace(MIRA, user_id="9", tenant_id="another"), "rubbish"]
    assert [one.user_id for one in host.users("salon")] == ["7"]


def test_contacts_are_found_by_any_spelling_of_an_address(host: Host, salon: Salon) -> None:
    salon.answer = [contract.Contact("c1", "Ann", ("Ann@Example.test", "other@example.test"))]
    assert host.contacts("7", ["ann@example.test"]) == {"ann@example.test": "c1"}
    salon.failure = RuntimeError("away")
    assert host.contacts("7", ["ann@example.test"]) == {}


def test_mail_and_notices_are_handed_over(host: Host, salon: Salon) -> None:
    assert host.send_mail(contract.MailMessage("a@b.c", "Hi", "Hi"))
    assert host.notify("7", "reconnect_needed", {"provider": "x"})
    assert salon.told == ("7", "reconnect_needed", {"provider": "x"})


class Listener:
    """Hears one thing, and may fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.heard: list[Any] = []

    @hookspecs.hookimpl
    def calendar_event_changed(self, change: Any) -> None:
        if self.failure:
            raise self.failure
        self.heard.append(change)


def test_listeners_are_told_and_one_that_fails_costs_the_others_nothing(host: Host, app: Flask) -> None:
    _, pm = app.extensions["salon"]
    first, bad, last = Listener(), Listener(RuntimeError("broken")), Listener()
    for listener in (first, bad, last):
        pm.register(listener)
    host.tell("event_changed", connection="c", change={"kind": "updated"})
    assert first.heard == last.heard == [{"kind": "updated"}]


def test_no_session_is_left_open_by_what_the_engine_asks(host: Host, app: Flask, salon: Salon) -> None:
    for number in range(20):
        host.apply("7", None, event(f"Appointment {number}"), ("title",), expected_version=None, origin="")
        host.appointment(str(number + 1))
        host.person("7")
    with app.app_context():
        assert salon.db.engine.pool.checkedout() == 0


def test_the_engine_reads_what_is_committed(host: Host, app: Flask, salon: Salon) -> None:
    host.apply("7", None, event(), ("title",), expected_version=None, origin="")
    with app.test_request_context():
        salon.db.session.get(salon.Row, 1)
        host.apply("7", "1", event("Trim"), ("title",), expected_version=1, origin="")
        record = host.appointment("1")
    assert record is not None and record.event is not None and record.event.title == "Trim"


def test_a_request_s_questions_use_its_own_session(host: Host, app: Flask, salon: Salon) -> None:
    seen: list[Any] = []
    salon.answer = "https://crm.example"
    with app.test_request_context():
        pm = app.extensions["salon"][1]
        pm.register(Spy(seen, salon.db), name="spy")
        host.base_url()
        assert seen == [salon.db.session()]


class Spy:
    """Notes the session it is asked in, and leaves the answer to others."""

    def __init__(self, seen: list[Any], db: SQLAlchemy) -> None:
        self.seen, self.db = seen, db

    @hookspecs.hookimpl(tryfirst=True)
    def host_base_url(self) -> None:
        self.seen.append(self.db.session())
