"""What the engine asks of the host, in domain values. `host/calls.py` translates to the hooks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ...domain.model import Event


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A host appointment or activity, in our words.

    :param kind: `appointment` or `activity`.
    :param event: its content; an activity without a time has none.
    :param cancelled: the host cancelled or deleted it.
    :param guests: addresses of people the provider would invite if `invite_guests`.
    """

    kind: str
    ref: str
    version: int
    owners: tuple[str, ...]
    event: Event | None
    cancelled: bool = False
    invite_guests: bool = False
    url: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostPage:
    """One page of a compare; `cursor` is None on the last."""

    records: tuple[HostRecord, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """The host took a change; or, where `conflict` is set, it had moved on and nothing was written."""

    ref: str
    version: int
    conflict: HostRecord | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A host user, as far as the engine needs one."""

    owner_id: str
    tenant_id: str
    email: str
    zone: str = "UTC"
    may_use: bool = True


Told = Literal["connection_changed", "sync_finished", "event_changed", "conflict_found"]


class HostPort(Protocol):
    """The other side of the street. Every call may be slow; none is made while content locks are held (L8)."""

    def person(self, owner_id: str) -> Person | None:
        """Return the user, or None if the host no longer knows them."""

    def appointment(self, ref: str) -> HostRecord | None:
        """Return one appointment as it is now."""

    def appointments(self, owner_id: str, changed_since: int | None, cursor: str | None, limit: int) -> HostPage:
        """Return a page of a person's appointments."""

    def apply(
        self,
        owner_id: str,
        ref: str | None,
        event: Event | None,
        fields: Collection[str],
        *,
        expected_version: int | None,
        origin: str,
        reason: str = "",
    ) -> Written:
        """Write one appointment in a transaction of its own; `event` None cancels it, `ref` None creates it.

        :raises Refused: the host does not want it; the reason is the message.
        :raises Retryable: the host could not do it now.
        """

    def contacts(self, owner_id: str, emails: Collection[str]) -> dict[str, str]:
        """Return address -> contact id for those of the addresses that a person's contacts have."""

    def tell(self, what: Told, **facts: Any) -> None:
        """Tell listeners, after commit. Never raises."""
