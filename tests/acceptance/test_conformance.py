"""The reference host keeps every promise a host makes; and the suite would notice one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calendar_ext.testing import HostConformance, HostUnderTest
from demo.host import create_app, db
from demo.host.models import Appointment, User

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    """Yield the reference host without any extension."""
    config = {"SECRET_KEY": "test", "HOST_FOLDER": str(tmp_path), "TESTING": True}
    made = create_app({**config, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'host.sqlite'}"}, plugins=[])
    yield made
    with made.app_context():
        db.engine.dispose()


def appointment(user_id: int, title: str) -> Appointment:
    """Return an unsaved appointment."""
    return Appointment(
        owner_id=user_id, title=title, starts_at=START, ends_at=START + timedelta(hours=1), zone="UTC", guests=[]
    )


def changing(app: Any, act: Callable[[Appointment, str], None]) -> Callable[..., None]:
    """Return a function that loads an appointment, acts on it and commits."""

    def run(ref: str, title: str = "") -> None:
        with app.app_context():
            act(db.session.get(Appointment, int(ref)), title)
            db.session.commit()

    return run


def adapter(app: Any) -> HostUnderTest:
    """Return the reference host as the suite wants it."""
    with app.app_context():
        user_id = db.session.query(User).filter_by(email="mira@harbor.example").one().id

    def save(title: str) -> str:
        with app.app_context():
            row = appointment(user_id, title)
            db.session.add(row)
            db.session.commit()
            return str(row.id)

    def save_but_roll_back(title: str) -> None:
        with app.app_context():
            db.session.add(appointment(user_id, title))
            db.session.flush()
            db.session.rollback()

    return HostUnderTest(
        app=app,
        pm=app.extensions["harbor"].pm,
        db=db,
        user_id=str(user_id),
        save=save,
        change=changing(app, lambda row, title: setattr(row, "title", title)),
        cancel=changing(app, lambda row, _: setattr(row, "status", "cancelled")),
        save_but_roll_back=save_but_roll_back,
    )


class TestTheReferenceHost(HostConformance):
    @pytest.fixture
    def host(self, app: Any) -> HostUnderTest:
        return adapter(app)


def test_a_host_that_fires_nothing_is_found_out(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.host.firing.fire", lambda name, **arguments: [])
    with pytest.raises(AssertionError):
        HostConformance().test_a_created_appointment_is_told_once_and_has_an_id(adapter(app))
