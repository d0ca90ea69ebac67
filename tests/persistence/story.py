"""One person with one account in memory, and what runs it: every room from the sign-in to the rows, no web."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from calendar_ext.contract import OwnerProfile
from calendar_ext.domain.model import Event
from calendar_ext.domain.rows import row_of
from calendar_ext.domain.when import When
from calendar_ext.jobs.runner import AccountRunner
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.persistence.vault import Secret, Vault, new_key
from calendar_ext.providers.base import OAuthClient
from calendar_ext.providers.memory import MemoryType
from calendar_ext.providers.memory_world import MemoryWorld
from calendar_ext.providers.registry import Registry
from calendar_ext.services.editing import Editing, EventDraft
from calendar_ext.services.grants import Grants
from calendar_ext.services.tending import Tending
from calendar_ext.services.welcoming import welcome
from calendar_ext.sync.engine import Engine as RunEngine
from calendar_ext.sync.leaving import Leaving
from calendar_ext.sync.ports.host import HostPage, HostPort, Person
from tests.conftest import LIMITS

CLIENT = OAuthClient("client", "secret")
MIRA = OwnerProfile("1", "Mira", "mira@example.test", "t1")


class NobodyHome(HostPort):
    """A host without appointments."""

    def person(self, owner_id: str) -> Person:
        return Person(owner_id, "t1", MIRA.email)

    def appointments(self, *asked: object) -> HostPage:
        return HostPage((), None)

    def tell(self, what: object, **facts: object) -> None:
        """Nobody listens."""


class Story:
    """One person, one account in memory, and what runs it."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.kind = MemoryType(time.time)
        providers = Registry()
        providers.register(self.kind)
        vault = Vault(Secret(new_key()), lambda: "installation")
        grants = Grants(store=store, vault=vault, providers=providers, clients=lambda *_: CLIENT, clock=time.time)
        runs = RunEngine(
            store=store,
            opener=grants.open,
            host=NobodyHome(),
            limits=LIMITS,
            clock=time.time,
            installation=lambda: "installation",
            leave=Leaving(grants=grants),
        )
        self.grants = grants
        self.tending = Tending(store=store, grants=grants)
        self.editing = Editing(store=store, limits=LIMITS, clock=time.time)
        self.runner = AccountRunner(store=store, engine=runs, limits=LIMITS)
        self.account = 0
        self.connection = ""

    @property
    def world(self) -> MemoryWorld:
        """The account as its provider keeps it."""
        return self.kind.worlds[self.kind.visitor]

    def put(self, name: str) -> None:
        """Let the owner make an event at the provider."""
        identity = {"remote_id": name, "object_id": name, "ical_uid": name, "kind": "single", "recurrence_key": ""}
        self.world.put(self.world.subject, {**row_of(Event(tomorrow(), title=name)), **identity})

    def connect(self) -> None:
        """Sign in, and keep what was granted."""
        signed_in = self.kind.authorization(CLIENT, redirect_uri="https://host.test", state="s", nonce="n")
        code = signed_in.url.partition("code=")[2].partition("&")[0]
        grant = self.kind.exchange(CLIENT, code=code, verifier=signed_in.verifier, redirect_uri="", nonce="n")
        kept = welcome(self.store, self.grants, self.kind, MIRA, grant)
        self.account, self.connection = kept.account.id, kept.connection.public_id

    def create(self, title: str) -> str:
        """Make an event on the Calendar page."""
        return self.editing.create(MIRA, self.calendar(), EventDraft(title, tomorrow()))

    def run(self) -> None:
        """Let the engine run the account once."""
        outcome = self.runner.run_one(self.account)
        assert (outcome.ran, outcome.error) == (True, "")

    def calendar(self) -> str:
        """Return where new events go."""
        with self.store.read() as unit:
            destination = unit.choices.destination(MIRA.user_id)
        assert destination
        return destination.public_id


def tomorrow() -> When:
    """Return an hour of tomorrow."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    return When.timed(start, start + timedelta(hours=1), "UTC")
