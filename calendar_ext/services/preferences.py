"""How a person wants a connection to behave."""

from __future__ import annotations

from ..contract import OwnerProfile
from ..errors import Gone, Refused
from ..sync.ports.store import Store

#: Both ways, only from the host to the provider, or only into the host.
DIRECTIONS = ("both", "to_provider", "to_host")


class Preferences:
    """One person's settings of one connection of theirs."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def direction(self, user: OwnerProfile, connection: str) -> str:
        """Return the direction of a connection.

        :raises Gone: it is not theirs.
        """
        with self._store.read() as unit:
            found = unit.connections.find(connection, user.tenant_id, user.user_id)
        if found is None:
            raise Gone("This connection is no longer there.")
        return found.direction

    def set_direction(self, user: OwnerProfile, connection: str, direction: str) -> None:
        """Change the direction; what was sent before stays where it is.

        :raises Refused: there is no such direction.
        :raises Gone: the connection is not theirs.
        """
        if direction not in DIRECTIONS:
            raise Refused("There is no such direction.", field="direction")
        with self._store.write(only_active=True) as unit:
            found = unit.connections.find(connection, user.tenant_id, user.user_id)
            if found is None:
                raise Gone("This connection is no longer there.")
            if found.direction != direction:
                unit.connections.set_direction(found.id, direction)
                unit.wakes.add(found.account_id, priority=0, reason="direction")
                facts = {"before": {"direction": found.direction}, "after": {"direction": direction}}
                unit.audit.add(
                    "direction", actor=user.user_id, tenant_id=user.tenant_id, object=found.public_id, **facts
                )
