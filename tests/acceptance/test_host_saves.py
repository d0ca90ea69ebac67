"""Colleagues go on working while ten thousand events come in: SQLite, the host's own settings (data-model.md L10)."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from demo.browser import Browser
from demo.chapters.appointments import ZONE, clock, saved
from demo.chapters.calendar import MIRA, until_in_step
from demo.chapters.cast import Cast, in_hours, until
from demo.host import db

from . import stage

EVENTS = 10_000
THREADS = 8
#: Seconds between two saves of one colleague: as fast as people click, not as a machine can.
BREATH = 0.75
PATIENCE = 120.0
TITLE = "Saved meanwhile"


@dataclass
class Colleague:
    """Somebody who saves one appointment after another until told to stop."""

    browser: Browser
    number: int
    stop: threading.Event
    saved: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def work(self) -> None:
        """Fill and send the host's form again and again."""
        while not self.stop.wait(BREATH):
            title = f"{TITLE} {self.number}-{len(self.saved)}"
            start = in_hours(24 * (30 + self.number) + len(self.saved))
            try:
                form = self.browser.get("/appointments/new")
                times = {"starts": clock(start), "ends": clock(start.replace(minute=30)), "zone": ZONE}
                saved(form.press("Save", title=title, invite_guests=False, **times))
                self.saved.append(title)
            except Exception as error:
                self.failed.append(f"{title}: {error}")


class Trouble(logging.Handler):
    """Every statement a database refused, whoever swallowed the error, and every warning that was logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.heard.append(f"{record.name}: {self.format(record)}")

    def refused(self, context: Any) -> None:
        """Keep what SQLAlchemy tells of a failed statement."""
        self.heard.append(str(context.original_exception))

    @property
    def locked(self) -> list[str]:
        """Return what speaks of a database that was locked."""
        return [line for line in self.heard if "locked" in line or "busy" in line]


@contextmanager
def troubles(cast: Cast) -> Iterator[Trouble]:
    """Listen to the engine that the host and the extension share, and to the log."""
    trouble = Trouble()
    with cast.demo.app.app_context():
        engine = db.engine
    event.listen(engine, "handle_error", trouble.refused)
    logging.root.addHandler(trouble)
    try:
        yield trouble
    finally:
        logging.root.removeHandler(trouble)
        event.remove(engine, "handle_error", trouble.refused)


@contextmanager
def colleagues(cast: Cast) -> Iterator[list[Colleague]]:
    """Let eight of them work, all at Mira's appointments, until the block ends."""
    stop = threading.Event()
    working = [Colleague(Browser(cast.demo.base_url), number, stop) for number in range(THREADS)]
    for one in working:
        cast.sign_in(one.browser, "mira")
    threads = [threading.Thread(target=one.work) for one in working]
    for thread in threads:
        thread.start()
    try:
        yield working
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for one in working:
            one.browser.session.close()


@pytest.fixture
def plain(tmp_path: Path, standins_allowed: None) -> Iterator[Cast]:
    """A demo with the host's and the extension's own settings: no limit is changed for the test."""
    with stage.stage(tmp_path, CALENDAR_EXT_LIMITS={}) as people:
        yield people


def test_saves_are_neither_locked_out_nor_lost_nor_doubled(plain: Cast, tmp_path: Path) -> None:
    stage.switched_on(plain)
    plain.google("seed", count=EVENTS, series=0.0)
    with troubles(plain) as trouble:
        with colleagues(plain) as working:
            stage.connect(plain, plain.mira, "mira")
            before = sum(len(one.saved) for one in working)
            until(lambda: brought_in(tmp_path) >= EVENTS, "the events did not come in", PATIENCE)
        titles = [title for one in working for title in one.saved]
        assert len(titles) - before > 2 * THREADS, "nobody could work while the events came in"
        each_goes_out_once(plain, tmp_path, titles)
    assert not [failure for one in working for failure in one.failed]
    assert in_the_host(tmp_path) >= set(titles)
    assert not trouble.locked


def brought_in(home: Path) -> int:
    """Return how many events are stored."""
    return rows(home, "SELECT count(*) FROM calendar_ext_event")[0][0]


def in_the_host(home: Path) -> set[str]:
    """Return the titles of all appointments the host has."""
    return {title for (title,) in rows(home, "SELECT title FROM appointment")}


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return what the database says."""
    with closing(sqlite3.connect(home / "harbor.sqlite")) as connection:
        return connection.execute(sql).fetchall()


def each_goes_out_once(cast: Cast, home: Path, titles: list[str]) -> None:
    """Every save is handled: one appointment known, one copy of it, one event at the provider, nothing left to do."""
    until(lambda: sum(at_google(cast).values()) >= len(titles), "not every appointment is at the provider", PATIENCE)
    until_in_step(cast, MIRA)
    assert at_google(cast) == Counter(titles)
    assert rows(home, "SELECT count(*) FROM calendar_ext_host_change") == [(0,)]
    assert Counter(title for (title,) in rows(home, COPIES) if title.startswith(TITLE)) == Counter(titles)
    assert rows(home, "SELECT DISTINCT state FROM calendar_ext_operation") == [("done",)]


#: The title of every appointment once for each of its copies.
COPIES = """SELECT title FROM calendar_ext_link
    JOIN calendar_ext_appointment ON appointment_id = calendar_ext_appointment.id
    JOIN appointment ON CAST(appointment.id AS TEXT) = ref"""


def at_google(cast: Cast) -> Counter[str]:
    """Return how often each saved appointment stands at the provider."""
    live = [one for one in cast.google("dump")["calendars"][MIRA] if one["status"] != "cancelled"]
    return Counter(one["summary"] for one in live if one["summary"].startswith(TITLE))


def test_a_database_that_is_locked_would_have_been_heard(plain: Cast, tmp_path: Path) -> None:
    with troubles(plain) as trouble, closing(sqlite3.connect(tmp_path / "harbor.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with plain.demo.app.app_context(), db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")
            with pytest.raises(OperationalError):
                connection.exec_driver_sql("DELETE FROM mail")
            connection.invalidate()
        other.rollback()
    assert trouble.locked
