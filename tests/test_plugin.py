"""The entry point in a host: what it registers, what it never does, and that every process feels a switch."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest
import yaml
from sqlalchemy import create_engine, inspect

from calendar_ext import _resources, bootstrap
from calendar_ext.config import BadSetting
from calendar_ext.hookspecs import hookimpl
from calendar_ext.jobs.apscheduler import ApschedulerEngine
from calendar_ext.jobs.inline import InlineEngine
from calendar_ext.plugin import Plugin
from calendar_ext.services import terms

from .minihost import KEY, MiniHost, Services

ROOT = Path(__file__).parents[1]
#: Does in a process of its own what an administrator does somewhere else.
OTHER = """
import sys
from pathlib import Path
from calendar_ext.plugin import Plugin
from calendar_ext.services import terms
from tests.minihost import MiniHost

database, folder, key, operation = sys.argv[1:]
host = MiniHost(database, Path(folder), CALENDAR_EXT_ENCRYPTION_KEYS=key)
more = {"accepted_permissions": terms.PERMISSIONS} if operation == "install" else {}
result = getattr(host.start(Plugin()).lifecycle, operation)(actor_id="somebody else", **more)
host.stop()
sys.exit(0 if result.ok else result.message)
"""

Start = Callable[..., MiniHost]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Make hosts; close them at the end."""
    hosts: list[MiniHost] = []

    def make(database: str = "", **config: Any) -> MiniHost:
        host = MiniHost(database or f"sqlite:///{tmp_path / 'host.db'}", tmp_path, **config)
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.stop()


@pytest.fixture
def host(start: Start) -> MiniHost:
    """A host with the extension started and installed, not active."""
    host = start()
    parts = host.start(Plugin())
    assert parts.lifecycle.install(actor_id="admin", accepted_permissions=terms.PERMISSIONS).ok
    return host


def parts(host: MiniHost) -> bootstrap.Parts:
    return bootstrap.parts_of(host.app)


# ── starting ──


def test_starting_opens_no_connection_and_makes_no_table(start: Start, tmp_path: Path) -> None:
    start().start(Plugin())
    assert not (tmp_path / "host.db").exists()


def test_a_misspelt_hook_name_is_an_error_at_start(start: Start) -> None:
    class Listener:
        @hookimpl
        def calendar_sync_finnished(self, connection: str) -> None:
            """Would never be called."""

    host = start()
    host.pm.register(Listener())
    with pytest.raises(pluggy.PluginValidationError, match="calendar_sync_finnished"):
        host.start(Plugin())


def test_a_misspelt_hook_of_ours_would_be_an_error_too(start: Start) -> None:
    class Misspelt(Plugin):
        @hookimpl
        def appointment_creatd(self, session: Any) -> None:
            """Would never be called."""

    with pytest.raises(pluggy.PluginValidationError, match="appointment_creatd"):
        start().start(Misspelt())


def test_every_hook_the_host_fires_has_an_implementation(host: MiniHost) -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    names = [hook["name"] for hook in manifest["hooks"]["listens"]]
    names += [f"extension_{name}" for name in ("install", "activate", "deactivate", "upgrade", "uninstall")]
    for name in names:
        assert [impl.plugin_name for impl in getattr(host.pm.hook, name).get_hookimpls()] == ["calendar_ext"], name


@pytest.mark.parametrize("prefix", ["", "/"])
def test_it_does_not_register_without_an_address_of_its_own(start: Start, prefix: str) -> None:
    host = start(CALENDAR_EXT_URL_PREFIX=prefix)
    with pytest.raises(BadSetting, match="CALENDAR_EXT_URL_PREFIX"):
        host.start(Plugin())
    assert "calendar_ext" not in host.app.blueprints


def test_a_host_that_registered_the_plugin_itself_is_no_obstacle(start: Start) -> None:
    host, plugin = start(), Plugin()
    host.pm.register(plugin, name="calendar_ext")
    host.start(plugin)
    assert len(host.pm.hook.appointment_created.get_hookimpls()) == 1


def test_a_database_in_memory_gets_the_engine_that_runs_when_told(start: Start, tmp_path: Path) -> None:
    """L9: with one shared connection our commit would commit the host's half-done work."""
    assert isinstance(start("sqlite:///:memory:").start(Plugin()).engine, InlineEngine)
    assert isinstance(start(f"sqlite:///{tmp_path / 'file.db'}").start(Plugin()).engine, ApschedulerEngine)
    inline = start(f"sqlite:///{tmp_path / 'file.db'}", CALENDAR_EXT_ENGINE="inline")
    assert isinstance(inline.start(Plugin()).engine, InlineEngine)


# ── the manifest and the application agree ──


def test_every_page_the_manifest_names_exists(host: MiniHost) -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    named = [item["endpoint"] for items in manifest["ui"].values() for item in items]
    assert named
    assert set(named) <= set(host.app.view_functions)


def test_the_manifest_s_routes_equal_the_url_map(host: MiniHost) -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    declared = {(route["path"], method) for route in manifest["routes"] for method in route["methods"]}
    rules = [rule for rule in host.app.url_map.iter_rules() if rule.rule.startswith("/calendar")]
    real = {(rule.rule, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert declared == real


# ── installing on a host that cannot carry us ──


def test_a_host_without_a_required_service_is_told_which(start: Start) -> None:
    class Silent(Services):
        host_base_url = None

    host = start(services=Silent())
    result = host.start(Plugin()).lifecycle.install(actor_id="admin", accepted_permissions=terms.PERMISSIONS)
    assert not result.ok
    assert "host_base_url" in result.message


def test_a_bind_that_is_not_there_is_named(start: Start) -> None:
    host = start(CALENDAR_EXT_BIND_KEY="nowhere")
    with pytest.raises(BadSetting, match="CALENDAR_EXT_BIND_KEY"):
        host.start(Plugin())


def test_a_bind_of_the_host_holds_our_tables(start: Start, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    host = start(SQLALCHEMY_BINDS={"crm": other}, CALENDAR_EXT_BIND_KEY="crm")
    result = host.start(Plugin()).lifecycle.install(actor_id="admin", accepted_permissions=terms.PERMISSIONS)
    assert result.ok, result.message
    engine = create_engine(other)
    assert "calendar_ext_event" in inspect(engine).get_table_names()
    engine.dispose()


# ── hooks never raise ──


RUBBISH: list[Any] = [None, 5, "text", object(), {"ref": "1"}]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda value: type(value).__name__)
def test_hooks_fired_with_rubbish_break_nothing(host: MiniHost, rubbish: Any) -> None:
    parts(host).lifecycle.activate(actor_id="admin")
    hook = host.pm.hook
    with host.app.app_context():
        for name in ("appointment_created", "activity_created", "activity_updated", "activity_deleted"):
            value = {name.partition("_")[0]: rubbish}
            assert getattr(hook, name)(session=rubbish, actor_id=rubbish, origin=rubbish, **value) == []
        for name in ("account_tabs", "navigation", "admin_pages", "activity_panels"):
            assert getattr(hook, name)(user=rubbish) == [[]]
        assert hook.user_deleted(session=rubbish, user_id=rubbish) == []
        host.db.session.execute(host.db.text("SELECT 1"))


def test_a_hook_that_fails_is_counted_and_logged_without_its_content(
    host: MiniHost, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = host.pm.get_plugin("calendar_ext")

    def broken(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("Dentist, 9 o'clock")

    monkeypatch.setattr(parts(host).recording, "record", broken)
    with caplog.at_level(logging.DEBUG), host.app.app_context():
        host.pm.hook.user_deleted(session=None, user_id="1")
    assert plugin.hook_errors == 1
    assert "RuntimeError" in caplog.text
    assert "Dentist" not in caplog.text


def test_hooks_of_a_host_that_never_installed_us_leave_its_transaction_alone(start: Start) -> None:
    host = start()
    host.start(Plugin())
    with host.app.app_context():
        host.db.session.execute(host.db.text("CREATE TABLE theirs (id INTEGER)"))
        host.db.session.commit()
        host.db.session.execute(host.db.text("INSERT INTO theirs VALUES (1)"))
        assert host.pm.hook.user_deleted(session=host.db.session, user_id="1") == []
        host.db.session.commit()
        assert host.db.session.execute(host.db.text("SELECT count(*) FROM theirs")).scalar() == 1


def test_a_button_whose_operation_breaks_answers_in_a_sentence(host: MiniHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.parts_of(host.app).lifecycle, "activate", None)
    result = host.pm.hook.extension_activate(app=host.app, actor_id="admin", options={})
    assert not result.ok
    assert "log says more" in result.message


# ── switching on and off ──


def status(host: MiniHost) -> int:
    """Return what somebody who is not signed in gets at the tab: 404 while we are not active, then the login."""
    return host.app.test_client().get("/calendar/settings").status_code


def elsewhere(database: str, operation: str, folder: Path) -> subprocess.Popen[str]:
    """Start an operation in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", OTHER, database, str(folder), KEY, operation]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_a_switch_in_another_process_is_felt_here_within_two_seconds(host: MiniHost, tmp_path: Path) -> None:
    assert status(host) == 404
    for operation, expected in (("activate", 401), ("deactivate", 404), ("activate", 401)):
        before = status(host)
        other = elsewhere(host.app.config["SQLALCHEMY_DATABASE_URI"], operation, tmp_path)
        assert other.communicate(timeout=60)[1] == ""
        ends_at = time.monotonic() + 2.0
        while status(host) == before and time.monotonic() < ends_at:
            time.sleep(0.05)
        assert status(host) == expected


def test_four_processes_installing_at_once_end_in_one_install(database: str, start: Start, tmp_path: Path) -> None:
    others = [elsewhere(database, "install", tmp_path) for _ in range(4)]
    said = [other.communicate(timeout=120)[1].strip() for other in others]
    assert all(not words or words.startswith("In progress by") for words in said), said
    host = start(database)
    assert host.start(Plugin()).lifecycle.installation().state == "installed"
    assert parts(host).schema.drift() == []
    with parts(host).store.read() as unit:
        assert [line.action for line in unit.audit.newest(10)] == ["lifecycle.installed"]


def test_an_installer_that_was_killed_leaves_an_installable_host(database: str, start: Start, tmp_path: Path) -> None:
    installer = elsewhere(database, "install", tmp_path)
    host = start(database)
    lifecycle = host.start(Plugin()).lifecycle
    ends_at = time.monotonic() + 30
    while lifecycle._registry.read(terms.ID).op is None and time.monotonic() < ends_at and installer.poll() is None:
        time.sleep(0.01)
    installer.kill()
    installer.communicate()
    with parts(host).store._engine().begin() as connection:
        connection.exec_driver_sql("UPDATE calendar_ext_registry SET op_until = 1")
    assert lifecycle.install(actor_id="admin", accepted_permissions=terms.PERMISSIONS).ok
    assert parts(host).schema.drift() == []


def test_the_buttons_of_a_marketplace_lead_to_the_lifecycle(host: MiniHost) -> None:
    hook, app = host.pm.hook, host.app
    assert hook.extension_activate(app=app, actor_id="1", options={"scheduler_active": False}).state == "active"
    assert status(host) == 401, "the process that made the change knows at once"
    assert hook.extension_deactivate(app=app, actor_id="1").state == "inactive"
    assert status(host) == 404
    assert hook.extension_upgrade(app=app, actor_id="1", from_version="0.1.0").ok
    assert hook.extension_uninstall(app=app, actor_id="1", data="delete").state == "uninstalled"
    accepted = list(terms.PERMISSIONS)
    assert hook.extension_install(app=app, actor_id="1", options={}, accepted_permissions=accepted).ok


# ── the command line ──


def invoke(host: MiniHost, *words: str) -> tuple[int, str]:
    result = host.app.test_cli_runner().invoke(args=["calendar", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_host_without_a_marketplace_uses_the_command_line(start: Start) -> None:
    host = start()
    host.start(Plugin())
    assert invoke(host, "db", "current")[1].startswith("none")
    assert invoke(host, "activate")[0] == 1
    assert invoke(host, "install", "--yes") == (0, "Calendar is installed.\n")
    assert invoke(host, "activate", "--scheduler")[0] == 1
    assert invoke(host, "activate", "--scheduler", "--accept-fees") == (0, "Calendar is active.\n")
    assert parts(host).activation.is_active("scheduler")
    assert invoke(host, "tick") == (0, "0 accounts were run.\n")
    assert invoke(host, "deactivate")[0] == 0
    assert invoke(host, "uninstall", "--data", "keep", "--yes") == (0, "Calendar is uninstalled.\n")
    assert invoke(host, "purge", "--yes")[0] == 0
    with host.app.app_context():
        assert inspect(host.db.engine).get_table_names() == []


def test_the_tables_can_be_looked_after_from_the_command_line(start: Start) -> None:
    host = start()
    host.start(Plugin())
    assert invoke(host, "db", "upgrade")[1].strip() == parts(host).schema.head()
    assert invoke(host, "db", "check") == (0, "The tables are what they should be.\n")
    with host.app.app_context():
        host.db.session.execute(host.db.text("DROP TABLE calendar_ext_audit"))
        host.db.session.commit()
    assert invoke(host, "db", "check")[0] == 1
    assert "CREATE TABLE calendar_ext_host_change" in invoke(host, "db", "sql", "--dialect", "postgresql")[1]


def test_the_doctor_names_what_is_wrong(start: Start) -> None:
    host = start(CALENDAR_EXT_ENCRYPTION_KEYS="")
    host.start(Plugin())
    code, said = invoke(host, "doctor")
    assert code == 1
    assert "Set CALENDAR_EXT_ENCRYPTION_KEYS" in said
    assert "flask calendar db current" in said


def test_the_doctor_is_content_with_a_healthy_host(host: MiniHost) -> None:
    code, said = invoke(host, "doctor")
    assert code == 0, said


def test_a_new_key_can_be_used_as_it_is_printed(start: Start) -> None:
    host = start()
    host.start(Plugin())
    key = invoke(host, "keys", "new")[1].strip()
    other = start(CALENDAR_EXT_ENCRYPTION_KEYS=key)
    other.start(Plugin()).vault.ready()
