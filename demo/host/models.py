"""The host's own tables. Nothing here knows that calendars exist."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

db = SQLAlchemy()

#: A column whose former value is known whenever it is set, even where a commit expired the row: hooks tell old and new.
kept = partial(mapped_column, active_history=True)


def next_version(current: int | None) -> int:
    """Return an updated-at in microseconds that is always greater than `current`."""
    return max((current or 0) + 1, time.time_ns() // 1000)


class Utc(TypeDecorator):
    """An aware UTC datetime, stored without zone so that every database sorts and compares it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Versioned:
    """Copy this: a version that grows with each change lets an extension drop an older notice that comes late.

    `version_id_col` also makes the database refuse the second of two saves that started from the same row.
    """

    version: Mapped[int] = mapped_column(BigInteger, nullable=False)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version, "version_id_generator": next_version}


class Organisation(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)


class User(UserMixin, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = kept(ForeignKey("organisation.id"))
    email: Mapped[str] = kept(String(254), unique=True)
    name: Mapped[str] = kept(String(120))
    role: Mapped[str] = kept(String(10), default="user")
    password_hash: Mapped[str] = kept(String(255))
    zone: Mapped[str] = kept(String(60), default="Europe/Amsterdam")
    locale: Mapped[str] = kept(String(12), default="en-GB")
    active: Mapped[bool] = kept(default=True)
    organisation: Mapped[Organisation] = relationship(lazy="joined")

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper()

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def check_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)


class Contact(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    company: Mapped[str] = mapped_column(String(120), default="")
    portal_password_hash: Mapped[str] = mapped_column(String(255), default="")


class Timed:
    """When something is planned: an instant, or for all-day the midnight (UTC) of its date; the end is exclusive."""

    starts_at: Mapped[datetime | None] = kept(Utc, index=True)
    ends_at: Mapped[datetime | None] = kept(Utc)
    all_day: Mapped[bool] = kept(default=False)
    zone: Mapped[str] = kept(String(60), default="Europe/Amsterdam")

    @property
    def start(self) -> datetime | date | None:
        return self.starts_at.date() if self.all_day and self.starts_at else self.starts_at

    @property
    def end(self) -> datetime | date | None:
        return self.ends_at.date() if self.all_day and self.ends_at else self.ends_at

    @property
    def last_day(self) -> date | None:
        return self.ends_at.date() - timedelta(days=1) if self.ends_at else None


class Appointment(Versioned, Timed, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = kept(ForeignKey("user.id"), index=True)
    title: Mapped[str] = kept(Text)
    place: Mapped[str] = kept(Text, default="")
    notes: Mapped[str] = kept(Text, default="")
    guests: Mapped[list] = kept(JSON, default=list)
    invite_guests: Mapped[bool] = kept(default=False)
    status: Mapped[str] = kept(String(12), default="confirmed")
    cancel_reason: Mapped[str] = kept(Text, default="")
    private: Mapped[bool] = kept(default=False)
    show_as: Mapped[str] = kept(String(12), default="busy")


class Activity(Versioned, Timed, db.Model):
    __table_args__ = (UniqueConstraint("owner_id", "dedupe_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = kept(ForeignKey("user.id"), index=True)
    contact_id: Mapped[int | None] = kept(ForeignKey("contact.id"), index=True)
    kind: Mapped[str] = kept(String(30), default="call")
    title: Mapped[str] = kept(Text)
    dedupe_key: Mapped[str | None] = kept(String(200))
    created_at: Mapped[datetime] = kept(Utc, default=lambda: datetime.now(UTC))


class Mail(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(Utc, default=lambda: datetime.now(UTC))
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str] = mapped_column(Text, default="")
    attachments: Mapped[list] = mapped_column(JSON, default=list)
    dedupe_key: Mapped[str | None] = mapped_column(String(200), unique=True)


class MarketplacePlugin(db.Model):
    plugin_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    state: Mapped[str] = mapped_column(String(20), default="available")
    version: Mapped[str] = mapped_column(String(40), default="")
    schema_revision: Mapped[str] = mapped_column(String(60), default="")
    manifest_sha256: Mapped[str] = mapped_column(String(64), default="")
    options: Mapped[dict] = mapped_column(JSON, default=dict)
    accepted_permissions: Mapped[list] = mapped_column(JSON, default=list)
    generation: Mapped[int] = mapped_column(default=0)
    op: Mapped[str | None] = mapped_column(String(20))
    op_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    op_owner: Mapped[str | None] = mapped_column(String(120))
    op_until: Mapped[int | None] = mapped_column(BigInteger)
    op_step: Mapped[str | None] = mapped_column(String(60))
    last_error: Mapped[str] = mapped_column(Text, default="")
    purge_at: Mapped[int | None] = mapped_column(BigInteger)
    changed_by: Mapped[str | None] = mapped_column(String(60))
    changed_at: Mapped[int | None] = mapped_column(BigInteger)


class MarketplaceLog(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    plugin_id: Mapped[str] = mapped_column(String(63), index=True)
    op_id: Mapped[str | None] = mapped_column(String(36))
    at: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[str | None] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict] = mapped_column(JSON, default=dict)
