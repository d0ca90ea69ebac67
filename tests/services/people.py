"""The services around people over the in-memory provider, on either database."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Engine, text

from calendar_ext.contract import OwnerProfile
from calendar_ext.errors import NeedsPerson
from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.persistence.vault import Secret, Vault, new_key
from calendar_ext.providers.base import OAuthClient
from calendar_ext.providers.memory import MemoryType
from calendar_ext.providers.registry import Registry
from calendar_ext.services.connecting import Answer, Connecting, Finished
from calendar_ext.services.grants import Grants
from calendar_ext.services.health import Health
from calendar_ext.services.preferences import Preferences
from calendar_ext.services.reading import Reading
from calendar_ext.services.tending import Tending

from ..sync.rig import OWNER, TENANT, Rig

BACK = "https://host.test/calendar/oauth/memory/callback"
USER = OwnerProfile(OWNER, "Mira", "mira@host.test", TENANT, zone="Europe/Berlin")
OTHER = OwnerProfile("8", "Joan", "joan@host.test", TENANT, zone="Europe/Berlin")
STRANGER = OwnerProfile(OWNER, "Nils", "nils@host.test", "another", zone="Europe/Berlin")
CLIENT = OAuthClient("client", "secret")


class People:
    """Everything the pages ask, without pages."""

    def __init__(self, store: SqlStore, database: Engine, limits: Limits) -> None:
        self.store, self.database = store, database
        self.kind = MemoryType(time.time)
        self.providers = Registry()
        self.providers.register(self.kind)
        self.vault = Vault(Secret(new_key()), lambda: "tests-own-installation")
        self.client: OAuthClient | None = CLIENT
        facts: dict[str, Any] = {"store": store, "providers": self.providers}
        self.grants = Grants(**facts, vault=self.vault, clients=self._client, clock=time.time)
        self.connecting = Connecting(**facts, vault=self.vault, grants=self.grants, clients=self._client, limits=limits)
        self.tending = Tending(store=store, grants=self.grants)
        self.preferences = Preferences(store=store)
        self.reading = Reading(**facts, limits=limits, clock=time.time)
        self.health = Health(**facts, limits=limits, clock=time.time)

    def _client(self, provider: str, tenant_id: str) -> OAuthClient:
        if self.client is None:
            raise NeedsPerson("There is no client.")
        return self.client

    def starts(self, user: OwnerProfile = USER, **more: Any) -> tuple[Answer, str]:
        """Begin a sign-in; return what the provider would send back, and the browser's binding."""
        started = self.connecting.start(user, "memory", redirect_uri=BACK, **more)
        sent = dict(parse_qsl(urlsplit(started.url).query))
        return Answer(sent["state"], sent["code"]), started.binding

    def connects(self, user: OwnerProfile = USER, email: str = "mira@example.test", **more: Any) -> Finished:
        """Sign in at the provider and come back."""
        self.kind.add_account(email)
        self.kind.visitor = email
        answer, binding = self.starts(user, **more)
        return self.connecting.finish(user, "memory", answer, redirect_uri=BACK, binding=binding)

    def runs(self, rig: Rig) -> None:
        """Let the engine read what there is."""
        rig.open = self.grants.open
        rig.make_due()
        for account in range(1, 6):
            rig.runner.run_one(account)

    def execute(self, statement: str, **values: Any) -> Any:
        """Reach into the database."""
        with self.database.begin() as connection:
            answer = connection.execute(text(statement), values)
            return answer.all() if answer.returns_rows else []
