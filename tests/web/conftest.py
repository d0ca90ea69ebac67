"""Worlds to look at: one shared by tests that change nothing for others, and fresh ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import Person, World, running


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An active Calendar of its own, nobody connected."""
    with running(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An active Calendar in which Mira is connected and in step; shared by a module, so nobody may end that."""
    with pytest.MonkeyPatch.context() as patch, running(tmp_path_factory.mktemp("connected"), patch) as made:
        made.person("mira").connects()
        made.runs()
        yield made


@pytest.fixture
def mira(connected: World) -> Person:
    """Mira in front of the shared, connected Calendar."""
    return connected.person("mira")


@pytest.fixture
def ids(connected: World, mira: Person) -> dict[str, str]:
    """Mira's own things, by what the part of a rule before `<id>` names."""
    mira.get("/calendar/?view=list")
    return {
        "connections": mira.connection(),
        "events": connected.scalar("SELECT public_id FROM calendar_ext_event WHERE public_id IS NOT NULL"),
        "sources": connected.scalar('SELECT public_id FROM calendar_ext_calendar WHERE "primary"'),
        "attempts": connected.scalar("SELECT public_id FROM calendar_ext_oauth_attempt"),
    }
