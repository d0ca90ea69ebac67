"""What the tests of the background work share."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from calendar_ext.limits import Limits
from calendar_ext.persistence.unit_of_work import SqlStore

from ..sync.rig import Rig


@pytest.fixture
def rig(store: SqlStore, engine: Engine, limits: Limits) -> Rig:
    """One account over the in-memory provider, on a fresh database."""
    return Rig(store, engine, limits)
