"""What each process says of itself."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from ...sync.ports.running import ProcessRecord
from ..base import db_now
from ..tables import Process
from .upserts import insert_into


class Processes:
    """Answers `sync.ports.running.Processes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, *, host: str, pid: int, role: str, version: str, started_at: int) -> None:
        """Insert or renew the caller's line."""
        line = {"host": host, "pid": pid, "role": role, "version": version, "started_at": started_at}
        beat = insert_into(self._connection, Process).values(**line, seen_at=db_now())
        renewed = {"role": role, "version": version, "seen_at": db_now()}
        unique = ["host", "pid", "started_at"]
        self._connection.execute(beat.on_conflict_do_update(index_elements=unique, set_=renewed))

    def seen(self, within: int) -> list[ProcessRecord]:
        """Return the processes heard of lately."""
        columns = (Process.host, Process.pid, Process.role, Process.version, Process.started_at, Process.seen_at)
        query = select(*columns).where(Process.seen_at >= db_now() - within).order_by(Process.started_at, Process.id)
        return [ProcessRecord(*row) for row in self._connection.execute(query)]

    def forget(self, older_than: int) -> int:
        """Delete lines of processes that are gone."""
        return self._connection.execute(delete(Process).where(Process.seen_at < db_now() - older_than)).rowcount
