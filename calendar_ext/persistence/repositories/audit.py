"""The audit log: lines are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from ...sync.ports.running import AuditRecord
from ..base import db_now
from ..tables import Audit as Line


class Audit:
    """Answers `sync.ports.running.Audit`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        action: str,
        *,
        actor: str = "",
        tenant_id: str = "",
        object: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Append one line."""
        facts = {"before": _text(before), "after": _text(after)}
        line = {"action": action, "actor": actor, "tenant_id": tenant_id, "object": object, **facts}
        self._connection.execute(insert(Line).values(at=db_now(), **line))

    def newest(self, limit: int, *, tenant_id: str | None = None) -> list[AuditRecord]:
        """Return the newest lines first."""
        columns = (Line.at, Line.tenant_id, Line.actor, Line.action, Line.object, Line.before, Line.after)
        query = select(*columns).order_by(Line.id.desc()).limit(limit)
        if tenant_id is not None:
            query = query.where(Line.tenant_id == tenant_id)
        rows = self._connection.execute(query)
        return [AuditRecord(*row[:5], before=_facts(row.before), after=_facts(row.after)) for row in rows]


def _text(facts: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(facts)) if facts else ""


def _facts(text: str) -> dict[str, Any]:
    return json.loads(text) if text else {}
