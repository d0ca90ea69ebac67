"""Are we switched on? Asked by the gate, the tabs and the jobs alike (host-contract.md 5).

Hooks and writes do not ask here: they ask the row itself, in the statement that writes (data-model.md L2, L5).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import Defect, StoreUnavailable
from ..sync.ports.running import InstallationRecord
from ..sync.ports.store import Store


class Activation:
    """The installation row, as this process last read it.

    :param ttl: seconds a copy is used; 0 = read once, for hosts that prefer a restart.
    """

    def __init__(self, store: Store, *, ttl: float = 2.0, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._ttl = ttl
        self._now = now
        #: What was read, and when; a failure is remembered as long as an answer.
        self._copy: tuple[float, InstallationRecord | None] | None = None
        self._public_id = ""

    def state(self) -> InstallationRecord:
        """Return the installation; `available` where there never was one.

        :raises StoreUnavailable: nobody can tell.
        """
        copy = self._copy
        if copy is None or (self._ttl > 0 and self._now() - copy[0] >= self._ttl):
            copy = self._copy = (self._now(), self._read())
        if copy[1] is None:
            raise StoreUnavailable
        return copy[1]

    def is_active(self, part: str | None = None) -> bool:
        """Return whether we are active, or a part of us (`scheduler`) is switched on as well; False on doubt."""
        try:
            installation = self.state()
        except StoreUnavailable:
            return False
        if installation.state != "active":
            return False
        return part is None or bool(installation.options.get(f"{part}_active"))

    def public_id(self) -> str:
        """Return the installation's public id, which never changes while there is one.

        :raises StoreUnavailable: it was never read, and cannot be now.
        """
        return self._public_id or self.state().public_id

    def drop(self) -> None:
        """Forget the copy: this process has just changed the row."""
        self._copy = None
        self._public_id = ""

    def _read(self) -> InstallationRecord | None:
        try:
            with self._store.read() as unit:
                installation = unit.installations.get()
        except Defect:
            raise
        except Exception:
            return None
        self._public_id = installation.public_id
        return installation
