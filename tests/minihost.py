"""The smallest host there can be: no marketplace, no registry, one user who may do everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pluggy
from flask import Flask
from flask_login import LoginManager, UserMixin
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from calendar_ext import contract, hookspecs
from calendar_ext.hookspecs import hookimpl
from calendar_ext.persistence.vault import new_key

KEY = new_key()


class User(UserMixin):
    """Somebody."""

    def __init__(self, id: str) -> None:
        self.id = id


class Services:
    """What a host must answer."""

    @hookimpl
    def host_get_user(self, user_id: str) -> contract.OwnerProfile:
        return contract.OwnerProfile(user_id, "Ada", "ada@example.test", "t1")

    @hookimpl
    def host_get_appointment(self, appointment_id: str) -> None:
        return None

    @hookimpl
    def host_list_appointments(self, user_id: str) -> contract.AppointmentPage:
        return contract.AppointmentPage(())

    @hookimpl
    def host_apply_appointment(self, draft: contract.AppointmentDraft) -> contract.Applied:
        return contract.Applied(draft.ref or "1", 1)

    @hookimpl
    def host_has_permission(self, user_id: str) -> bool:
        return True

    @hookimpl
    def host_base_url(self) -> str:
        return "https://host.test"


class MiniHost:
    """An application with the extension's specs, and everything `Plugin.init_app` asks for."""

    def __init__(self, database: str, folder: Path, *, services: Any = None, **config: Any) -> None:
        self.app = Flask("minihost", instance_path=str(folder))
        self.app.config.from_mapping(
            SECRET_KEY="tests",
            SQLALCHEMY_DATABASE_URI=database,
            CALENDAR_EXT_ENCRYPTION_KEYS=KEY,
            CALENDAR_EXT_SCHEDULER="off",
        )
        self.app.config.from_mapping(config)
        self.db = SQLAlchemy(self.app)
        CSRFProtect(self.app)
        login = LoginManager(self.app)
        login.user_loader(User)
        self.pm = pluggy.PluginManager(hookspecs.PROJECT)
        self.pm.add_hookspecs(hookspecs)
        self.pm.register(services or Services(), name="minihost")

    def start(self, plugin: Any, **more: Any) -> Any:
        """Start an extension as hosts do; return its services."""
        plugin.init_app(self.app, pm=self.pm, db=self.db, **more)
        return self.app.extensions["calendar_ext"]

    def stop(self) -> None:
        """Close every connection."""
        with self.app.app_context():
            self.db.session.remove()
            for engine in self.db.engines.values():
                engine.dispose()
