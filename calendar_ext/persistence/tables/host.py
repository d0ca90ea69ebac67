"""The host's side: changes, appointments, links (data-model.md section 5)."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..base import PREFIX, Base, Key, key
from .running import public_id


class HostChange(Base):
    """The one row a hook inserts, in the host's transaction. Never altered, no key but this one (L1, L13)."""

    __tablename__ = f"{PREFIX}host_change"
    id: Mapped[int] = key()
    at: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(32))
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    actor_id: Mapped[str | None] = mapped_column(String(64))
    origin: Mapped[str | None] = mapped_column(String(64))
    payload: Mapped[str] = mapped_column(Text)


class Appointment(Base):
    """What we know of a host appointment or activity."""

    __tablename__ = f"{PREFIX}appointment"
    id: Mapped[int] = key()
    tenant_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(12))
    ref: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(BigInteger)
    #: JSON list of host user ids.
    owners: Mapped[str] = mapped_column(Text, default="[]")
    organizer_owner: Mapped[str] = mapped_column(String(64), default="")
    #: JSON: the canonical content plus url, guests and invite_guests.
    content: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16))
    start_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    end_at: Mapped[int | None] = mapped_column(BigInteger)
    #: current, cancelled
    state: Mapped[str] = mapped_column(String(16), default="current")
    #: Why it is only in the host: not_connected, before_sync_start, refused, kept_here, or ''.
    reason: Mapped[str] = mapped_column(String(64), default="")
    reason_text: Mapped[str] = mapped_column(String(255), default="")
    seen_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "ref"),)


class AppointmentPerson(Base):
    """Whose appointment it is, for lookups by person."""

    __tablename__ = f"{PREFIX}appointment_person"
    appointment_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}appointment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    owner_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class Link(Base):
    """One copy of one appointment in one collection."""

    __tablename__ = f"{PREFIX}link"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    tenant_id: Mapped[str] = mapped_column(String(64))
    appointment_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}appointment.id", ondelete="CASCADE"))
    calendar_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}calendar.id", ondelete="CASCADE"), index=True)
    collection_key: Mapped[str] = mapped_column(String(600))
    part: Mapped[str] = mapped_column(String(24), default="")
    event_id: Mapped[int | None] = mapped_column(Key, ForeignKey(f"{PREFIX}event.id", ondelete="SET NULL"), unique=True)
    planned_remote_id: Mapped[str] = mapped_column(String(1024), default="", index=True)
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    #: organizer, copy, invited, adopted
    role: Mapped[str] = mapped_column(String(12), default="organizer")
    #: Created by us; only owned events are deleted by us.
    owned: Mapped[bool] = mapped_column(default=True)
    #: provider, host, nobody
    sender: Mapped[str] = mapped_column(String(12), default="nobody")
    #: JSON content both sides agreed on last, and its fingerprint for SQL to compare.
    base: Mapped[str | None] = mapped_column(Text)
    base_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    base_version: Mapped[int | None] = mapped_column(BigInteger)
    base_etag: Mapped[str] = mapped_column(String(255), default="")
    #: live, ended, kept_here
    state: Mapped[str] = mapped_column(String(12), default="live")
    reason: Mapped[str] = mapped_column(String(64), default="")
    #: JSON list of the instants of our last writes, for the ping-pong breaker.
    writes_hour: Mapped[str] = mapped_column(Text, default="[]")
    quarantined: Mapped[int] = mapped_column(SmallInteger, default=0)
    tombstone_actor: Mapped[str] = mapped_column(String(64), default="")
    tombstone_reason: Mapped[str] = mapped_column(String(64), default="")
    tombstone_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("appointment_id", "collection_key", "part"),
        Index(None, "tenant_id", "collection_key"),
    )


class LinkPerson(Base):
    """Whose copy it is; several people may share one."""

    __tablename__ = f"{PREFIX}link_person"
    link_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}link.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    owner_id: Mapped[str] = mapped_column(String(64), primary_key=True)
