"""The reference host with Calendar in it, a stand-in Google beside it, and people who press buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import event
from werkzeug.test import TestResponse

from calendar_ext.persistence.vault import new_key
from demo.host import create_app
from demo.standins import google
from demo.standins.transport import StandinTransport

from ..standins.browser import Browser

BASE = "http://127.0.0.1:5999"
PEOPLE = {"ada": "1", "mira": "2", "joan": "3", "nils": "4"}
AGREED = ["host.users.read", "host.appointments.read", "host.appointments.write", "host.activities.write"]
MIRA, JOAN = "mira@example.test", "joan@example.test"
TAB, PAGE = "/calendar/settings", "/calendar/"


class Person:
    """One browser of the host, signed in as somebody; `client` does the asking."""

    def __init__(self, world: World, name: str = "") -> None:
        self.world = world
        self.client: FlaskClient = world.app.test_client()
        if name:
            with self.client.session_transaction(base_url=BASE) as session:
                session["_user_id"], session["_fresh"] = PEOPLE[name], True

    def get(self, address: str, **more: Any) -> TestResponse:
        """Open an address; redirects are not followed."""
        return self.client.get(address, base_url=BASE, **more)

    def token(self) -> str:
        """Return a CSRF token of this session."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/contacts/").get_data(as_text=True))
        assert found
        return found[1]

    def post(self, address: str, **fields: Any) -> TestResponse:
        """Send a form with its token; a list sends one name several times."""
        return self.client.post(
            address, data={"csrf_token": self.token(), **fields}, base_url=BASE, headers={"Referer": BASE}
        )

    def page(self, address: str) -> html.HtmlElement:
        """Open an address and return what is on it."""
        answer = self.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.location}"
        return html.document_fromstring(answer.get_data(as_text=True))

    def reads(self, address: str) -> str:
        """Return the words on a page."""
        return words(self.page(address))

    def leaves(self, provider: str = "google", **more: str) -> str:
        """Press a connect button; return the provider's address the browser is sent to."""
        answer = self.get(f"/calendar/connect/{provider}", query_string=more)
        assert answer.status_code == 303, answer.get_data(as_text=True)[:300]
        return str(answer.location)

    def agrees(self, address: str, email: str = MIRA, *, without: str = "") -> str:
        """Sign in and allow at the provider; return the path that leads back."""
        browser = Browser(self.world.standin.base_url).sign_in(address, email)
        if not browser.page.is_redirect:
            scopes = re.findall(r'name="scope" value="([^"]+)"', browser.page.text)
            kept = [("scope", scope) for scope in scopes if not (without and scope.endswith(without))]
            browser.post(browser.page.url, [*kept, ("decision", "allow")])
        assert browser.sent_to.startswith(BASE), browser.sent_to
        return browser.sent_to.removeprefix(BASE)

    def connects(self, email: str = MIRA, **more: str) -> str:
        """Go through a whole sign-in; return the public id of the connection."""
        answer = self.get(self.agrees(self.leaves(**more), email))
        assert answer.status_code == 303, answer.get_data(as_text=True)[:300]
        return self.connection(email)

    def connection(self, email: str = MIRA) -> str:
        """Return the public id of this person's connection of an account."""
        with self.client.session_transaction(base_url=BASE) as session:
            owner = session["_user_id"]
        tenant = self.world.profile(owner).tenant_id
        with self.world.parts.store.read() as unit:
            cards = unit.pages.cards(tenant, owner)
        return next(card.connection.public_id for card in cards if card.account.email == email)


class World:
    """A host application with an active Calendar, and its provider."""

    def __init__(self, app: Flask, standin: Any) -> None:
        self.app, self.standin = app, standin
        self.parts = app.extensions["calendar_ext"]

    def person(self, name: str = "") -> Person:
        """Return a fresh browser of somebody; of nobody without a name."""
        return Person(self, name)

    def profile(self, user_id: str) -> Any:
        """Return a user as the host describes them."""
        with self.app.app_context():
            return self.parts.host.profile(user_id)

    def runs(self, times: int = 3) -> None:
        """Let the background work catch up."""
        with self.app.app_context():
            for _ in range(times):
                self.parts.engine.tick()

    def asked_for_tokens(self) -> int:
        """Return how often the provider's token endpoint was asked."""
        return int(self.standin.control("stats")["by_method"].get("token", 0))

    def execute(self, statement: str, **values: Any) -> Any:
        """Run one statement on the host's database."""
        with self.parts.store._engine().begin() as connection:
            return connection.exec_driver_sql(statement, values or None)

    def scalar(self, statement: str, **values: Any) -> Any:
        """Return the first value of the first row."""
        with self.parts.store._engine().connect() as connection:
            return connection.exec_driver_sql(statement, values or None).scalar()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect what is asked of our tables meanwhile."""
        said: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
            if "calendar_ext_" in statement:
                said.append(statement)

        engine = self.parts.store._engine()
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield said
        finally:
            event.remove(engine, "before_cursor_execute", note)


def words(page: html.HtmlElement) -> str:
    """Return the visible text with single spaces."""
    return " ".join(" ".join(page.xpath("//body//text()[not(ancestor::script or ancestor::style)]")).split())


def query_of(address: str) -> dict[str, str]:
    """Return the query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


@contextmanager
def running(folder: Path, monkeypatch: pytest.MonkeyPatch, *, active: bool = True, **config: Any) -> Iterator[World]:
    """Yield a world of its own."""
    monkeypatch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")
    with google.serve() as standin:
        settings = {
            "SECRET_KEY": "tests-own-secret-key",
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'host.db'}",
            "HOST_FOLDER": str(folder),
            "HOST_BASE_URL": BASE,
            "CALENDAR_EXT_ENCRYPTION_KEYS": new_key(),
            "CALENDAR_EXT_GOOGLE_CLIENT_ID": "demo-client",
            "CALENDAR_EXT_GOOGLE_CLIENT_SECRET": "demo-secret",
            "CALENDAR_EXT_ENGINE": "inline",
            "CALENDAR_EXT_STATE_TTL": 0.001,
            "CALENDAR_EXT_LIMITS": {"sqlite_rest_factor": 0},
        }
        app = create_app(settings | config, transport=StandinTransport({"google": standin.base_url}))
        world = World(app, standin)
        with app.app_context():
            assert world.parts.lifecycle.install(actor_id="1", accepted_permissions=AGREED).ok
            if active:
                assert world.parts.lifecycle.activate(actor_id="1", options={}).ok
        world.parts.engine.start("tests")
        yield world
        for engine in app.extensions["sqlalchemy"]._app_engines[app].values():
            engine.dispose()
