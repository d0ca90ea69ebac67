"""The main job: everything a connection, a run and a page need.

Revision 0001. Up makes the tables of `persistence/tables`, down drops them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: BIGINT identity; SQLite numbers rows by itself only for INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Children before parents.
TABLES = (
    "calendar_ext_link_person",
    "calendar_ext_participant",
    "calendar_ext_occurrence",
    "calendar_ext_link",
    "calendar_ext_event",
    "calendar_ext_cursor",
    "calendar_ext_calendar_person",
    "calendar_ext_sync_state",
    "calendar_ext_credential",
    "calendar_ext_connection",
    "calendar_ext_calendar",
    "calendar_ext_appointment_person",
    "calendar_ext_wake",
    "calendar_ext_setting",
    "calendar_ext_run",
    "calendar_ext_process",
    "calendar_ext_operation",
    "calendar_ext_oauth_attempt",
    "calendar_ext_lease",
    "calendar_ext_installation",
    "calendar_ext_host_change",
    "calendar_ext_conflict",
    "calendar_ext_audit",
    "calendar_ext_appointment",
    "calendar_ext_account",
)


def upgrade() -> None:
    """Make every table, parents first."""
    running()
    content()
    host()
    plan()


def downgrade() -> None:
    """Drop every table, children first."""
    for name in TABLES:
        op.drop_table(name)


def running() -> None:
    """Installation, accounts, work."""
    op.create_table(
        "calendar_ext_account",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("standin", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("status_reason", sa.String(length=64), nullable=False),
        sa.Column("status_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_account")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_account_public_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "provider",
            "issuer",
            "subject",
            name=op.f("uq_calendar_ext_account_tenant_id_provider_issuer_subject"),
        ),
    )
    op.create_table(
        "calendar_ext_installation",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("schema_revision", sa.String(length=32), nullable=False),
        sa.Column("activated_at", sa.BigInteger(), nullable=True),
        sa.Column("deactivated_at", sa.BigInteger(), nullable=True),
        sa.Column("purge_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_installation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_installation_public_id")),
    )
    op.create_table(
        "calendar_ext_lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_calendar_ext_lease")),
    )
    op.create_table(
        "calendar_ext_oauth_attempt",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("state_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("binding_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("verifier", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2048), nullable=False),
        sa.Column("next", sa.String(length=512), nullable=False),
        sa.Column("repairs", sa.String(length=22), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=48), nullable=False),
        sa.Column("connection", sa.String(length=22), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_oauth_attempt")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_oauth_attempt_public_id")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_calendar_ext_oauth_attempt_state_hash")),
    )
    op.create_table(
        "calendar_ext_process",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_process")),
        sa.UniqueConstraint("host", "pid", "started_at", name=op.f("uq_calendar_ext_process_host_pid_started_at")),
    )
    op.create_table(
        "calendar_ext_setting",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_calendar_ext_setting")),
    )
    op.create_table(
        "calendar_ext_wake",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("calendar_id", KEY, nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_wake")),
    )
    op.create_index(op.f("ix_calendar_ext_wake_account_id"), "calendar_ext_wake", ["account_id"], unique=False)
    op.create_table(
        "calendar_ext_calendar",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("remote_id", sa.String(length=512), nullable=False),
        sa.Column("collection_key", sa.String(length=600), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("colour", sa.String(length=16), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("primary", sa.Boolean(), nullable=False),
        sa.Column("reads", sa.String(length=16), nullable=False),
        sa.Column("all_day_free_blocks", sa.Boolean(), nullable=False),
        sa.Column("read_by", KEY, nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("longest_span", sa.BigInteger(), nullable=False),
        sa.Column("adopted_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_ext_account.id"],
            name=op.f("fk_calendar_ext_calendar_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_calendar")),
        sa.UniqueConstraint("account_id", "remote_id", name=op.f("uq_calendar_ext_calendar_account_id_remote_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_calendar_public_id")),
    )
    op.create_index(
        op.f("ix_calendar_ext_calendar_tenant_id_collection_key"),
        "calendar_ext_calendar",
        ["tenant_id", "collection_key"],
        unique=False,
    )
    op.create_table(
        "calendar_ext_connection",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("paused_by", sa.String(length=16), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("export_profile", sa.String(length=16), nullable=False),
        sa.Column("first_sync", sa.Text(), nullable=False),
        sa.Column("leaving", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_ext_account.id"],
            name=op.f("fk_calendar_ext_connection_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_connection")),
        sa.UniqueConstraint("account_id", "owner_id", name=op.f("uq_calendar_ext_connection_account_id_owner_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_connection_public_id")),
    )
    op.create_index(op.f("ix_calendar_ext_connection_owner_id"), "calendar_ext_connection", ["owner_id"], unique=False)
    op.create_table(
        "calendar_ext_credential",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_dek", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_ext_account.id"],
            name=op.f("fk_calendar_ext_credential_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_credential")),
        sa.UniqueConstraint("account_id", "kind", name=op.f("uq_calendar_ext_credential_account_id_kind")),
    )
    op.create_index(op.f("ix_calendar_ext_credential_key_id"), "calendar_ext_credential", ["key_id"], unique=False)
    op.create_table(
        "calendar_ext_sync_state",
        sa.Column("account_id", KEY, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String(length=128), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("error_class", sa.String(length=64), nullable=False),
        sa.Column("error_code", sa.String(length=128), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("breaker_until", sa.BigInteger(), nullable=True),
        sa.Column("read_ok_at", sa.BigInteger(), nullable=True),
        sa.Column("write_ok_at", sa.BigInteger(), nullable=True),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_ext_account.id"],
            name=op.f("fk_calendar_ext_sync_state_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calendar_ext_sync_state")),
    )
    op.create_index(op.f("ix_calendar_ext_sync_state_next_at"), "calendar_ext_sync_state", ["next_at"], unique=False)
    op.create_table(
        "calendar_ext_calendar_person",
        sa.Column("calendar_id", KEY, autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("connection_id", KEY, nullable=False),
        sa.Column("writes", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Boolean(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("title_prefix", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar_ext_calendar.id"],
            name=op.f("fk_calendar_ext_calendar_person_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["calendar_ext_connection.id"],
            name=op.f("fk_calendar_ext_calendar_person_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "owner_id", name=op.f("pk_calendar_ext_calendar_person")),
    )
    op.create_index(
        op.f("ix_calendar_ext_calendar_person_owner_id"), "calendar_ext_calendar_person", ["owner_id"], unique=False
    )
    op.create_table(
        "calendar_ext_cursor",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("calendar_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("span_from", sa.BigInteger(), nullable=True),
        sa.Column("span_to", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("resume", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar_ext_calendar.id"],
            name=op.f("fk_calendar_ext_cursor_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_cursor")),
    )
    op.create_index(
        op.f("ix_calendar_ext_cursor_calendar_id_state"), "calendar_ext_cursor", ["calendar_id", "state"], unique=False
    )
    # ### end Alembic commands ###


def content() -> None:
    """Events, occurrences, people."""
    op.create_table(
        "calendar_ext_event",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=True),
        sa.Column("calendar_id", KEY, nullable=False),
        sa.Column("object_id", sa.String(length=1024), nullable=False),
        sa.Column("recurrence_key", sa.String(length=24), nullable=False),
        sa.Column("remote_id", sa.String(length=1024), nullable=False),
        sa.Column("ical_uid", sa.String(length=1024), nullable=False),
        sa.Column("etag", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("remote_updated", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(length=16), nullable=False),
        sa.Column("show_as", sa.String(length=12), nullable=False),
        sa.Column("visibility", sa.String(length=12), nullable=False),
        sa.Column("response", sa.String(length=16), nullable=False),
        sa.Column("organizer", sa.String(length=320), nullable=False),
        sa.Column("is_organizer", sa.Boolean(), nullable=False),
        sa.Column("event_type", sa.String(length=24), nullable=False),
        sa.Column("online_url", sa.Text(), nullable=False),
        sa.Column("online_state", sa.String(length=12), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("start_wall", sa.String(length=19), nullable=False),
        sa.Column("start_zone", sa.String(length=64), nullable=False),
        sa.Column("end_wall", sa.String(length=19), nullable=False),
        sa.Column("end_zone", sa.String(length=64), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("rules_state", sa.String(length=8), nullable=False),
        sa.Column("pending", sa.SmallInteger(), nullable=False),
        sa.Column("shadow", sa.Text(), nullable=True),
        sa.Column("marker", sa.String(length=96), nullable=False),
        sa.Column("foreign_marker", sa.Boolean(), nullable=False),
        sa.Column("seen_round", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("quarantine", sa.Text(), nullable=True),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar_ext_calendar.id"],
            name=op.f("fk_calendar_ext_event_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_event")),
        sa.UniqueConstraint(
            "calendar_id",
            "object_id",
            "recurrence_key",
            name=op.f("uq_calendar_ext_event_calendar_id_object_id_recurrence_key"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_event_public_id")),
    )
    op.create_index(
        op.f("ix_calendar_ext_event_calendar_id_remote_id"),
        "calendar_ext_event",
        ["calendar_id", "remote_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_calendar_ext_event_calendar_id_revision"),
        "calendar_ext_event",
        ["calendar_id", "revision"],
        unique=False,
    )
    op.create_index(op.f("ix_calendar_ext_event_ical_uid"), "calendar_ext_event", ["ical_uid"], unique=False)
    op.create_index(
        "ix_calendar_ext_event_pending",
        "calendar_ext_event",
        ["calendar_id"],
        unique=False,
        sqlite_where=sa.text("pending = 1"),
        postgresql_where=sa.text("pending = 1"),
    )
    op.create_table(
        "calendar_ext_occurrence",
        sa.Column("calendar_id", KEY, autoincrement=False, nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", KEY, autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["calendar_ext_event.id"],
            name=op.f("fk_calendar_ext_occurrence_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "start_at", "event_id", name=op.f("pk_calendar_ext_occurrence")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_calendar_ext_occurrence_event_id"), "calendar_ext_occurrence", ["event_id"], unique=False)
    op.create_table(
        "calendar_ext_participant",
        sa.Column("event_id", KEY, autoincrement=False, nullable=False),
        sa.Column("email_norm", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("response", sa.String(length=16), nullable=False),
        sa.Column("is_self", sa.Boolean(), nullable=False),
        sa.Column("organizer", sa.Boolean(), nullable=False),
        sa.Column("contact_ref", sa.String(length=64), nullable=True),
        sa.Column("matched_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["calendar_ext_event.id"],
            name=op.f("fk_calendar_ext_participant_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", "email_norm", name=op.f("pk_calendar_ext_participant")),
    )
    op.create_index(
        op.f("ix_calendar_ext_participant_contact_ref"), "calendar_ext_participant", ["contact_ref"], unique=False
    )
    op.create_index(
        op.f("ix_calendar_ext_participant_email_norm"), "calendar_ext_participant", ["email_norm"], unique=False
    )
    # ### end Alembic commands ###


def host() -> None:
    """The host's side: changes, appointments, links."""
    op.create_table(
        "calendar_ext_appointment",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("owners", sa.Text(), nullable=False),
        sa.Column("organizer_owner", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=True),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("reason_text", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_appointment")),
        sa.UniqueConstraint("tenant_id", "kind", "ref", name=op.f("uq_calendar_ext_appointment_tenant_id_kind_ref")),
    )
    op.create_index(
        op.f("ix_calendar_ext_appointment_start_at"), "calendar_ext_appointment", ["start_at"], unique=False
    )
    op.create_table(
        "calendar_ext_host_change",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=64), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_host_change")),
    )
    op.create_table(
        "calendar_ext_appointment_person",
        sa.Column("appointment_id", KEY, autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["calendar_ext_appointment.id"],
            name=op.f("fk_calendar_ext_appointment_person_appointment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("appointment_id", "owner_id", name=op.f("pk_calendar_ext_appointment_person")),
    )
    op.create_index(
        op.f("ix_calendar_ext_appointment_person_owner_id"),
        "calendar_ext_appointment_person",
        ["owner_id"],
        unique=False,
    )
    op.create_table(
        "calendar_ext_link",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("appointment_id", KEY, nullable=False),
        sa.Column("calendar_id", KEY, nullable=False),
        sa.Column("collection_key", sa.String(length=600), nullable=False),
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("planned_remote_id", sa.String(length=1024), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("sender", sa.String(length=12), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("base_fingerprint", sa.LargeBinary(length=16), nullable=True),
        sa.Column("base_version", sa.BigInteger(), nullable=True),
        sa.Column("base_etag", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("writes_hour", sa.Text(), nullable=False),
        sa.Column("quarantined", sa.SmallInteger(), nullable=False),
        sa.Column("tombstone_actor", sa.String(length=64), nullable=False),
        sa.Column("tombstone_reason", sa.String(length=64), nullable=False),
        sa.Column("tombstone_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["calendar_ext_appointment.id"],
            name=op.f("fk_calendar_ext_link_appointment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["calendar_ext_calendar.id"],
            name=op.f("fk_calendar_ext_link_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["calendar_ext_event.id"], name=op.f("fk_calendar_ext_link_event_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_link")),
        sa.UniqueConstraint(
            "appointment_id",
            "collection_key",
            "part",
            name=op.f("uq_calendar_ext_link_appointment_id_collection_key_part"),
        ),
        sa.UniqueConstraint("event_id", name=op.f("uq_calendar_ext_link_event_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_link_public_id")),
    )
    op.create_index(op.f("ix_calendar_ext_link_calendar_id"), "calendar_ext_link", ["calendar_id"], unique=False)
    op.create_index(
        op.f("ix_calendar_ext_link_planned_remote_id"), "calendar_ext_link", ["planned_remote_id"], unique=False
    )
    op.create_index(
        op.f("ix_calendar_ext_link_tenant_id_collection_key"),
        "calendar_ext_link",
        ["tenant_id", "collection_key"],
        unique=False,
    )
    op.create_table(
        "calendar_ext_link_person",
        sa.Column("link_id", KEY, autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["calendar_ext_link.id"], name=op.f("fk_calendar_ext_link_person_link_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", "owner_id", name=op.f("pk_calendar_ext_link_person")),
    )
    # ### end Alembic commands ###


def plan() -> None:
    """Plan and journal."""
    op.create_table(
        "calendar_ext_audit",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("object", sa.String(length=96), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_audit")),
    )
    op.create_table(
        "calendar_ext_conflict",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("operation_id", KEY, nullable=True),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("link_id", KEY, nullable=True),
        sa.Column("field", sa.String(length=24), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("winner", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_conflict")),
    )
    op.create_index(op.f("ix_calendar_ext_conflict_event_id"), "calendar_ext_conflict", ["event_id"], unique=False)
    op.create_index(op.f("ix_calendar_ext_conflict_link_id"), "calendar_ext_conflict", ["link_id"], unique=False)
    op.create_table(
        "calendar_ext_operation",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.CHAR(length=22), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("calendar_id", KEY, nullable=True),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("link_id", KEY, nullable=True),
        sa.Column("target", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=48), nullable=False),
        sa.Column("idempotency_key", sa.String(length=96), nullable=False),
        sa.Column("patch", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("error_class", sa.String(length=64), nullable=False),
        sa.Column("error_text", sa.String(length=512), nullable=False),
        sa.Column("request_id", sa.String(length=96), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("notifies", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_operation")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_calendar_ext_operation_idempotency_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_calendar_ext_operation_public_id")),
    )
    op.create_index(
        op.f("ix_calendar_ext_operation_account_id_state_next_at"),
        "calendar_ext_operation",
        ["account_id", "state", "next_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_calendar_ext_operation_event_id_id"), "calendar_ext_operation", ["event_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_calendar_ext_operation_link_id_id"), "calendar_ext_operation", ["link_id", "id"], unique=False
    )
    op.create_index(op.f("ix_calendar_ext_operation_run_id"), "calendar_ext_operation", ["run_id"], unique=False)
    op.create_table(
        "calendar_ext_run",
        sa.Column("id", KEY, sa.Identity(), nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("stop_reason", sa.String(length=48), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("approved_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_ext_run")),
    )
    op.create_index(op.f("ix_calendar_ext_run_account_id_id"), "calendar_ext_run", ["account_id", "id"], unique=False)
    # ### end Alembic commands ###
