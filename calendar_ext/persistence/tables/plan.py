"""Plan and journal: outbox before it is sent, journal after it (data-model.md section 6). No foreign keys here."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..base import PREFIX, Base, Key, key
from .running import public_id


class Operation(Base):
    """One planned write, its sending and its outcome."""

    __tablename__ = f"{PREFIX}operation"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    tenant_id: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[int | None] = mapped_column(Key, index=True)
    account_id: Mapped[int] = mapped_column(Key)
    calendar_id: Mapped[int | None] = mapped_column(Key)
    event_id: Mapped[int | None] = mapped_column(Key)
    link_id: Mapped[int | None] = mapped_column(Key)
    #: remote, host
    target: Mapped[str] = mapped_column(String(8))
    #: create, patch, delete, respond, revoke
    kind: Mapped[str] = mapped_column(String(20))
    #: person, host, sync
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(String(48), default="")
    idempotency_key: Mapped[str] = mapped_column(String(96), unique=True)
    #: JSON list of content fields.
    patch: Mapped[str] = mapped_column(Text, default="[]")
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    #: planned, sending, done, unknown, failed, held, superseded, undone
    state: Mapped[str] = mapped_column(String(12), default="planned")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_at: Mapped[int] = mapped_column(BigInteger, default=0)
    error_class: Mapped[str] = mapped_column(String(64), default="")
    error_text: Mapped[str] = mapped_column(String(512), default="")
    request_id: Mapped[str] = mapped_column(String(96), default="")
    #: The provider is asked to mail the guests.
    notify: Mapped[bool] = mapped_column(default=False)
    #: How many people that would reach.
    notifies: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        Index(None, "account_id", "state", "next_at"),
        Index(None, "event_id", "id"),
        Index(None, "link_id", "id"),
    )


class Run(Base):
    """One run that planned or changed something; a poll without news writes none."""

    __tablename__ = f"{PREFIX}run"
    id: Mapped[int] = key()
    account_id: Mapped[int] = mapped_column(Key)
    cause: Mapped[str] = mapped_column(String(32), default="")
    epoch: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    counts: Mapped[str] = mapped_column(Text, default="{}")
    outcome: Mapped[str] = mapped_column(String(16), default="")
    stop_reason: Mapped[str] = mapped_column(String(48), default="")
    plan_hash: Mapped[str] = mapped_column(String(64), default="")
    approved_by: Mapped[str] = mapped_column(String(64), default="")
    approved_until: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "account_id", "id"),)


class Conflict(Base):
    """Both sides changed one field; the losing value stays readable."""

    __tablename__ = f"{PREFIX}conflict"
    id: Mapped[int] = key()
    operation_id: Mapped[int | None] = mapped_column(Key)
    event_id: Mapped[int | None] = mapped_column(Key, index=True)
    link_id: Mapped[int | None] = mapped_column(Key, index=True)
    field: Mapped[str] = mapped_column(String(24))
    ours: Mapped[str] = mapped_column(Text)
    theirs: Mapped[str] = mapped_column(Text)
    #: ours, theirs
    winner: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12), default="open")
    resolved_by: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[int] = mapped_column(BigInteger)


class Audit(Base):
    """Who did what, append-only; no titles, tokens or third people's addresses (trust.md T-48)."""

    __tablename__ = f"{PREFIX}audit"
    id: Mapped[int] = key()
    at: Mapped[int] = mapped_column(BigInteger)
    tenant_id: Mapped[str] = mapped_column(String(64), default="")
    actor: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[str] = mapped_column(String(48))
    object: Mapped[str] = mapped_column(String(96), default="")
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")
