"""The state machine of host-contract.md section 4, on a real database with the registry of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, inspect, select

from calendar_ext import __version__
from calendar_ext.contract import RegistryEntry
from calendar_ext.errors import LeaseLost, ProviderUnavailable, Refused
from calendar_ext.persistence.base import PREFIX
from calendar_ext.persistence.export import export
from calendar_ext.persistence.registry import OwnRegistry
from calendar_ext.persistence.schema import Schema
from calendar_ext.persistence.tables import Credential, SyncState, Wake
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.persistence.vault import Secret, Vault, new_key
from calendar_ext.providers.base import Grant, OAuthClient, Token
from calendar_ext.providers.memory import MemoryType
from calendar_ext.providers.registry import Registry
from calendar_ext.services import terms
from calendar_ext.services.grants import Grants
from calendar_ext.services.lifecycle import STALE, Lifecycle
from calendar_ext.services.lifecycle_steps import NEWER_TABLES, UPGRADE_FIRST, Steps
from calendar_ext.sync.ports.store import Fence
from tests.conftest import LIMITS, ManualClock
from tests.persistence.rows import account as insert_account

KEY = new_key()
AGREED = terms.PERMISSIONS


class Checks:
    """A process that is as healthy as the test says."""

    def __init__(self) -> None:
        self.problem = ""

    def compatible(self) -> None:
        if self.problem:
            raise Refused(self.problem)

    def healthy(self) -> None:
        self.compatible()


class House:
    """One process: the lifecycle and what it stands on."""

    def __init__(self, engine: Engine, folder: Path, *, key: str = KEY) -> None:
        self.engine = engine
        self.folder = folder
        self.store = SqlStore(lambda: engine, LIMITS)
        self.schema = Schema(lambda: engine, patience=0.5)
        self.registry = OwnRegistry(lambda: engine, RegistryEntry, owner="host:1")
        self.checks = Checks()
        self.provider = MemoryType(ManualClock())
        providers = Registry()
        providers.register(self.provider)
        self.dropped = 0
        self.announced: list[str | None] = []
        self.grants = Grants(
            store=self.store,
            vault=Vault(Secret(key), self.public_id),
            providers=providers,
            clients=lambda provider, tenant: OAuthClient("client", "secret"),
            clock=ManualClock(),
        )
        self.steps = Steps(
            store=self.store,
            tables=self.schema,
            grants=self.grants,
            checks=self.checks,
            version=__version__,
            export=lambda: export(lambda: engine, folder),
            now=ManualClock(),
        )
        self.lifecycle = Lifecycle(
            steps=self.steps,
            store=self.store,
            tables=self.schema,
            registry=self.registry,
            changed=self.drop_copy,
            announce=self.announce,
        )

    def public_id(self) -> str:
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(f"SELECT public_id FROM {PREFIX}installation").scalar_one()

    def drop_copy(self) -> None:
        self.dropped += 1

    def announce(self, actor_id: str | None) -> str:
        self.announced.append(actor_id)
        return "2 colleagues were told by mail."

    def install(self, **options: Any) -> Any:
        return self.lifecycle.install(actor_id="admin", **{"accepted_permissions": AGREED} | options)

    def activate(self, **options: Any) -> Any:
        return self.lifecycle.activate(actor_id="admin", options=options)

    def connect(self) -> int:
        """Make an account with a credential, and a claim on it."""
        key = insert_account(self.engine, provider="memory")
        subject = self.provider.visitor
        self.grants.keep(key, Grant("memory", subject, subject, Token("access", subject, 2_000_000_000)))
        return key

    @property
    def state(self) -> str:
        state = self.lifecycle.installation().state
        assert self.registry.read(terms.ID).state == state, "our row and the registry agree"
        return state

    def tables(self) -> set[str]:
        ours = {name for name in inspect(self.engine).get_table_names() if name.startswith(PREFIX)}
        return ours - {f"{PREFIX}registry", f"{PREFIX}registry_log"}


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> House:
    return House(engine, tmp_path)


@pytest.fixture
def active(house: House) -> House:
    assert house.install().ok
    assert house.activate().ok
    return house


# ── install ──


def test_an_install_makes_tables_and_options_and_is_not_active_yet(house: House) -> None:
    assert house.state == "available"
    result = house.install()
    assert (result.ok, result.state, house.state) == (True, "installed", "installed")
    installation = house.lifecycle.installation()
    assert installation.options == {"scheduler_active": False}
    assert (installation.version, installation.schema_revision) == (__version__, house.schema.head())
    entry = house.registry.read(terms.ID)
    assert (entry.version, entry.options, entry.op) == (__version__, {"scheduler_active": False}, None)
    assert house.dropped == 1


def test_a_second_click_says_so_and_changes_nothing(house: House) -> None:
    house.install()
    before = house.lifecycle.installation()
    result = house.install()
    assert (result.ok, result.message) == (True, "Calendar is installed already.")
    assert house.lifecycle.installation() == before


def test_without_a_key_nothing_is_installed_and_the_sentence_says_what_to_set(engine: Engine, tmp_path: Path) -> None:
    house = House(engine, tmp_path, key="")
    result = house.install()
    assert not result.ok
    assert "CALENDAR_EXT_ENCRYPTION_KEYS" in result.message
    assert house.tables() == set()
    assert house.registry.read(terms.ID).last_error == result.message


@pytest.mark.parametrize("accepted", [(), AGREED[:1]])
def test_every_permission_has_to_be_agreed_to(house: House, accepted: tuple[str, ...]) -> None:
    result = house.install(accepted_permissions=accepted)
    assert not result.ok
    assert AGREED[-1] in result.message
    assert (house.state, house.tables()) == ("available", set())


def test_a_host_that_cannot_carry_us_is_told_why(house: House) -> None:
    house.checks.problem = "The host does not answer host_get_user."
    result = house.install()
    assert (result.ok, result.message) == (False, "The host does not answer host_get_user.")
    house.checks.problem = ""
    assert house.install().ok


def test_an_install_that_fails_half_way_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.steps, "default_settings", failing)
    result = house.install()
    assert (result.ok, house.state, house.tables()) == (False, "available", set())
    assert "Nothing was changed" in result.message
    monkeypatch.undo()
    assert house.install().ok


def test_only_where_the_undo_fails_too_a_person_is_needed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.steps, "default_settings", failing)
    monkeypatch.setattr(house.steps, "undo_install", failing)
    assert house.install().state == "failed"
    assert house.state == "failed"
    monkeypatch.undo()
    assert house.install().ok
    assert house.state == "installed"


def failing(*arguments: Any) -> None:
    raise RuntimeError("broken on purpose")


def test_an_error_never_leaves_an_operation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.registry, "claim", failing)
    assert not house.install().ok


# ── activate ──


def test_activation_opens_the_gate_with_the_scheduler_off(active: House) -> None:
    installation = active.lifecycle.installation()
    assert active.state == "active"
    assert installation.activated_at
    assert installation.options == {"scheduler_active": False}


def test_a_fee_must_be_agreed_to_where_the_option_is_switched_on(house: House) -> None:
    house.install()
    result = house.activate(scheduler_active=True)
    assert not result.ok
    assert "Additional monthly fees may apply" in result.message
    assert house.state == "installed"
    assert house.activate(scheduler_active=True, accept_fees=True).ok
    assert house.lifecycle.installation().options == {"scheduler_active": True}


def test_an_option_is_switched_later_and_its_fee_agreed_to_then(active: House) -> None:
    change = active.lifecycle.change_options
    assert not change(actor_id="admin", options={"scheduler_active": True}).ok
    generation = active.lifecycle.installation().generation
    assert change(actor_id="admin", options={"scheduler_active": True, "accept_fees": True}).ok
    assert active.lifecycle.installation().generation == generation + 1
    assert change(actor_id="admin", options={"scheduler_active": True}).ok, "it was agreed to when it was switched on"
    assert change(actor_id="admin", options={"scheduler_active": False}).ok
    assert active.lifecycle.installation().options == {"scheduler_active": False}
    assert active.state == "active"


def test_activating_again_with_another_choice_changes_the_option_and_nothing_else(active: House) -> None:
    assert not active.activate(scheduler_active=True).ok, "its fee was not agreed to"
    assert active.activate(scheduler_active=True, accept_fees=True).ok
    assert active.lifecycle.installation().options == {"scheduler_active": True}
    generation = active.lifecycle.installation().generation
    assert active.activate(scheduler_active=True).ok
    assert active.lifecycle.installation().generation == generation, "nothing differed, so nothing was done"


@pytest.mark.parametrize("options", [{"unheard_of": True}, {"scheduler_active": "yes"}])
def test_an_option_nobody_knows_is_refused(active: House, options: dict[str, Any]) -> None:
    assert not active.lifecycle.change_options(actor_id="admin", options=options).ok


def test_L15_activation_wakes_every_account_and_compares_ten_seconds_later(house: House) -> None:
    """A host's transaction may begin before the activation and commit after a compare made at once."""
    house.install()
    insert_account(house.engine)
    house.activate()
    with house.engine.connect() as connection:
        rows = connection.execute(select(Wake.reason, Wake.at, Wake.not_before).order_by(Wake.id)).all()
    now, later = rows
    assert (now.reason, now.not_before) == ("activated", None)
    assert later.reason == "compare"
    assert 9 <= later.not_before - later.at <= 11


def test_colleagues_are_told_by_choice(house: House) -> None:
    house.install()
    house.activate()
    assert house.announced == []
    house.lifecycle.deactivate(actor_id="admin")
    assert house.activate(tell_colleagues=True).notes == ("2 colleagues were told by mail.",)
    assert house.announced == ["admin"]


def test_a_mail_that_fails_does_not_undo_an_activation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.install()
    monkeypatch.setattr(house.lifecycle, "_announce", failing)
    result = house.activate(tell_colleagues=True)
    assert result.ok
    assert "could not be told" in result.notes[0]


def test_a_wrong_key_is_found_at_activation(active: House, engine: Engine, tmp_path: Path) -> None:
    active.connect()
    active.lifecycle.deactivate(actor_id="admin")
    other = House(engine, tmp_path, key=new_key())
    result = other.activate()
    assert not result.ok
    assert "no longer has the key" in result.message
    assert active.activate().ok


def test_tables_of_a_newer_package_are_refused(active: House, engine: Engine) -> None:
    active.lifecycle.deactivate(actor_id="admin")
    set_revision(engine, "9999")
    assert active.activate().message == NEWER_TABLES
    assert active.lifecycle.upgrade(actor_id="admin").message == NEWER_TABLES
    assert active.state == "inactive"


def set_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {PREFIX}alembic_version SET version_num = '{revision}'")


def test_an_upgrade_that_waits_comes_first(active: House, monkeypatch: pytest.MonkeyPatch) -> None:
    active.lifecycle.deactivate(actor_id="admin")
    monkeypatch.setattr(active.schema, "head", lambda: "9999")
    assert active.activate().message == UPGRADE_FIRST


# ── deactivate, upgrade ──


def test_deactivation_ends_every_run_and_deletes_nothing(active: House) -> None:
    key = active.connect()
    with active.store.write(Fence(key, 1)):
        pass
    assert active.lifecycle.deactivate(actor_id="admin").ok
    assert active.state == "inactive"
    with pytest.raises(LeaseLost), active.store.write(Fence(key, 1)):
        pass
    with active.engine.connect() as connection:
        assert connection.execute(select(SyncState.epoch)).scalar_one() == 2
        assert connection.execute(select(Credential.id)).scalar_one()
    assert active.activate().ok
    with pytest.raises(LeaseLost), active.store.write(Fence(key, 1)):
        pass


@pytest.mark.parametrize(
    ("state", "operation"),
    [("available", "activate"), ("available", "deactivate"), ("available", "uninstall"), ("available", "upgrade")],
)
def test_an_operation_begins_only_where_the_picture_says(house: House, state: str, operation: str) -> None:
    result = getattr(house.lifecycle, operation)(actor_id="admin")
    assert not result.ok
    assert f"while Calendar is {state}" in result.message


def test_an_active_installation_is_not_installed_again(active: House) -> None:
    assert not active.install().ok
    assert active.state == "active"


def test_an_upgrade_keeps_the_state_and_notes_the_version(active: House) -> None:
    with active.store.write() as unit:
        unit.installations.write(version="0.1.0a1")
    assert active.lifecycle.upgrade_waiting()
    assert active.lifecycle.upgrade(actor_id="admin").ok
    assert not active.lifecycle.upgrade_waiting()
    assert active.state == "active"


def test_an_upgrade_from_too_long_ago_is_refused(active: House) -> None:
    with active.store.write() as unit:
        unit.installations.write(version="0.0.9")
    assert "in between" in active.lifecycle.upgrade(actor_id="admin").message


# ── one at a time ──


def test_a_stale_form_is_refused_with_a_message(active: House) -> None:
    generation = active.lifecycle.installation().generation
    seen = active.registry.read(terms.ID).generation
    active.lifecycle.change_options(actor_id="other", options={})
    result = active.lifecycle.deactivate(actor_id="admin", expected_generation=seen)
    assert (result.ok, result.message) == (False, STALE)
    assert active.lifecycle.installation().generation == generation + 1


def test_an_operation_under_way_is_named(house: House) -> None:
    house.registry.claim(terms.ID, "install", None, 60, "other")
    result = house.install()
    assert (result.ok, result.message) == (False, "In progress by host:1: install.")


def test_a_dead_installer_ends_in_an_installable_state(house: House) -> None:
    """Killed after the migration, before its row: the claim runs out by time alone, and the next one goes on."""
    house.registry.claim(terms.ID, "install", None, -1, "dead")
    house.schema.upgrade()
    assert house.install().ok
    assert house.state == "installed"


def test_a_crash_before_the_registry_was_told_is_mended_by_repeating(house: House) -> None:
    house.install()
    with house.store.write() as unit:
        unit.installations.write(state="active")
    assert house.registry.read(terms.ID).state == "installed"
    assert house.activate().ok
    assert house.state == "active"


# ── uninstall, purge ──


def test_an_uninstall_that_keeps_revokes_and_deletes_every_sign_in(active: House) -> None:
    key = active.connect()
    result = active.lifecycle.uninstall(actor_id="admin", data="keep")
    assert (result.ok, active.state) == (True, "uninstalled")
    assert active.provider.worlds[active.provider.visitor].revoked
    installation = active.lifecycle.installation()
    assert installation.purge_at
    with active.store.read() as unit:
        assert unit.credentials.any() is None
        account = unit.accounts.get(key)
        assert account and (account.status, account.status_reason) == ("reconnect_needed", "uninstalled")
        assert installation.purge_at - unit.now() == pytest.approx(30 * 86_400, abs=5)


def test_kept_data_are_found_again_by_the_next_install(active: House) -> None:
    key = active.connect()
    public_id = active.lifecycle.installation().public_id
    active.lifecycle.uninstall(actor_id="admin")
    assert active.install().ok
    installation = active.lifecycle.installation()
    assert (installation.public_id, installation.purge_at) == (public_id, None)
    with active.store.read() as unit:
        assert unit.accounts.get(key)


def test_an_uninstall_that_deletes_leaves_the_host_as_it_was(active: House, engine: Engine) -> None:
    theirs = MetaData()
    appointments = Table("appointment", theirs, Column("id", Integer, primary_key=True))
    theirs.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(appointments).values(id=1))
    active.connect()
    assert active.lifecycle.uninstall(actor_id="admin", data="delete").ok
    assert active.provider.worlds[active.provider.visitor].revoked
    assert inspect(engine).get_table_names() == ["appointment"]
    with engine.connect() as connection:
        assert connection.execute(select(appointments)).all() == [(1,)]
    assert active.install().ok


def test_an_export_holds_what_was_stored_and_no_secret(active: House) -> None:
    active.connect()
    result = active.lifecycle.uninstall(actor_id="admin", data="export_then_delete")
    path = Path(result.details["export"])
    assert path.stat().st_mode & 0o077 == 0
    with gzip.open(path, "rt") as file:
        lines = [json.loads(line) for line in file]
    assert [line["row"]["email"] for line in lines if line["table"] == "account"] == ["person1@example.test"]
    assert "credential" not in {line["table"] for line in lines}
    assert active.tables() == set()


def test_kept_data_can_be_deleted_later_by_either_button(active: House) -> None:
    active.lifecycle.uninstall(actor_id="admin", data="keep")
    assert active.lifecycle.uninstall(actor_id="admin", data="delete").ok
    assert active.tables() == set()


def test_a_purge_drops_what_was_kept_and_may_be_repeated(active: House) -> None:
    assert not active.lifecycle.purge(actor_id="admin").ok
    active.lifecycle.uninstall(actor_id="admin", data="keep")
    for _ in range(2):
        assert active.lifecycle.purge(actor_id="admin").ok
    assert (active.tables(), active.state) == (set(), "available")


def test_a_provider_that_does_not_answer_does_not_keep_the_sign_in_here(
    active: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(client: OAuthClient, token: Token) -> None:
        raise ProviderUnavailable

    active.connect()
    monkeypatch.setattr(active.provider, "revoke", silent)
    result = active.lifecycle.uninstall(actor_id="admin")
    assert result.ok
    assert result.details["not_revoked"] == 1
    assert "did not answer" in result.notes[0]
    with active.store.read() as unit:
        assert unit.credentials.any() is None


def test_a_choice_nobody_offered_is_refused(active: House) -> None:
    assert not active.lifecycle.uninstall(actor_id="admin", data="burn").ok
    assert active.state == "active"


def test_an_uninstall_that_fails_can_be_pressed_again(active: House, monkeypatch: pytest.MonkeyPatch) -> None:
    active.connect()
    monkeypatch.setattr(active.steps, "drop", failing)
    assert not active.lifecycle.uninstall(actor_id="admin", data="delete").ok
    assert active.state == "inactive"
    monkeypatch.undo()
    assert active.lifecycle.uninstall(actor_id="admin", data="delete").ok


def test_every_operation_is_in_the_audit_log(active: House) -> None:
    active.lifecycle.deactivate(actor_id="admin")
    with active.store.read() as unit:
        lines = unit.audit.newest(10)
    assert [line.action for line in lines] == ["lifecycle.inactive", "lifecycle.active", "lifecycle.installed"]
    assert {line.actor for line in lines} == {"admin"}
