"""The steps of every lifecycle operation. Each asks "already so?" or may be repeated (host-contract.md 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import Refused
from ..sync.ports.running import InstallationRecord, State, Tables
from ..sync.ports.store import Store
from . import terms
from .grants import Grants

#: Seconds after activation at which the first compare runs: transactions begun before it have committed then (L15).
COMPARE_DELAY = 10
#: Seconds given to the providers to take back every grant.
REVOKE_SECONDS = 60.0
_DAY = 86_400

NEWER_TABLES = "The tables are of a newer version than the installed package. Install the newer package again."
UPGRADE_FIRST = "A newer version is waiting. Upgrade first."


@dataclass(slots=True)
class Work:
    """One operation under way: who asked for what, what was there before, and what a person is told at the end."""

    actor_id: str | None
    before: InstallationRecord
    revision: str | None = None
    options: Mapping[str, Any] | None = None
    accepted: Collection[str] = ()
    data: str = "keep"
    #: The tables were changed: there is something to undo.
    migrated: bool = False
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


Step = Callable[[Work], None]


class Checks(Protocol):
    """What only the process itself can tell: its Python, its database, its host."""

    def compatible(self) -> None:
        """Return if we can work here at all; else raise `Refused` with what is missing."""

    def healthy(self) -> None:
        """Return if nothing stands against switching on; else raise `Refused`."""


class Steps:
    """What operations are made of.

    :param version: of the package that runs.
    :param export: writes everything but secrets to a file; returns its path.
    :param now: a monotonic reading, for the deadline of what is best effort.
    """

    def __init__(
        self,
        *,
        store: Store,
        tables: Tables,
        grants: Grants,
        checks: Checks,
        version: str,
        export: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._tables = tables
        self._grants = grants
        self._checks = checks
        self.version = version
        self._export = export
        self._now = now

    # ── install, upgrade ──

    def check_compatibility(self, work: Work) -> None:
        """Refuse a host, Python or database we cannot work with."""
        self._checks.compatible()

    def check_secrets(self, work: Work) -> None:
        """Refuse to begin without a key to keep sign-ins with."""
        self._grants.ready()

    def accept_permissions(self, work: Work) -> None:
        """Refuse unless every permission that is not optional was agreed to."""
        if missing := terms.missing_permissions(work.accepted):
            raise Refused("Agree to what Calendar asks for first: " + ", ".join(missing) + ".")

    def check_version(self, work: Work) -> None:
        """Refuse an upgrade from a version too old for one step."""
        if not terms.upgradable(work.before.version):
            raise Refused("This version is too old for one step. Install the version in between first.")

    def migrate(self, work: Work) -> None:
        """Bring the tables to what this code knows."""
        self._refuse_newer(work)
        work.migrated = True
        self._tables.upgrade()

    def default_settings(self, work: Work) -> None:
        """Store the installation's settings that have none yet."""
        with self._store.write() as unit:
            unit.settings.put_default("installed_version", self.version)

    # ── activate ──

    def check_schema(self, work: Work) -> None:
        """Refuse tables that are older or newer than this code."""
        self._refuse_newer(work)
        if work.revision != self._tables.head():
            raise Refused(UPGRADE_FIRST)

    def check_keys(self, work: Work) -> None:
        """Open one stored sign-in, so that a wrong key is found here and not by every run."""
        self._grants.try_keys()

    def check_health(self, work: Work) -> None:
        """Refuse what would make every connection fail."""
        self._checks.healthy()

    def accept_fees(self, work: Work) -> None:
        """Refuse an option with a fee that was not agreed to."""
        terms.chosen_options(work.options, work.before.options)

    # ── uninstall ──

    def close(self, work: Work) -> None:
        """Close the gate and end every run, in one transaction; kept data of an earlier uninstall have none."""
        if work.before.state == "uninstalled":
            return
        with self._store.write() as unit:
            unit.installations.write(state="inactive")
            unit.installations.raise_epochs()

    def revoke(self, work: Work) -> None:
        """Ask the providers to take every sign-in back; what could not be reached is told, not waited for."""
        ends_at = self._now() + REVOKE_SECONDS
        failed = self._grants.revoke_everything(give_up=lambda: self._now() >= ends_at)
        if failed:
            work.details["not_revoked"] = len(failed)
            work.notes.append("Some providers did not answer: people may remove Calendar's access there themselves.")

    def forget_secrets(self, work: Work) -> None:
        """Delete every stored secret, whatever becomes of the rest."""
        with self._store.write() as unit:
            unit.credentials.erase_all()
            for account in unit.accounts.every():
                unit.accounts.set_status(account.id, "reconnect_needed", "uninstalled")

    def export(self, work: Work) -> None:
        """Write what was stored to a file before it goes."""
        work.details["export"] = self._export()

    def drop(self, work: Work) -> None:
        """Drop every table of ours."""
        self._tables.drop()

    # ── what ends an operation ──

    def finish(self, work: Work, state: State, **changes: Any) -> int:
        """Write our row and its audit line; return the new generation."""
        with self._store.write() as unit:
            written = unit.installations.write(state=state, **changes)
            before, after = {"state": work.before.state}, {"state": state, "options": dict(written.options)}
            unit.audit.add(f"lifecycle.{state}", actor=work.actor_id or "", before=before, after=after)
            if state == "active" and work.before.state != "active":
                unit.installations.wake_every_account(reason="activated")
                unit.installations.wake_every_account(reason="compare", delay=COMPARE_DELAY)
            if state == "inactive":
                unit.installations.raise_epochs()
            return written.generation

    def purge_at(self) -> int:
        """Return when kept data may go."""
        with self._store.read() as unit:
            return unit.now() + terms.KEEP_DAYS * _DAY

    def facts(self) -> dict[str, Any]:
        """Return what a finished install or upgrade writes."""
        return {"version": self.version, "schema_revision": self._tables.head(), "purge_at": None}

    def undo_install(self, work: Work) -> None:
        """Bring the tables back to where they were; of a first install nothing is left."""
        if not work.migrated:
            return
        if work.revision is None:
            self._tables.drop()
        elif self._tables.knows(work.revision):
            self._tables.downgrade(work.revision)

    def _refuse_newer(self, work: Work) -> None:
        if work.revision and not self._tables.knows(work.revision):
            raise Refused(NEWER_TABLES)
