"""Installation, leases, settings and sealed secrets, as the services and the engine see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["available", "installed", "active", "inactive", "uninstalled", "failed"]


@dataclass(frozen=True, slots=True)
class InstallationRecord:
    """Our one row: the truth about our state (host-contract.md 4.2). No table or no row reads as `available`."""

    public_id: str = ""
    state: State = "available"
    generation: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    schema_revision: str = ""
    activated_at: int | None = None
    deactivated_at: int | None = None
    purge_at: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that runs our code, as it last said."""

    host: str
    pid: int
    role: str
    version: str
    started_at: int
    seen_at: int


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """Who holds a named lease, and until when by the database's clock."""

    name: str
    owner: str
    epoch: int
    until: int


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the audit log; `before` and `after` hold no titles, tokens or third people's addresses."""

    at: int
    tenant_id: str
    actor: str
    action: str
    object: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored: its own key wrapped by the key `key_id` names. Worth nothing without that key."""

    ciphertext: bytes = field(repr=False)
    wrapped_dek: bytes = field(repr=False)
    key_id: str

    def packed(self) -> bytes:
        """Return all three in one value, for a table with one column for it."""
        parts = (self.key_id.encode(), self.wrapped_dek, self.ciphertext)
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    @classmethod
    def unpacked(cls, blob: bytes) -> Sealed:
        """Return what `packed` made; a cut or foreign blob gives one that no vault opens."""
        parts, rest = [], bytes(blob)
        for _ in range(3):
            size = int.from_bytes(rest[:4], "big")
            parts.append(rest[4 : 4 + size])
            rest = rest[4 + size :]
        return cls(ciphertext=parts[2], wrapped_dek=parts[1], key_id=parts[0].decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """A sealed secret of an account. `version` rises with every write; `state` is `ok` or `error`."""

    account_id: int
    kind: str
    sealed: Sealed
    version: int
    expires_at: int | None = None
    state: str = "ok"


class Vault(Protocol):
    """Seals secrets, and opens them in the place they were sealed for (trust.md T-11, T-12). No I/O."""

    def ready(self) -> None:
        """Return if a secret could be sealed.

        :raises KeyMissing: no key is configured, or one is unusable; the message says what to set.
        """

    def seal(self, plaintext: str, *place: str) -> Sealed:
        """Return `plaintext` sealed for `place`: tenant, public id of what it belongs to, kind.

        :raises KeyMissing: as `ready`.
        """

    def open(self, sealed: Sealed, *place: str) -> str:
        """Return the plaintext.

        :raises KeyMissing: the key it was sealed with is not configured.
        :raises Refused: it was sealed for another place, or changed since.
        """


class Installations(Protocol):
    """The one installation row. Lifecycle operations write it; everybody else reads."""

    def get(self) -> InstallationRecord:
        """Return the row; a record in state `available` where there is none, or no table yet."""

    def write(self, **changes: Any) -> InstallationRecord:
        """Make or change the row, raise its generation, and return it. `changes`: fields of `InstallationRecord`."""

    def raise_epochs(self) -> int:
        """End every run under way: their next fence fails. Return how many accounts there are."""

    def wake_every_account(self, *, reason: str, delay: int = 0) -> int:
        """Insert one `wake` row per account that is not ending, due in `delay` seconds. Return how many."""

    def erase(self, *, keep: Collection[str] = ()) -> int:
        """Delete every row of ours but the installation's and `keep` (names without prefix); return how many."""


class Leases(Protocol):
    """Named leases: who leads, who keeps house. Times are the database's."""

    def take(self, name: str, owner: str, seconds: int) -> int | None:
        """Take the lease, or renew it if `owner` holds it. Return its epoch, or None: somebody else holds it."""

    def release(self, name: str, owner: str) -> None:
        """Let go at once; nothing happens if `owner` no longer holds it."""

    def holder(self, name: str) -> LeaseRecord | None:
        """Return who holds the lease now, or None."""


class Processes(Protocol):
    """What each process says of itself, every minute."""

    def beat(self, *, host: str, pid: int, role: str, version: str, started_at: int) -> None:
        """Insert or renew the caller's line."""

    def seen(self, within: int) -> list[ProcessRecord]:
        """Return the processes heard of in the last `within` seconds, oldest start first."""

    def forget(self, older_than: int) -> int:
        """Delete lines not renewed for `older_than` seconds; return how many."""


class Settings(Protocol):
    """Organisation-wide settings; `tenant_id` '' = the installation's. Values are JSON values."""

    def get(self, key: str, *, tenant_id: str = "", default: Any = None) -> Any:
        """Return the value, or `default` where none is stored."""

    def put(self, key: str, value: Any, *, tenant_id: str = "") -> None:
        """Store the value in place of any other."""

    def put_default(self, key: str, value: Any, *, tenant_id: str = "") -> bool:
        """Store the value unless there is one; return whether it was stored."""

    def all(self, *, tenant_id: str = "") -> dict[str, Any]:
        """Return every setting of one organisation."""


class Audit(Protocol):
    """Who did what; append-only."""

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

    def newest(self, limit: int, *, tenant_id: str | None = None) -> list[AuditRecord]:
        """Return the newest lines first; of one organisation, or of all where None."""


class Credentials(Protocol):
    """Sealed secrets by account and kind."""

    def get(self, account_id: int, kind: str) -> CredentialRecord | None:
        """Return the secret as stored."""

    def put(self, account_id: int, kind: str, sealed: Sealed, *, expires_at: int | None = None) -> int:
        """Store it in place of any other; return its version."""

    def swap(self, account_id: int, kind: str, sealed: Sealed, *, version: int, expires_at: int | None = None) -> bool:
        """Store it if the row is still at `version`; return whether it was (trust.md T-10)."""

    def mark(self, account_id: int, kind: str, state: str) -> None:
        """Write `state` and nothing else."""

    def erase(self, account_id: int) -> int:
        """Delete every secret of the account; return how many."""

    def erase_all(self) -> int:
        """Delete every secret there is; return how many."""

    def accounts(self) -> list[int]:
        """Return the ids of accounts that have a secret."""

    def any(self) -> CredentialRecord | None:
        """Return one stored secret, to try the keys on; None if there is none."""


class Tables(Protocol):
    """Our tables as a whole. Every call is a transaction of its own, under a lock that all processes share."""

    def head(self) -> str:
        """Return the newest revision this code knows."""

    def knows(self, revision: str) -> bool:
        """Return whether this code has that revision; if not, the tables are newer than the code."""

    def current(self) -> str | None:
        """Return the revision of the tables; None where there are none."""

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables up; repeating it does nothing.

        :raises StoreUnavailable: another process, or a long transaction of the host, is in the way.
        """

    def downgrade(self, revision: str) -> None:
        """Bring the tables down to `revision`."""

    def drop(self) -> None:
        """Drop every table of ours, the version table last."""
