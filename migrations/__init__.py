"""Our own history of the tables, and the filter with which a host's own migrations look away from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Every table of ours begins so, the version table included.
TABLE_PREFIX = "calendar_ext_"

IncludeObject = Callable[[Any, str | None, str, bool, Any], bool]


def host_filter(previous: IncludeObject | None = None) -> IncludeObject:
    """Return an `include_object` for the host's Alembic, so that its autogenerate never proposes to drop our tables.

    `Migrate(app, db, include_object=host_filter())`; a filter the host already has is passed as `previous` and still
    asked for everything that is not ours.
    """

    def include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        if kind == "table" and (name or "").startswith(TABLE_PREFIX):
            return False
        return previous is None or previous(item, name, kind, reflected, compare_to)

    return include_object
