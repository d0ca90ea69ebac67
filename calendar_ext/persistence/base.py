"""Our own declarative base: nothing of ours enters the host's metadata (architecture.md 10.3, data-model.md 2)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Identity, Integer, MetaData
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.expression import FunctionElement

PREFIX = "calendar_ext_"
VERSION_TABLE = "calendar_ext_alembic_version"

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}

#: BIGINT identity; SQLite numbers rows by itself only for INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Every table of ours. `bootstrap` sets `metadata.info["bind_key"]` when the appointments live on another bind."""

    metadata = MetaData(naming_convention=NAMING)


def key() -> Mapped[int]:
    """Return the usual primary key column."""
    return mapped_column(Key, Identity(), primary_key=True)


class db_now(FunctionElement[int]):
    """UTC seconds by the database's clock; moves on inside a transaction, as `now()` of PostgreSQL would not."""

    type = BigInteger()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: object, **kw: object) -> str:
    # SQLite 3.35 has no unixepoch().
    return "CAST(strftime('%s','now') AS INTEGER)"


@compiles(db_now, "postgresql")
def _postgresql_now(element: db_now, compiler: object, **kw: object) -> str:
    return "CAST(floor(extract(epoch from clock_timestamp())) AS BIGINT)"
