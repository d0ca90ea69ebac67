"""Named leases; one statement takes or renews one, by the database's clock."""

from __future__ import annotations

from sqlalchemy import Connection, case, or_, select, update

from ...sync.ports.running import LeaseRecord
from ..base import db_now
from ..tables import Lease
from .upserts import insert_into


class Leases:
    """Answers `sync.ports.running.Leases`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, owner: str, seconds: int) -> int | None:
        """Take or renew; a new owner raises the epoch."""
        wanted = insert_into(self._connection, Lease).values(name=name, owner=owner, epoch=1, until=db_now() + seconds)
        mine = Lease.owner == owner
        taken = wanted.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "owner": owner,
                "epoch": case((mine, Lease.epoch), else_=Lease.epoch + 1),
                "until": db_now() + seconds,
            },
            where=or_(mine, Lease.until <= db_now()),
        )
        return self._connection.execute(taken.returning(Lease.epoch)).scalar()

    def release(self, name: str, owner: str) -> None:
        """Let go: the lease ends now; its row stays, so that the epoch goes on rising."""
        ended = update(Lease).where(Lease.name == name, Lease.owner == owner).values(until=db_now(), owner="")
        self._connection.execute(ended)

    def holder(self, name: str) -> LeaseRecord | None:
        """Return who holds it now."""
        columns = (Lease.name, Lease.owner, Lease.epoch, Lease.until)
        row = self._connection.execute(select(*columns).where(Lease.name == name, Lease.until > db_now())).first()
        return LeaseRecord(*row) if row else None
