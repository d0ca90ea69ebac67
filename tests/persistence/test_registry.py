"""The registry of a host that has none: one operation at a time, across processes."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from calendar_ext.contract import RegistryEntry
from calendar_ext.persistence.registry import OwnRegistry, entries

ID = "calendar_ext"


@pytest.fixture
def registry(engine: Engine) -> OwnRegistry:
    return OwnRegistry(lambda: engine, RegistryEntry, owner="host:1")


def test_nothing_is_made_by_reading(registry: OwnRegistry) -> None:
    assert registry.read(ID) == RegistryEntry(ID)


def test_one_operation_at_a_time(registry: OwnRegistry) -> None:
    first = registry.claim(ID, "install", None, 60, "u1")
    assert first
    assert registry.claim(ID, "install", None, 60, "u2") is None
    entry = registry.read(ID)
    assert (entry.op, entry.op_owner) == ("install", "host:1")
    registry.step(first, "migrate")
    assert registry.read(ID).op_step == "migrate"
    registry.finish(first, "installed", version="0.1.0", options={"scheduler_active": False})
    entry = registry.read(ID)
    assert (entry.state, entry.generation, entry.op, entry.version) == ("installed", 1, None, "0.1.0")
    assert entry.options == {"scheduler_active": False}
    assert registry.claim(ID, "activate", 1, 60, "u1")


def test_a_stale_form_claims_nothing(registry: OwnRegistry) -> None:
    op_id = registry.claim(ID, "install", 0, 60, None)
    assert op_id
    registry.finish(op_id, "installed")
    assert registry.claim(ID, "activate", 0, 60, None) is None


def test_a_dead_operation_frees_its_slot_by_time_alone(registry: OwnRegistry) -> None:
    dead = registry.claim(ID, "install", None, -1, None)
    assert registry.read(ID).op is None
    alive = registry.claim(ID, "install", None, 60, None)
    assert dead and alive
    registry.finish(dead, "failed")
    assert registry.read(ID).state == "available", "a claim that was lost writes nothing"


def test_every_step_is_in_the_log(registry: OwnRegistry, engine: Engine) -> None:
    op_id = registry.claim(ID, "install", None, 60, "u1")
    assert op_id
    registry.log(op_id, "thinking", about="tables")
    registry.finish(op_id, "available", last_error="no key")
    with engine.connect() as connection:
        assert [line.text for line in entries(connection)] == ["finished as available", "thinking", "install started"]
    assert registry.read(ID).last_error == "no key"


def test_of_many_who_claim_at_once_one_wins(registry: OwnRegistry) -> None:
    """The first operation also makes the tables: all but one find them made."""
    claimed: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: claimed.append(registry.claim(ID, "install", None, 60, None))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 6
    assert len([op_id for op_id in claimed if op_id]) == 1
