"""What is stored about people, as one file, before it is deleted. No secret is in it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from .base import PREFIX, Base, db_now
from .unit_of_work import translated

#: Secrets, and rows that mean nothing once nothing runs.
_LEFT_OUT = frozenset(
    {"credential", "oauth_attempt", "host_change", "wake", "lease", "process", "sync_state", "cursor"}
)
_ROWS_AT_ONCE = 1_000


def export(engine: Callable[[], Engine], folder: Path) -> str:
    """Write every row as a line of JSON (`{"table": …, "row": {…}}`), compressed, for the server's user alone.

    :returns: the file's path. An existing file is never written over.
    """
    with translated(), engine().connect() as connection:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"calendar_ext-export-{connection.scalar(select(db_now()))}.jsonl.gz"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file, gzip.open(file, "wt", encoding="utf-8") as text:
            for line in _lines(connection):
                text.write(json.dumps(line, ensure_ascii=False) + "\n")
    return str(path)


def _lines(connection: Connection) -> Iterator[dict[str, Any]]:
    for table in Base.metadata.sorted_tables:
        name = table.name.removeprefix(PREFIX)
        if name in _LEFT_OUT:
            continue
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(table))
        for row in rows.mappings():
            yield {"table": name, "row": {key: _plain(value) for key, value in row.items()}}


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value
