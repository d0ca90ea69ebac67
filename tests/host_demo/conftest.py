"""A host on a file of its own, and a small extension beside it that is found as a real one is: by its entry point."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from demo.host import create_app, db

MANIFEST = {
    "schema_version": 1,
    "id": "sample_ext",
    "name": "Sample",
    "summary": "Does nothing, on purpose.",
    "version": "1.0.0",
    "license": "MIT",
    "entry_point": "sample_ext.plugin:plugin",
    "permissions": {
        "requests": [
            {"id": "host.users.read", "reason": "Show whose it is"},
            {"id": "host.activities.write", "reason": "Write a note", "optional": True},
        ],
        "defines": [{"id": "calendar.connect", "label": "Connect", "default_roles": ["user", "admin"]}],
    },
    "options": [
        {
            "key": "scheduler_active",
            "type": "boolean",
            "default": False,
            "label": "Scheduler is active",
            "help": "Booking links.",
            "fee": {"may_apply": True, "note": "Additional monthly fees may apply."},
        }
    ],
    "secrets": [{"key": "SAMPLE_KEY", "purpose": "Keeps things safe"}],
    "oauth": [{"provider": "google", "redirect_path": "/sample/callback", "scopes": ["openid"], "pkce": True}],
    "migrations": {"table_prefix": "sample_"},
    "data": {
        "stores": [{"what": "Nothing at all", "sensitivity": "operational", "retention_days": 90}],
        "on_uninstall": {"default": "keep", "choices": ["keep", "export_then_delete", "delete"], "keep_days": 30},
    },
    "health": {"path": "/sample/health"},
}

PLUGIN = '''
from calendar_ext.contract import OperationResult, Panel, Tab
from calendar_ext.hookspecs import hookimpl


class Plugin:
    """Keeps its state through the host's registry, as an extension does."""

    def init_app(self, app, pm, db, registry, transport=None):
        self.registry = registry
        self.seen = []
        app.add_url_rule("/sample/tab", "sample.tab", lambda: "a tab")
        pm.register(self, name="sample_ext")

    def run(self, op, to, **changes):
        op_id = self.registry.claim("sample_ext", op, None, 60, "1")
        if op_id is None:
            return OperationResult(False, self.registry.read("sample_ext").state, "Somebody else is at it.")
        self.registry.step(op_id, "half way")
        self.registry.finish(op_id, to, **changes)
        return OperationResult(True, to, f"Sample is {to}.")

    @hookimpl
    def extension_install(self, options, accepted_permissions):
        self.seen.append(("install", tuple(accepted_permissions)))
        return self.run("install", "installed", version="1.0.0")

    @hookimpl
    def extension_activate(self, options):
        self.seen.append(("activate", options))
        return self.run("activate", "active", options={"scheduler_active": options["scheduler_active"]})

    @hookimpl
    def extension_deactivate(self):
        return self.run("deactivate", "inactive")

    @hookimpl
    def extension_uninstall(self, data):
        self.seen.append(("uninstall", data))
        return self.run("uninstall", "uninstalled", purge_at=4102444800 if data == "keep" else None)

    @hookimpl
    def account_tabs(self, user):
        active = self.registry.read("sample_ext").state == "active"
        return [Tab("sample", "Calendar sync settings", "sample.tab")] if active else []

    @hookimpl
    def activity_panels(self, user):
        return [Panel("sample", "A panel", "sample/nowhere.html")]


plugin = Plugin()
'''


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EntryPoint]:
    """Put a package with a manifest on the path; give its entry point."""
    home = tmp_path / "site" / "sample_ext"
    (home / "manifest").mkdir(parents=True)
    (home / "__init__.py").write_text("")
    (home / "plugin.py").write_text(PLUGIN)
    (home / "manifest.schema.json").write_text(json.dumps({"required": ["id", "entry_point"]}))
    (home / "manifest" / "manifest.yaml").write_text(json.dumps(MANIFEST))
    monkeypatch.syspath_prepend(str(home.parent))
    yield EntryPoint("sample_ext", "sample_ext.plugin:plugin", "marketplace.extensions")
    for name in [name for name in sys.modules if name.partition(".")[0] == "sample_ext"]:
        del sys.modules[name]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Give a function that makes hosts, all on one database file; close what they opened afterwards."""
    made: list[Flask] = []
    address = f"sqlite:///{tmp_path / 'harbor.sqlite'}"

    def host(*plugins: Any, **config: Any) -> Flask:
        settings = {"SECRET_KEY": "for tests", "SQLALCHEMY_DATABASE_URI": address, "SAMPLE_KEY": "set", **config}
        made.append(create_app(settings, plugins=plugins))
        return made[-1]

    yield host
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make: Callable[..., Flask]) -> Flask:
    """A host without any extension."""
    return make()


class Person:
    """Somebody at a browser without scripts: reads forms from the pages and sends them back."""

    def __init__(self, app: Flask, email: str) -> None:
        self.client = app.test_client()
        self.press("/login", email=email, password="demo")

    def page(self, address: str) -> str:
        answer = self.client.get(address, follow_redirects=True)
        assert answer.status_code == 200, f"{address}: {answer.status}"
        return answer.text

    def press(self, address: str, to: str | None = None, **fields: Any) -> Any:
        """Open a page, send the form on it that goes to `to` (else to the page itself); answer what came in the end."""
        hidden = dict(re.findall(r'name="(csrf_token|generation|version)"[^>]*value="([^"]*)"', self.page(address)))
        return self.client.post(to or address, data={**hidden, **fields}, follow_redirects=True)


@pytest.fixture
def person() -> Callable[[Flask, str], Person]:
    """Give a function that signs somebody in: `person(app, "mira")`."""
    return lambda app, name: Person(app, f"{name}@harbor.example")
