"""The hook body in a host's own transaction: on SQLite and PostgreSQL, with a real ORM session."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import CheckConstraint, Engine, ForeignKey, String, create_engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from calendar_ext.contract import Activity, Appointment, Contact, Guest, OwnerProfile
from calendar_ext.persistence.hook_insert import SqlHookInsert
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.services.appointments import Recording
from calendar_ext.sync.ports.plan import HostChangeRecord

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


class Base(DeclarativeBase):
    """The host's own metadata."""


class Person(Base):
    __tablename__ = "host_person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Row(Base):
    __tablename__ = "host_appointment"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("host_person.id"))
    __table_args__ = (CheckConstraint("title <> 'invalid'"),)


@pytest.fixture
def recording(engine: Engine, store: SqlStore) -> Recording:
    Base.metadata.create_all(engine)
    return Recording(insert=SqlHookInsert(lambda: engine))


@pytest.fixture
def session(engine: Engine, recording: Recording) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def appointment(ref: str = "1", **facts: Any) -> Appointment:
    """Return a sensible appointment."""
    return Appointment(**{"ref": ref, "version": 1, "title": "Haircut", "start": NINE, "end": TEN, **facts})


def changes(engine: Engine) -> list[dict[str, Any]]:
    """Return what hooks left behind."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM calendar_ext_host_change")).mappings()]


def save(session: Session, recording: Recording, title: str = "Haircut") -> Row:
    """Save as a host does: flush, fire."""
    row = Row(title=title)
    session.add(row)
    session.flush()
    recording.record(session, "appointment_created", appointment(str(row.id), title=title), "7", None)
    return row


def test_L01_L02_a_hook_leaves_one_row_in_the_host_s_transaction(
    session: Session, recording: Recording, engine: Engine
) -> None:
    save(session, recording)
    assert changes(engine) == [] or engine.dialect.name == "sqlite"
    session.commit()
    (change,) = changes(engine)
    assert (change["kind"], change["ref"], change["version"], change["actor_id"]) == ("appointment", "1", 1, "7")
    assert json.loads(change["payload"])["event"]["title"] == "Haircut"
    assert recording.failed == recording.refused == 0


def test_L02_a_rolled_back_save_leaves_nothing(session: Session, recording: Recording, engine: Engine) -> None:
    save(session, recording)
    session.rollback()
    assert changes(engine) == []


def test_L02_a_hook_before_the_host_s_first_write_rolls_back_with_it(
    session: Session, recording: Recording, engine: Engine
) -> None:
    recording.record(session, "appointment_created", appointment(), None, None)
    session.add(Row(title="After the hook"))
    session.flush()
    session.rollback()
    assert changes(engine) == []
    assert recording.failed == 0


def test_L02_a_savepoint_of_the_host_takes_its_hook_along(
    session: Session, recording: Recording, engine: Engine
) -> None:
    save(session, recording, "kept")
    point = session.begin_nested()
    save(session, recording, "undone")
    point.rollback()
    session.commit()
    assert [json.loads(one["payload"])["event"]["title"] for one in changes(engine)] == ["kept"]


def test_L02_the_host_s_own_invalid_row_fails_as_the_host_s(
    session: Session, recording: Recording, engine: Engine
) -> None:
    session.add(Row(title="invalid"))
    recording.record(session, "appointment_created", appointment(), None, None)
    assert recording.failed == 0
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()
    assert changes(engine) == []


def test_L02_no_listener_of_the_host_s_session_sees_us(session: Session, recording: Recording, engine: Engine) -> None:
    flushed: list[Any] = []
    event.listen(session, "before_flush", lambda s, context, instances: flushed.extend([*s.new, *s.dirty]))
    recording.record(session, "appointment_created", appointment(), None, None)
    session.commit()
    assert flushed == [] and len(changes(engine)) == 1


def test_L02_a_hook_costs_three_statements(session: Session, recording: Recording, engine: Engine) -> None:
    session.add(Row(title="first"))
    session.flush()
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    event.listen(engine, "savepoint", lambda *call: seen.append("SAVEPOINT"))
    event.listen(engine, "release_savepoint", lambda *call: seen.append("RELEASE"))
    recording.record(session, "appointment_created", appointment(), None, None)
    assert len([one for one in seen if not one.startswith(("SAVEPOINT sa", "RELEASE SAVEPOINT"))]) == 3


def test_L01_two_transactions_touching_two_people_in_opposite_order_never_deadlock(
    engine: Engine, recording: Recording
) -> None:
    """With a shared row in the hook this ends in `DeadlockDetected` on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        return
    barrier, errors = threading.Barrier(2), []

    def work(owners: tuple[str, str]) -> None:
        try:
            with Session(engine) as session:
                for owner in owners:
                    value = appointment(owner, owners=(owner,))
                    recording.record(session, "appointment_updated", value, None, None)
                    barrier.wait(5)
                session.commit()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(owners,)) for owners in (("1", "2"), ("2", "1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert errors == [] and len(changes(engine)) == 4 and recording.failed == 0


def test_L01_a_hook_waits_for_nobody_who_runs_the_account(engine: Engine, recording: Recording) -> None:
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as worker, worker.begin():
        worker.execute(text("UPDATE calendar_ext_sync_state SET lease_until = 1"))
        worker.execute(text("SELECT * FROM calendar_ext_installation FOR SHARE"))
        with Session(engine) as session:
            session.execute(text("SET lock_timeout = '1s'"))
            recording.record(session, "appointment_created", appointment(), None, None)
            session.commit()
    assert len(changes(engine)) == 1


def test_an_inactive_extension_writes_nothing(session: Session, recording: Recording, engine: Engine) -> None:
    session.execute(text("UPDATE calendar_ext_installation SET state = 'inactive'"))
    session.commit()
    save(session, recording)
    session.commit()
    assert changes(engine) == []
    assert recording.failed == 0
    assert session.scalar(select(Row.title)) == "Haircut"


def test_a_host_that_was_never_installed_saves_all_the_same(database: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    recording = Recording(insert=SqlHookInsert(lambda: engine))
    with caplog.at_level("INFO", "calendar_ext.hooks"), Session(engine) as session:
        save(session, recording, "A secret title")
        save(session, recording, "Another")
        session.commit()
        assert session.scalars(select(Row.title)).all() == ["A secret title", "Another"]
    assert recording.failed == 0
    assert caplog.text.count("is not installed") == 1
    assert "secret" not in caplog.text
    engine.dispose()


def test_a_host_that_fires_after_its_commit_is_heard_too(engine: Engine, recording: Recording) -> None:
    recording.record(None, "appointment_created", appointment(), None, None)
    assert len(changes(engine)) == 1


def test_the_origin_is_kept(engine: Engine, recording: Recording) -> None:
    recording.record(None, "appointment_updated", appointment(), "7", "link-public-id", changes={"title": ("a", "b")})
    assert changes(engine)[0]["origin"] == "link-public-id"


class Hostile:
    """Raises wherever it is touched."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


RUBBISH = [
    None,
    "a string",
    {"ref": "1"},
    Hostile(),
    appointment(""),
    appointment("   "),
    appointment("x" * 65),
    appointment(ref=7),
    appointment(version="1"),
    appointment(version=None),
    appointment(version=True),
    appointment(version=-1),
    appointment(version=2**63),
    appointment(title=None),
    appointment(title=b"bytes"),
    appointment(title="x" * 2_000_000),
    appointment(start=datetime(2026, 11, 23, 9)),
    appointment(end=datetime(2026, 11, 23, 10)),
    appointment(start=TEN, end=NINE),
    appointment(start="2026-11-23"),
    appointment(start=None),
    appointment(start=date(2026, 11, 23)),
    appointment(start=date(2026, 11, 23), end=date(2026, 11, 23)),
    appointment(start=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    appointment(end=datetime(9999, 12, 31, tzinfo=UTC)),
    appointment(owners="7"),
    appointment(owners=(7,)),
    appointment(owners=None),
    appointment(owners=tuple(str(number) for number in range(600))),
    appointment(guests=("ann@example.test",)),
    appointment(guests=None),
    appointment(guests=(Guest("a@example.test", name=7),)),
    appointment(status="maybe"),
    appointment(status=["confirmed"]),
    appointment(show_as="gone"),
    appointment(url="x" * 2_000_000),
]


@pytest.mark.parametrize("value", RUBBISH, ids=range(len(RUBBISH)))
def test_L03_rubbish_is_refused_and_the_host_s_save_is_unharmed(
    value: Any, session: Session, recording: Recording, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    session.add(Row(title="The host's own"))
    session.flush()
    recording.record(session, "appointment_created", value, object(), Hostile())
    session.commit()
    assert session.scalar(select(Row.title)) == "The host's own"
    assert changes(engine) == []
    assert recording.refused + recording.failed == 1
    assert "Haircut" not in caplog.text


def test_L03_the_hook_s_name_and_its_value_must_agree(recording: Recording, engine: Engine) -> None:
    recording.record(None, "appointment_created", Activity("1", 1, "Call", NINE, TEN))
    recording.record(None, "activity_created", appointment())
    recording.record(None, "contact_changed", appointment())
    recording.record(None, "no_such_hook", appointment())
    assert changes(engine) == [] and recording.refused == 4


def test_what_makes_sense_is_kept_as_it_was_said(recording: Recording, engine: Engine) -> None:
    value = appointment(
        title="Hi\0there \ud800",
        start=datetime(2026, 11, 23, 9, tzinfo=ZoneInfo("Europe/Berlin")),
        end=datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Europe/Berlin")),
        zone="No/Such/Zone",
        guests=(Guest("ann@example.test", "Ann"), Guest("", "Nobody"), Guest("@", "At")),
        description="x" * 9_000,
        private=True,
    )
    recording.record(None, "appointment_created", value)
    facts = json.loads(changes(engine)[0]["payload"])["event"]
    assert facts["title"] == "Hithere ?"
    assert facts["when"]["start_zone"] == "Europe/Berlin" and facts["when"]["start_wall"] == "2026-11-23T09:00:00"
    assert [guest["email"] for guest in facts["attendees"]] == ["ann@example.test"]
    assert len(facts["description"]) == 8_192 and facts["visibility"] == "private"


def test_days_are_days(recording: Recording, engine: Engine) -> None:
    recording.record(None, "appointment_created", appointment(start=date(2026, 11, 23), end=date(2026, 11, 24)))
    when = json.loads(changes(engine)[0]["payload"])["event"]["when"]
    assert (when["start_wall"], when["end_wall"], when["start_zone"]) == ("2026-11-23", "2026-11-24", "")


def test_every_hook_has_its_kind(recording: Recording, engine: Engine) -> None:
    recording.record(None, "appointment_cancelled", appointment(), None, None, reason="ill")
    recording.record(None, "activity_created", Activity("a", 1, "Call", NINE))
    recording.record(None, "activity_created", Activity("b", 1, "Day", date(2026, 11, 23)))
    recording.record(None, "activity_deleted", Activity("a", 2, "Note"))
    recording.record(None, "contact_changed", Contact("c", "Ann", ("Ann@Example.test", "")))
    recording.record(None, "user_changed", OwnerProfile("7", "Mira", "m@example.test", "salon"))
    recording.record(None, "user_deleted", "7")
    recording.record(None, "user_deleted", 8)
    found = changes(engine)
    assert [one["kind"] for one in found] == [
        "appointment", "activity", "activity", "activity", "contact", "user", "user_deleted", "user_deleted",
    ]  # fmt: skip
    assert json.loads(found[0]["payload"])["cancelled"] and json.loads(found[3]["payload"])["cancelled"]
    assert json.loads(found[4]["payload"]) == {"emails": ["ann@example.test"]}
    assert recording.refused == recording.failed == 0


def test_a_broken_statement_leaves_the_host_s_transaction_usable(
    session: Session, recording: Recording, engine: Engine
) -> None:
    broken = Recording(insert=lambda session, change: SqlHookInsert(lambda: engine)(session, spoiled(change)))
    save(session, broken)
    session.commit()
    assert session.scalar(select(Row.title)) == "Haircut"
    assert broken.failed == 1 and changes(engine) == []


def spoiled(change: Any) -> Any:
    """Return a change no database takes."""
    return HostChangeRecord(kind=None, ref=change.ref)
