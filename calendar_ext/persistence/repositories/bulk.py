"""Many rows in one statement, written the way each database takes them fastest.

SQLite gets one INSERT with as many groups of VALUES as there are rows, PostgreSQL one JSON document that it turns into
rows itself: a quarter of the client's work of a list of parameters, and one statement whatever the number of rows.
The texts come from SQLAlchemy Core once and are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Connection,
    LargeBinary,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, ProgrammingError

from ...errors import Refused

#: SQLite's default bound on parameters of one statement.
_SQLITE_PARAMETERS = 32_766
#: What is raised before the database has seen a value: integers beyond 64 bits, half a surrogate pair, a foreign type.
_UNSTORABLE = (OverflowError, UnicodeError, TypeError)
#: As which SQLite's driver reports a foreign type, by Python version.
_BINDING = (InterfaceError, ProgrammingError)

#: Adds ON CONFLICT and RETURNING to an insert of either dialect.
Finish = Callable[[Any], Any]


class Bulk:
    """An INSERT of tuples into fixed columns of a table.

    :param constants: columns every row gets the same SQL text for.
    """

    def __init__(self, entity: Any, columns: Sequence[str], finish: Finish, **constants: str) -> None:
        self._table = entity.__table__
        self.columns = tuple(columns)
        self._finish = finish
        self._constants: dict[str, Any] = {name: literal_column(text) for name, text in constants.items()}
        self._sqlite_text = lru_cache(maxsize=64)(self._many_groups)
        self._rows_at_once = _SQLITE_PARAMETERS // len(self.columns)

    def insert(self, connection: Connection, rows: Sequence[tuple[Any, ...]], *, returning: bool = False) -> list[Any]:
        """Insert rows; return what RETURNING says, in no order, or nothing.

        :raises Refused: a value cannot be stored; the transaction is of no use any more.
        """
        if not rows:
            return []
        try:
            if connection.dialect.name == "sqlite":
                return self._into_sqlite(connection, rows, returning)
            return self._into_postgresql(connection, rows, returning)
        except _UNSTORABLE as error:
            raise Refused("A value cannot be stored.", reason=type(error).__name__) from error

    def _into_postgresql(self, connection: Connection, rows: Sequence[tuple[Any, ...]], returning: bool) -> list[Any]:
        result = connection.execute(self._postgresql, {"rows": self._document(rows)})
        return [tuple(row) for row in result] if returning else []

    def _into_sqlite(self, connection: Connection, rows: Sequence[tuple[Any, ...]], returning: bool) -> list[Any]:
        try:
            if not returning:
                connection.exec_driver_sql(self._sqlite_text(1), list(rows))
                return []
            found: list[Any] = []
            for first in range(0, len(rows), self._rows_at_once):
                part = rows[first : first + self._rows_at_once]
                values = tuple(chain.from_iterable(part))
                result = connection.exec_driver_sql(self._sqlite_text(len(part)), values)
                # The driver's own tuples: wrapping ten thousand of them costs as much as writing two thousand rows.
                found += result.cursor.fetchall()
                result.close()
            return found
        except _BINDING as error:
            if not str(error.orig).startswith("Error binding parameter"):
                raise
            raise Refused("A value cannot be stored.", reason=type(error).__name__) from error

    def _many_groups(self, count: int) -> str:
        head, group, tail = self._sqlite_parts
        return f"{head} VALUES {', '.join([group] * count)} {tail}"

    @cached_property
    def _sqlite_parts(self) -> tuple[str, str, str]:
        statement = sqlite.insert(self._table).values({name: bindparam(name) for name in self.columns})
        statement = self._finish(statement.values(self._constants))
        compiled = statement.compile(dialect=sqlite.dialect())
        assert compiled.positiontup == list(self.columns), "columns in the table's order, and no other parameter"
        head, _, rest = str(compiled).partition(" VALUES ")
        group, _, tail = rest.partition(") ")
        return head, group + ")", tail

    @cached_property
    def _postgresql(self) -> Any:
        taken = [column(name, self._type_of(name)) for name in self.columns]
        document = cast(bindparam("rows", type_=Text), JSON)
        source = func.json_to_recordset(document).table_valued(*taken).render_derived(name="given", with_types=True)
        values = [self._read(source.c[name], name) for name in self.columns]
        names = [*self.columns, *self._constants]
        statement = postgresql.insert(self._table).from_select(names, select(*values, *self._constants.values()))
        return self._finish(statement)

    def _is_binary(self, name: str) -> bool:
        return isinstance(self._table.c[name].type, LargeBinary)

    def _type_of(self, name: str) -> Any:
        return Text() if self._is_binary(name) else self._table.c[name].type

    def _read(self, value: Any, name: str) -> Any:
        return func.decode(value, "hex") if self._is_binary(name) else value

    def _document(self, rows: Sequence[tuple[Any, ...]]) -> str:
        return orjson.dumps([dict(zip(self.columns, row, strict=True)) for row in rows], default=_hex).decode()


def _hex(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)
