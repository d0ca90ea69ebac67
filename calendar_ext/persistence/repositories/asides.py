"""What may stand beside a row in RETURNING: subqueries, JSON of their rows.

An outer column is named by `outer`: a subquery in RETURNING has no enclosing FROM to be correlated with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class aside(FunctionElement[Any]):
    """An expression whose columns keep the names of their tables."""

    inherit_cache = True


class json_fields(FunctionElement[str]):
    """A JSON object of columns, keyed by their names."""

    type = Text()
    inherit_cache = True


class json_list(FunctionElement[str]):
    """A JSON array over the rows of a query; empty where there are none."""

    type = Text()
    inherit_cache = True


@compiles(aside)
def _aside(element: Any, compiler: Any, **kw: Any) -> str:
    # SQLite's compiler leaves table names out of RETURNING, inside subqueries too, where they are needed.
    kw.pop("include_table", None)
    return str(compiler.process(element.clauses, **kw))


@compiles(json_fields, "sqlite")
def _sqlite_fields(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **kw)})"


@compiles(json_fields, "postgresql")
def _postgresql_fields(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_build_object({compiler.process(element.clauses, **kw)})"


@compiles(json_list, "sqlite")
def _sqlite_list(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **kw)})"


@compiles(json_list, "postgresql")
def _postgresql_list(element: Any, compiler: Any, **kw: Any) -> str:
    return f"coalesce(json_agg({compiler.process(element.clauses, **kw)}), '[]'::json)"


def outer(column: Any) -> ColumnElement[Any]:
    """Return the column of the row that RETURNING is about."""
    return literal_column(f"{column.table.name}.{column.name}", column.type)


def fields(entity: type, names: Iterable[str]) -> json_fields:
    """Return a JSON object of these columns."""
    parts: list[Any] = []
    for name in names:
        parts += [literal_column(f"'{name}'"), getattr(entity, name)]
    return json_fields(*parts)


def beside(query: Select[Any]) -> ColumnElement[Any]:
    """Return a query of one value as a column of RETURNING."""
    return aside(query.scalar_subquery())
