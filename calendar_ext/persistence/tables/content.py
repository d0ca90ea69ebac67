"""Events, occurrences, people (data-model.md section 4)."""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..base import PREFIX, Base, Key, key


class Event(Base):
    """One VEVENT as our side shows it now: single, master, override, gap or anchor."""

    __tablename__ = f"{PREFIX}event"
    id: Mapped[int] = key()
    #: Given on first use (a page, a link); '' never appears twice because NULL is stored until then.
    public_id: Mapped[str | None] = mapped_column(CHAR(22), unique=True)
    calendar_id: Mapped[int] = mapped_column(Key, ForeignKey(f"{PREFIX}calendar.id", ondelete="CASCADE"))
    object_id: Mapped[str] = mapped_column(String(1024))
    recurrence_key: Mapped[str] = mapped_column(String(24), default="")
    remote_id: Mapped[str] = mapped_column(String(1024), default="")
    ical_uid: Mapped[str] = mapped_column(String(1024), default="")

    etag: Mapped[str] = mapped_column(String(255), default="")
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    #: The provider's own last-modified, UTC milliseconds; compared only to settle a conflict.
    remote_updated: Mapped[int | None] = mapped_column(BigInteger)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16), default=b"")
    revision: Mapped[int] = mapped_column(BigInteger, default=0)

    kind: Mapped[str] = mapped_column(String(10), default="single")
    status: Mapped[str] = mapped_column(String(12), default="confirmed")
    title: Mapped[str] = mapped_column(Text, default="")
    location: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    colour: Mapped[str] = mapped_column(String(16), default="")
    show_as: Mapped[str] = mapped_column(String(12), default="busy")
    visibility: Mapped[str] = mapped_column(String(12), default="default")
    response: Mapped[str] = mapped_column(String(16), default="")
    organizer: Mapped[str] = mapped_column(String(320), default="")
    is_organizer: Mapped[bool] = mapped_column(default=True)
    event_type: Mapped[str] = mapped_column(String(24), default="")
    online_url: Mapped[str] = mapped_column(Text, default="")
    online_state: Mapped[str] = mapped_column(String(12), default="")

    all_day: Mapped[bool] = mapped_column(default=False)
    start_wall: Mapped[str] = mapped_column(String(19), default="")
    start_zone: Mapped[str] = mapped_column(String(64), default="")
    end_wall: Mapped[str] = mapped_column(String(19), default="")
    end_zone: Mapped[str] = mapped_column(String(64), default="")
    start_at: Mapped[int] = mapped_column(BigInteger, default=0)
    end_at: Mapped[int] = mapped_column(BigInteger, default=0)
    #: RRULE, RDATE and EXDATE lines joined by newlines.
    rules: Mapped[str] = mapped_column(Text, default="")
    rules_state: Mapped[str] = mapped_column(String(8), default="ok")

    #: 1 while an edit of ours waits to be sent; guards the bulk upsert.
    pending: Mapped[int] = mapped_column(SmallInteger, default=0)
    #: JSON of what the provider says meanwhile, until the two are merged.
    shadow: Mapped[str | None] = mapped_column(Text)
    #: `link:hash` of what we last wrote there.
    marker: Mapped[str] = mapped_column(String(96), default="")
    #: Written by another installation or connection: never sent on (trust.md R-03).
    foreign_marker: Mapped[bool] = mapped_column(default=False)

    seen_round: Mapped[int] = mapped_column(BigInteger, default=0)
    missing_since: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    #: Why this event could not be read or written, or NULL.
    quarantine: Mapped[str | None] = mapped_column(Text)
    #: JSON of what is shown but not modelled.
    extra: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        UniqueConstraint("calendar_id", "object_id", "recurrence_key"),
        Index(None, "calendar_id", "remote_id"),
        Index(None, "calendar_id", "revision"),
        Index(None, "ical_uid"),
        Index(
            f"ix_{PREFIX}event_pending",
            "calendar_id",
            sqlite_where=text("pending = 1"),
            postgresql_where=text("pending = 1"),
        ),
    )


#: Bits of `occurrence.flags`, so that the busy sweep and the page need no join.
ALL_DAY, FREE, PRIVATE, DECLINED, TENTATIVE, AWAY = 1, 2, 4, 8, 16, 32


class Occurrence(Base):
    """One instance inside the rolling window; replaced per event, never edited."""

    __tablename__ = f"{PREFIX}occurrence"
    calendar_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    start_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}event.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    end_at: Mapped[int] = mapped_column(BigInteger)
    flags: Mapped[int] = mapped_column(SmallInteger, default=0)
    __table_args__ = (Index(None, "event_id"), {"sqlite_with_rowid": False})


class Participant(Base):
    """A guest of an event; written only for events that have any."""

    __tablename__ = f"{PREFIX}participant"
    event_id: Mapped[int] = mapped_column(
        Key, ForeignKey(f"{PREFIX}event.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    email_norm: Mapped[str] = mapped_column(String(320), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    role: Mapped[str] = mapped_column(String(16), default="required")
    response: Mapped[str] = mapped_column(String(16), default="")
    is_self: Mapped[bool] = mapped_column(default=False)
    organizer: Mapped[bool] = mapped_column(default=False)
    contact_ref: Mapped[str | None] = mapped_column(String(64), index=True)
    matched_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "email_norm"),)
