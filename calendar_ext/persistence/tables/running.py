"""Installation, accounts, work (data-model.md section 3). Times are UTC seconds of the database's clock."""

from __future__ import annotations

from sqlalchemy import CHAR, BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..base import PREFIX, Base, Key, key


def public_id() -> Mapped[str]:
    """Return the column for what appears in addresses, markers and associated data: 128 random bits."""
    return mapped_column(CHAR(22), unique=True)


class Installation(Base):
    """One row: the truth about our state that SQL asks. Written by lifecycle operations only."""

    __tablename__ = f"{PREFIX}installation"
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: Made once; part of every associated data and of every chosen remote id.
    public_id: Mapped[str] = public_id()
    state: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    options: Mapped[str] = mapped_column(Text, default="{}")
    version: Mapped[str] = mapped_column(String(32), default="")
    schema_revision: Mapped[str] = mapped_column(String(32), default="")
    activated_at: Mapped[int | None] = mapped_column(BigInteger)
    deactivated_at: Mapped[int | None] = mapped_column(BigInteger)
    purge_at: Mapped[int | None] = mapped_column(BigInteger)


class Process(Base):
    """A process that runs our code, as it last said. Written by itself, every minute."""

    __tablename__ = f"{PREFIX}process"
    id: Mapped[int] = key()
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("host", "pid", "started_at"),)


class Lease(Base):
    """Who leads, migrates, keeps house: one conditional UPDATE takes or renews it."""

    __tablename__ = f"{PREFIX}lease"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    until: Mapped[int] = mapped_column(BigInteger)


class Account(Base):
    """One remote principal in one organisation: the unit of sign-in, lease, throttle and run."""

    __tablename__ = f"{PREFIX}account"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    tenant_id: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(32))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(32), default="")
    capabilities: Mapped[str] = mapped_column(Text, default="{}")
    scopes: Mapped[str] = mapped_column(Text, default="")
    standin: Mapped[bool] = mapped_column(default=False)
    #: active, paused, limited, reconnect_needed, consent_needed, needs_review, credential_error,
    #: disconnecting, disconnected
    status: Mapped[str] = mapped_column(String(24), default="active")
    status_reason: Mapped[str] = mapped_column(String(64), default="")
    status_at: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("tenant_id", "provider", "issuer", "subject"),)


class Credential(Base):
    """A sealed secret of an account. Only the vault writes; a refresh is a compare-and-set on `version`."""

    __tablename__ = f"{PREFIX}credential"
    id: Mapped[int] = key()
    account_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}account.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(24))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped_dek: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(64), index=True)
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), default="ok")
    __table_args__ = (UniqueConstraint("account_id", "kind"),)


class Connection(Base):
    """One person's use of an account: the card on the screen."""

    __tablename__ = f"{PREFIX}connection"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    tenant_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}account.id", ondelete="CASCADE"))
    owner_id: Mapped[str] = mapped_column(String(64), index=True)
    direction: Mapped[str] = mapped_column(String(16), default="both")
    paused_by: Mapped[str] = mapped_column(String(16), default="")
    paused_at: Mapped[int | None] = mapped_column(BigInteger)
    settings: Mapped[str] = mapped_column(Text, default="{}")
    export_profile: Mapped[str] = mapped_column(String(16), default="")
    #: JSON: started_at, finished_at, window, stop_reason.
    first_sync: Mapped[str] = mapped_column(Text, default="{}")
    #: JSON of a disconnect in progress: what to keep and remove on each side.
    leaving: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("account_id", "owner_id"),)


class SyncState(Base):
    """When an account runs next and who runs it. Workers only; no web request and no hook ever updates it."""

    __tablename__ = f"{PREFIX}sync_state"
    account_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_owner: Mapped[str] = mapped_column(String(128), default="")
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    next_at: Mapped[int] = mapped_column(BigInteger, default=0, index=True)
    priority: Mapped[int] = mapped_column(SmallInteger, default=10)
    failures: Mapped[int] = mapped_column(BigInteger, default=0)
    error_class: Mapped[str] = mapped_column(String(64), default="")
    error_code: Mapped[str] = mapped_column(String(128), default="")
    failing_since: Mapped[int | None] = mapped_column(BigInteger)
    breaker_until: Mapped[int | None] = mapped_column(BigInteger)
    read_ok_at: Mapped[int | None] = mapped_column(BigInteger)
    write_ok_at: Mapped[int | None] = mapped_column(BigInteger)
    #: JSON of the first synchronization or a full listing under way: counts for the progress page.
    progress: Mapped[str] = mapped_column(Text, default="{}")


class Wake(Base):
    """A hint that an account has work. Anybody inserts; the run that read it deletes it (L4)."""

    __tablename__ = f"{PREFIX}wake"
    id: Mapped[int] = key()
    account_id: Mapped[int] = mapped_column(Key, index=True)
    calendar_id: Mapped[int | None] = mapped_column(Key)
    priority: Mapped[int] = mapped_column(SmallInteger, default=10)
    not_before: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(32), default="")
    at: Mapped[int] = mapped_column(BigInteger)


class Calendar(Base):
    """One remote collection as one account sees it."""

    __tablename__ = f"{PREFIX}calendar"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    tenant_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}account.id", ondelete="CASCADE"))
    remote_id: Mapped[str] = mapped_column(String(512))
    collection_key: Mapped[str] = mapped_column(String(600))
    name: Mapped[str] = mapped_column(String(255))
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    colour: Mapped[str] = mapped_column(String(16), default="")
    access: Mapped[str] = mapped_column(String(16), default="write")
    role: Mapped[str] = mapped_column(String(32), default="")
    primary: Mapped[bool] = mapped_column(default=False)
    #: mirror, block, ignore
    reads: Mapped[str] = mapped_column(String(16), default="ignore")
    all_day_free_blocks: Mapped[bool] = mapped_column(default=False)
    read_by: Mapped[int | None] = mapped_column(Key)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Seconds of the longest occurrence stored, which bounds range queries from below.
    longest_span: Mapped[int] = mapped_column(BigInteger, default=0)
    adopted_at: Mapped[int | None] = mapped_column(BigInteger)
    removed_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("account_id", "remote_id"),
        Index(None, "tenant_id", "collection_key"),
    )


class CalendarPerson(Base):
    """Whose appointments go into a calendar and whose free time it blocks."""

    __tablename__ = f"{PREFIX}calendar_person"
    calendar_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}calendar.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    owner_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    connection_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}connection.id", ondelete="CASCADE"))
    writes: Mapped[bool] = mapped_column(default=False)
    checks: Mapped[bool] = mapped_column(default=True)
    shown: Mapped[bool] = mapped_column(default=True)
    title_prefix: Mapped[str] = mapped_column(String(64), default="")
    __table_args__ = (Index(None, "owner_id"),)


class Cursor(Base):
    """A place in a calendar's history, or an unfinished listing. `building` → `current` → `retired`."""

    __tablename__ = f"{PREFIX}cursor"
    id: Mapped[int] = key()
    calendar_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}calendar.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    span_from: Mapped[int | None] = mapped_column(BigInteger)
    span_to: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    round: Mapped[int] = mapped_column(BigInteger, default=0)
    resume: Mapped[str | None] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    completed_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "calendar_id", "state"),)


class OAuthAttempt(Base):
    """One sign-in under way (trust.md T-01). Consumed by one conditional UPDATE before the code is exchanged."""

    __tablename__ = f"{PREFIX}oauth_attempt"
    id: Mapped[int] = key()
    public_id: Mapped[str] = public_id()
    state_hash: Mapped[str] = mapped_column(CHAR(64), unique=True)
    binding_hash: Mapped[str] = mapped_column(CHAR(64))
    tenant_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(32))
    #: The PKCE verifier, sealed.
    verifier: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str] = mapped_column(String(64))
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    next: Mapped[str] = mapped_column(String(512), default="")
    #: public_id of the connection to repair, or ''.
    repairs: Mapped[str] = mapped_column(String(22), default="")
    expires_at: Mapped[int] = mapped_column(BigInteger)
    consumed_at: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(48), default="")
    #: public_id of the connection it made.
    connection: Mapped[str] = mapped_column(String(22), default="")


class Setting(Base):
    """One organisation-wide setting; `tenant_id` '' = the installation's."""

    __tablename__ = f"{PREFIX}setting"
    tenant_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
