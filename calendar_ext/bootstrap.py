"""The composition root: builds every service once per application. The only module that chooses real or fake."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, StaticPool

from . import __version__, config
from .checks import ProcessChecks
from .commands import calendar_commands
from .config import Config
from .contract import RegistryEntry
from .errors import NeedsPerson
from .host.activation import Activation
from .host.calls import Host
from .jobs.apscheduler import ApschedulerEngine
from .jobs.inline import InlineEngine
from .jobs.port import SyncEngine
from .jobs.runner import AccountRunner
from .jobs.tasks import Tasks
from .persistence.base import Base
from .persistence.export import export
from .persistence.hook_insert import SqlHookInsert
from .persistence.registry import OwnRegistry
from .persistence.schema import Schema
from .persistence.unit_of_work import SqlStore
from .persistence.vault import Vault
from .providers.base import OAuthClient
from .providers.endpoints import refuse_insecure_environment
from .providers.http import Transport
from .providers.registry import Registry, builtin, standins
from .services.appointments import Recording
from .services.connecting import Connecting
from .services.editing import Editing
from .services.grants import Grants
from .services.health import Health
from .services.inviting import Inviting
from .services.lifecycle import Lifecycle
from .services.lifecycle_steps import Steps
from .services.preferences import Preferences
from .services.reading import Reading
from .services.tending import Tending
from .sync.engine import Engine as RunEngine
from .sync.leaving import Leaving
from .web.blueprint import make_blueprint
from .web.mails import invitations_sent, start_mail
from .web.panels import Panels

log = logging.getLogger(__name__)

NAME = "calendar_ext"


@dataclass(frozen=True, slots=True)
class Parts:
    """Every service of one application, in `app.extensions["calendar_ext"]`. A test may put others there."""

    config: Config
    store: SqlStore
    schema: Schema
    vault: Vault
    providers: Registry
    grants: Grants
    activation: Activation
    lifecycle: Lifecycle
    checks: ProcessChecks
    host: Host
    recording: Recording
    editing: Editing
    runner: AccountRunner
    tasks: Tasks
    engine: SyncEngine
    connecting: Connecting
    tending: Tending
    preferences: Preferences
    reading: Reading
    health: Health
    panels: Panels


def parts_of(app: Any) -> Parts:
    """Return the services of an application."""
    return app.extensions[NAME]


def build(app: Any, *, pm: Any, db: Any, registry: Any = None, transport: Any = None) -> Parts:
    """Build everything, register blueprint and commands, leave the services in the application.

    No connection is opened, no thread started, nothing of the host's configuration is changed.

    :param registry: the marketplace's `contract.Registry`; None = two tables of our own.
    :param transport: what provider requests leave through; None = the real door.
    :raises BadSetting: a `CALENDAR_EXT_…` setting cannot be used.
    """
    settings = config.load(app.config)
    Base.metadata.info["bind_key"] = settings.bind_key or None
    parts = _Builder(app, pm, db, settings, transport or Transport(limits=settings.limits)).build(registry)
    app.extensions[NAME] = parts
    app.register_blueprint(make_blueprint(settings, parts.activation))
    app.cli.add_command(calendar_commands)
    parts.engine.init_app(app)
    return parts


class _Builder:
    """Holds what several services share while they are built."""

    def __init__(self, app: Any, pm: Any, db: Any, settings: Config, transport: Transport) -> None:
        self.app, self.pm, self.db = app, pm, db
        self.settings, self.limits = settings, settings.limits
        self.engine = EngineOf(app, db, settings.bind_key)
        self.store = SqlStore(self.engine, self.limits)
        self.schema = Schema(self.engine)
        self.activation = Activation(self.store, ttl=settings.state_ttl)
        self.vault = Vault(settings.encryption_keys, self.activation.public_id)
        self.providers = builtin(transport, standins(transport), time.time)
        self.clients = Clients(settings, self.providers)
        self.checks = ProcessChecks(app=app, pm=pm, db=db, engine=self.engine)
        self.host = Host(pm=pm, app=app, db=db)
        self.grants = Grants(
            store=self.store, vault=self.vault, providers=self.providers, clients=self.clients, clock=time.time
        )

    def build(self, registry: Any) -> Parts:
        """Return everything."""
        runner = self._runner()
        tasks = self._tasks(runner)
        engine = self._sync_engine(tasks)
        return Parts(
            config=self.settings,
            store=self.store,
            schema=self.schema,
            vault=self.vault,
            providers=self.providers,
            grants=self.grants,
            activation=self.activation,
            lifecycle=self._lifecycle(registry),
            checks=self.checks,
            host=self.host,
            recording=Recording(insert=SqlHookInsert(self.engine)),
            editing=Editing(store=self.store, limits=self.limits, clock=time.time),
            runner=runner,
            tasks=tasks,
            engine=engine,
            connecting=self._connecting(),
            tending=Tending(store=self.store, grants=self.grants),
            preferences=Preferences(store=self.store),
            reading=self._reading(),
            health=self._health(engine),
            panels=Panels(),
        )

    def _runner(self) -> AccountRunner:
        runs = RunEngine(
            store=self.store,
            opener=self.grants.open,
            host=self.host,
            limits=self.limits,
            clock=time.time,
            installation=self.activation.public_id,
            leave=Leaving(grants=self.grants),
        )
        return AccountRunner(store=self.store, engine=runs, limits=self.limits)

    def _tasks(self, runner: AccountRunner) -> Tasks:
        return Tasks(
            store=self.store,
            host=self.host,
            runner=runner,
            limits=self.limits,
            installation=self.activation.public_id,
            is_active=self.activation.is_active,
            clock=time.time,
            version=__version__,
        )

    def _sync_engine(self, tasks: Tasks) -> SyncEngine:
        """Return what calls the tasks in time. In memory our commit would commit the host's half-done work (L9)."""
        if self.settings.engine == "inline" or isinstance(self.engine().pool, StaticPool):
            return InlineEngine(tasks)
        return ApschedulerEngine(tasks, mode=self.settings.scheduler, forget_connections=self.engine.forget)

    def _lifecycle(self, registry: Any) -> Lifecycle:
        owner = f"{socket.gethostname()[:64]}:{os.getpid()}"
        steps = Steps(
            store=self.store,
            tables=self.schema,
            grants=self.grants,
            checks=self.checks,
            version=__version__,
            export=lambda: export(self.engine, Path(self.settings.export_folder or self.app.instance_path)),
            now=time.monotonic,
        )
        inviting = Inviting(store=self.store, host=self.host, compose=start_mail, summarize=invitations_sent)
        return Lifecycle(
            steps=steps,
            store=self.store,
            tables=self.schema,
            registry=registry or OwnRegistry(self.engine, RegistryEntry, owner=owner),
            changed=self.activation.drop,
            announce=inviting.announce,
        )

    def _connecting(self) -> Connecting:
        return Connecting(
            store=self.store,
            vault=self.vault,
            providers=self.providers,
            grants=self.grants,
            clients=self.clients,
            limits=self.limits,
            guard=refuse_insecure_environment,
        )

    def _reading(self) -> Reading:
        return Reading(store=self.store, providers=self.providers, limits=self.limits, clock=time.time)

    def _health(self, engine: SyncEngine) -> Health:
        checks: dict[str, Callable[[], Any]] = {
            "schema": lambda: "" if self.schema.current() == self.schema.head() else "The tables wait for an upgrade.",
            "keys": self.vault.ready,
            "scheduler": engine.health,
            "setup": lambda: list(self.checks.findings()),
        }
        return Health(store=self.store, providers=self.providers, limits=self.limits, clock=time.time, checks=checks)


class EngineOf:
    """The engine that holds the host's appointments, asked for when it is first needed."""

    def __init__(self, app: Any, db: Any, bind_key: str) -> None:
        self._app, self._db, self._bind_key = app, db, bind_key
        self._engine: Engine | None = None

    def __call__(self) -> Engine:
        """Return it.

        :raises BadSetting: the host has no such bind.
        """
        if self._engine is None:
            with self._app.app_context():
                engine = self._db.engines.get(self._bind_key or None)
            if engine is None:
                raise config.BadSetting("CALENDAR_EXT_BIND_KEY names no database of the host.")
            self._engine = engine
        return self._engine

    def forget(self) -> None:
        """Leave the connections to the process they belong to: this one was forked from it."""
        if self._engine is not None:
            self._engine.dispose(close=False)


class Clients:
    """The applications people sign in with, by provider; the organisation's own come with a later release."""

    def __init__(self, settings: Config, providers: Registry) -> None:
        self._settings, self._providers = settings, providers

    def __call__(self, provider: str, tenant_id: str) -> OAuthClient:
        """Return the application.

        :raises NeedsPerson: none is set up.
        """
        name, secret = self._settings.client_of(provider)
        if not name or not secret:
            company = self._providers.get(provider).company
            raise NeedsPerson(
                f"{company} sign-in is not set up for your organisation.", remedy="Ask your administrator."
            )
        return OAuthClient(name, secret.reveal())
