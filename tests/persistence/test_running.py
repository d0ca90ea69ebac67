"""Installation, leases, processes, settings, audit, credentials."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, select

from calendar_ext.persistence.tables import SyncState, Wake
from calendar_ext.persistence.unit_of_work import SqlStore
from calendar_ext.sync.ports.running import InstallationRecord, Sealed

from .rows import account

SEALED = Sealed(b"ciphertext", b"wrapped", "k1")


def test_without_tables_we_are_available(engine: Engine) -> None:
    with SqlStore(lambda: engine).read() as unit:
        assert unit.installations.get() == InstallationRecord()


def test_every_write_of_the_installation_raises_its_generation(store: SqlStore) -> None:
    with store.write() as unit:
        before = unit.installations.get()
        after = unit.installations.write(state="inactive", options={"scheduler_active": True})
    assert (after.generation, after.options) == (before.generation + 1, {"scheduler_active": True})
    assert after.public_id == before.public_id
    assert after.activated_at == before.activated_at
    assert after.deactivated_at


def test_raising_the_epochs_lets_every_lease_go(store: SqlStore, engine: Engine) -> None:
    account(engine)
    with store.write() as unit:
        assert unit.installations.raise_epochs() == 1
    with engine.connect() as connection:
        row = connection.execute(select(SyncState.epoch, SyncState.lease_until)).one()
    assert tuple(row) == (2, None)


def test_every_account_that_is_still_connected_is_woken(store: SqlStore, engine: Engine) -> None:
    account(engine, number=1)
    account(engine, number=2, status="disconnected")
    with store.write() as unit:
        assert unit.installations.wake_every_account(reason="compare", delay=10) == 1
        now = unit.now()
    with engine.connect() as connection:
        row = connection.execute(select(Wake.not_before, Wake.reason)).one()
    assert row.reason == "compare"
    assert 9 <= row.not_before - now <= 10


def test_erasing_leaves_the_installation_alone(store: SqlStore, engine: Engine) -> None:
    account(engine)
    with store.write() as unit:
        assert unit.installations.erase() == 2
    with store.read() as unit:
        assert unit.installations.get().state == "active"


def test_a_lease_has_one_holder(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.leases.take("leader", "a", 15) == 1
        assert unit.leases.take("leader", "b", 15) is None
        assert unit.leases.take("leader", "a", 15) == 1
        unit.leases.release("leader", "b")
        holder = unit.leases.holder("leader")
        assert holder and holder.owner == "a"
        unit.leases.release("leader", "a")
        assert unit.leases.holder("leader") is None
        assert unit.leases.take("leader", "b", 15) == 2


def test_a_lease_that_ran_out_is_anybody_s(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.leases.take("leader", "dead", 0) == 1
        assert unit.leases.take("leader", "alive", 15) == 2


def test_of_many_who_reach_for_a_lease_one_gets_it(store: SqlStore) -> None:
    epochs: list[int | None] = []

    def reach(name: str) -> None:
        with store.write() as unit:
            epochs.append(unit.leases.take("leader", name, 15))

    threads = [threading.Thread(target=reach, args=(f"process-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(epochs, key=str) == [1] + [None] * 7


def test_processes_speak_for_themselves(store: SqlStore) -> None:
    line = {"host": "web1", "pid": 7, "version": "0.1.0", "started_at": 100}
    with store.write() as unit:
        unit.processes.beat(role="web", **line)
        unit.processes.beat(role="scheduler", **line)
        (seen,) = unit.processes.seen(within=60)
        assert (seen.pid, seen.role) == (7, "scheduler")
        assert unit.processes.forget(older_than=-1) == 1
        assert unit.processes.seen(within=60) == []


def test_settings_belong_to_one_organisation(store: SqlStore) -> None:
    with store.write() as unit:
        unit.settings.put("window", 30, tenant_id="t1")
        assert unit.settings.get("window", tenant_id="t2", default=365) == 365
        assert unit.settings.put_default("window", 60, tenant_id="t1") is False
        assert unit.settings.put_default("window", 60, tenant_id="t2") is True
        assert unit.settings.all(tenant_id="t2") == {"window": 60}


def test_the_audit_log_grows_and_is_read_newest_first(store: SqlStore) -> None:
    with store.write() as unit:
        unit.audit.add("connect", actor="u1", tenant_id="t1", object="c1", after={"outcome": "connected"})
        unit.audit.add("pause", actor="u2", tenant_id="t2")
        assert [line.action for line in unit.audit.newest(10)] == ["pause", "connect"]
        (line,) = unit.audit.newest(10, tenant_id="t1")
    assert (line.actor, line.before, line.after) == ("u1", {}, {"outcome": "connected"})


def test_a_credential_is_replaced_and_counted(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    with store.write() as unit:
        assert unit.credentials.put(key, "oauth", SEALED, expires_at=5) == 1
        assert unit.credentials.put(key, "oauth", SEALED, expires_at=9) == 2
        stored = unit.credentials.get(key, "oauth")
        assert stored and (stored.sealed, stored.version, stored.expires_at) == (SEALED, 2, 9)
        assert unit.credentials.any() == stored
        assert unit.credentials.accounts() == [key]


def test_a_refresh_is_stored_only_over_what_it_began_with(store: SqlStore, engine: Engine) -> None:
    key = account(engine)
    with store.write() as unit:
        unit.credentials.put(key, "oauth", SEALED)
        assert unit.credentials.swap(key, "oauth", Sealed(b"new", b"w", "k1"), version=1) is True
        assert unit.credentials.swap(key, "oauth", Sealed(b"late", b"w", "k1"), version=1) is False
        stored = unit.credentials.get(key, "oauth")
    assert stored and (stored.sealed.ciphertext, stored.version) == (b"new", 2)


def test_credentials_are_marked_and_erased(store: SqlStore, engine: Engine) -> None:
    first, second = account(engine, number=1), account(engine, number=2)
    with store.write() as unit:
        for key in (first, second):
            unit.credentials.put(key, "oauth", SEALED)
        unit.credentials.mark(first, "oauth", "error")
        marked = unit.credentials.get(first, "oauth")
        assert marked and marked.state == "error"
        assert unit.credentials.erase(first) == 1
        assert unit.credentials.get(first, "oauth") is None
        assert unit.credentials.erase_all() == 1
        assert unit.credentials.any() is None


def test_a_sealed_value_survives_one_column() -> None:
    assert Sealed.unpacked(SEALED.packed()) == SEALED
    assert Sealed.unpacked(b"\x00").key_id == ""
