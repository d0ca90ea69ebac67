"""What others would do with the same calendar: the floor, three ways to store, and two client libraries."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import requests
from sqlalchemy import Column, Integer, String, Table, create_engine, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import DeclarativeBase, Session

PAGE = 2_500
LONG_AGO, FAR_AHEAD = datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
GZIP = {"Accept-Encoding": "gzip", "User-Agent": "benchmark (gzip)"}
#: What has to be kept of an event to show it, compare it and send it back.
FIELDS = (
    "id", "object_id", "recurrence_key", "uid", "etag", "sequence", "updated", "kind", "status", "summary", "location",
    "description", "colour", "show_as", "visibility", "organizer", "attendees", "link", "all_day", "start_wall",
    "start_zone", "start_at", "end_wall", "end_zone", "end_at", "rules", "marker",
)  # fmt: skip


class Base(DeclarativeBase):
    """The peers' own metadata."""


class Stored(Base):
    """One event as the peers keep it."""

    __table__ = Table(
        "event",
        Base.metadata,
        Column("key", Integer, primary_key=True),
        *(Column(name, String, unique=name == "id") for name in FIELDS),
    )


def pages(base_url: str, token: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the raw items of every page, by one kept session."""
    session = requests.Session()
    session.headers.update({**GZIP, "Authorization": f"Bearer {token}"})
    params: dict[str, Any] = {"maxResults": PAGE, "singleEvents": "false", "showDeleted": "true"}
    while True:
        answer = session.get(f"{base_url}/calendar/v3/calendars/primary/events", params=params)
        body = orjson.loads(answer.content)
        yield body["items"]
        if "nextPageToken" not in body:
            return
        params["pageToken"] = body["nextPageToken"]


def row(item: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of an event, read in the plainest way that is right."""
    get, series = item.get, item.get("recurringEventId")
    start, end = moment(item["start"]), moment(item["end"])
    private = get("extendedProperties", {}).get("private", {})
    guests = get("attendees")
    return {
        "id": item["id"],
        "object_id": series or item["id"],
        "recurrence_key": moment(item["originalStartTime"])[2] if series else "",
        "uid": get("iCalUID", ""),
        "etag": item["etag"],
        "sequence": get("sequence", 0),
        "updated": int(datetime.fromisoformat(item["updated"]).timestamp() * 1000),
        "kind": "override" if series else "master" if "recurrence" in item else "single",
        "status": item["status"],
        "summary": get("summary", ""),
        "location": get("location", ""),
        "description": get("description", ""),
        "colour": get("colorId", ""),
        "show_as": "free" if get("transparency") == "transparent" else "busy",
        "visibility": get("visibility", "default"),
        "organizer": get("organizer", {}).get("email", ""),
        "attendees": orjson.dumps(guests).decode() if guests else "",
        "link": get("htmlLink", ""),
        "all_day": "date" in item["start"],
        "start_wall": start[0],
        "start_zone": start[1],
        "start_at": start[2],
        "end_wall": end[0],
        "end_zone": end[1],
        "end_at": end[2],
        "rules": "\n".join(get("recurrence", ())),
        "marker": private.get("ce_src", ""),
    }


def moment(value: dict[str, str]) -> tuple[str, str, int]:
    """Return wall, zone and instant of a start or end."""
    if "date" in value:
        return value["date"], "", int(datetime.fromisoformat(value["date"]).replace(tzinfo=UTC).timestamp())
    at = datetime.fromisoformat(value["dateTime"])
    return at.replace(tzinfo=None).isoformat(), value.get("timeZone", ""), int(at.timestamp())


def floor(base_url: str, token: str) -> Callable[[], int]:
    """Download, decode, map to rows, bulk upsert through the driver: what no client can go below."""
    path = _file()
    columns = ", ".join(FIELDS)
    marks = ", ".join(f":{name}" for name in FIELDS)
    sets = ", ".join(f"{name} = excluded.{name}" for name in FIELDS if name != "id")
    upsert = f"INSERT INTO event ({columns}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {sets}"

    def go() -> int:
        database = sqlite3.connect(path)
        database.execute(f"CREATE TABLE event (key INTEGER PRIMARY KEY, {columns}, UNIQUE (id))")
        for items in pages(base_url, token):
            with database:
                database.executemany(upsert, [row(item) for item in items])
        count = database.execute("SELECT count(*) FROM event").fetchone()[0]
        database.close()
        return count

    return go


def core_upsert(base_url: str, token: str) -> Callable[[], int]:
    """The same through SQLAlchemy Core's `ON CONFLICT`."""
    engine = create_engine(f"sqlite:///{_file()}")
    table = Base.metadata.tables["event"]

    def go() -> int:
        table.create(engine)
        statement = upsert(table)
        changed = {name: statement.excluded[name] for name in FIELDS if name != "id"}
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=changed)
        for items in pages(base_url, token):
            with engine.begin() as connection:
                connection.execute(statement, [row(item) for item in items])
        with engine.connect() as connection:
            return len(connection.execute(select(table.c.id)).all())

    return go


def orm_add_all(base_url: str, token: str) -> Callable[[], int]:
    """ORM objects by `add_all`, one commit per page."""
    engine = create_engine(f"sqlite:///{_file()}")

    def go() -> int:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            for items in pages(base_url, token):
                session.add_all([Stored(**row(item)) for item in items])
                session.commit()
            return len(session.execute(select(Stored.key)).all())

    return go


def select_then_add(base_url: str, token: str) -> Callable[[], int]:
    """Look each event up, then add or change it: what a first version does."""
    engine = create_engine(f"sqlite:///{_file()}")

    def go() -> int:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            for items in pages(base_url, token):
                for item in items:
                    found = session.scalars(select(Stored).where(Stored.id == item["id"])).first()
                    session.add(found or Stored(**row(item)))
                session.commit()
            return len(session.execute(select(Stored.key)).all())

    return go


def gcsa(base_url: str, token: str) -> Callable[[], int]:
    """gcsa reads every event into its objects and stores nothing."""
    service = client(base_url, token)
    from gcsa.google_calendar import GoogleCalendar
    from google.oauth2.credentials import Credentials

    calendar = GoogleCalendar("primary", credentials=Credentials(token))
    calendar.service = service

    def go() -> int:
        found = calendar.get_events(time_min=LONG_AGO, time_max=FAR_AHEAD, single_events=False, maxResults=PAGE)
        return sum(1 for _ in found)

    return go


def client(base_url: str, token: str) -> Any:
    """Return google-api-python-client's service over the stand-in, built from the description it ships."""
    from importlib.resources import files

    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build_from_document

    text = files("googleapiclient").joinpath("discovery_cache/documents/calendar.v3.json").read_text()
    options = {"api_endpoint": f"{base_url}/calendar/v3/"}
    return build_from_document(text, credentials=Credentials(token), client_options=options)


def _file() -> Path:
    folder = tempfile.mkdtemp(prefix="calendar-ext-bench-", dir=os.environ.get("TMPDIR"))
    return Path(folder) / "peer.sqlite"
