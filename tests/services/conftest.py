"""What the tests of services share."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore

from ..sync.rig import Rig
from .people import People


@pytest.fixture
def people(store: SqlStore, engine: Engine, limits: Limits) -> People:
    """Services on a fresh database, nobody connected."""
    return People(store, engine, limits)


@pytest.fixture
def rig(store: SqlStore, engine: Engine, limits: Limits) -> Rig:
    """One account over the in-memory provider, and the engine."""
    return Rig(store, engine, limits)
