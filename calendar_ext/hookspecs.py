"""Every hook: what the host fires, what we ask the host, what we tell anyone.

One pluggy project, `calendar_ext`. Call by keyword with every argument of the spec; implement with the arguments you
want. Payloads are the frozen dataclasses of `calendar_ext.contract`.
"""

from __future__ import annotations

import pluggy

#: The name hosts and listeners make their own markers with.
PROJECT = "calendar_ext"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# ── What the host fires ──────────────────────────────────────────────────────────────────────────────────────────
# Inside the host's transaction, after its flush (the id exists) and before its commit: what we write commits or rolls
# back with it. We insert one row and do nothing else; we never raise.


@hookspec
def appointment_created(session, appointment, actor_id, origin):
    """An appointment was created.

    :param session: the host's session; None from a host that can only fire after its commit.
    :param appointment: a `contract.Appointment`; its `version` grows with every change.
    :param actor_id: who did it; None if the system did.
    :param origin: what `host_apply_appointment` was given, when the change came from there; else None.
    """


@hookspec
def appointment_updated(session, appointment, changes, actor_id, origin):
    """An appointment changed. `changes` maps field name to `(old, new)`; same transaction rule as above."""


@hookspec
def appointment_cancelled(session, appointment, reason, actor_id, origin):
    """An appointment was cancelled or deleted; the object still carries its last values."""


@hookspec
def activity_created(session, activity, actor_id, origin):
    """An activity was added; a `contract.Activity` with a time stands in the Activities panel."""


@hookspec
def activity_updated(session, activity, actor_id, origin):
    """An activity changed."""


@hookspec
def activity_deleted(session, activity, actor_id, origin):
    """An activity was removed; the object still carries its last values."""


@hookspec
def contact_changed(session, contact):
    """A `contract.Contact` was created, merged, or changed name or address: guests are matched again."""


@hookspec
def user_changed(session, user):
    """A user's address, zone, language or organisation changed; `user` is a `contract.OwnerProfile`."""


@hookspec
def user_deleted(session, user_id):
    """A user is about to be deleted: their connections end and what we stored for them is removed."""


# Rendering: values in, the host draws. None of these touches a provider.


@hookspec
def account_tabs(user):
    """Return `contract.Tab`s for My Account of this Flask-Login user; empty while inactive."""


@hookspec
def navigation(user):
    """Return `contract.Tab`s for the host's main menu; empty while inactive."""


@hookspec
def admin_pages(user):
    """Return `contract.Tab`s for the host's administration menu."""


@hookspec
def activity_panels(user):
    """Return `contract.Panel`s for the host's Activities page."""


@hookspec
def appointment_panels(user, appointment):
    """Return `contract.Panel`s for one appointment's page."""


@hookspec
def staff_panels(user, staff_user):
    """Return `contract.Panel`s for a colleague's card."""


# The marketplace's buttons: each runs its operation of the lifecycle and returns a `contract.OperationResult`.


@hookspec(firstresult=True)
def extension_install(app, actor_id, options, accepted_permissions):
    """Make the tables and default settings. `accepted_permissions`: ids the administrator agreed to."""


@hookspec(firstresult=True)
def extension_activate(app, actor_id, options):
    """Open the gate in every process; while it is open, change the options that differ.

    :param options: may hold `scheduler_active`, `accept_fees`, `tell_colleagues`.
    """


@hookspec(firstresult=True)
def extension_deactivate(app, actor_id):
    """Close the gate in every process; nothing is deleted."""


@hookspec(firstresult=True)
def extension_upgrade(app, actor_id, from_version):
    """Bring the tables to the version of the installed package."""


@hookspec(firstresult=True)
def extension_uninstall(app, actor_id, data):
    """Revoke every sign-in, then `keep`, `export_then_delete` or `delete` what is stored."""


# ── What we ask the host; the first answer that is not None counts ───────────────────────────────────────────────


@hookspec(firstresult=True)
def host_get_user(user_id):
    """Return the `contract.OwnerProfile` of a user. Required."""


@hookspec(firstresult=True)
def host_get_appointment(appointment_id):
    """Return the `contract.Appointment` as it is now, cancelled ones included; None if it never was. Required."""


@hookspec(firstresult=True)
def host_list_appointments(user_id, changed_since, cursor, limit):
    """Return a `contract.AppointmentPage` of the user's appointments in a stable order. Required.

    :param changed_since: aware datetime, or None for all; cancelled ones are included when it is given.
    :param cursor: from the page before, or None; opaque to us.
    """


@hookspec(firstresult=True)
def host_apply_appointment(session, user_id, draft, expected_version, origin):
    """Write a `contract.AppointmentDraft` in `session`; flush, do not commit. Required.

    The hooks it makes the host fire carry `origin`.

    :returns: `contract.Applied`, or `contract.Conflict` if the appointment is no longer at `expected_version`.
    """


@hookspec(firstresult=True)
def host_has_permission(user_id, permission):
    """Return whether the user has one of our permissions (`calendar.view`, `calendar.connect`, ...). Required."""


@hookspec(firstresult=True)
def host_base_url():
    """Return the host's own public address, `https://crm.example`; redirect addresses are built from it. Required."""


@hookspec(firstresult=True)
def host_find_contacts(user_id, emails):
    """Return `contract.Contact`s this user may see, for some of the addresses."""


@hookspec(firstresult=True)
def host_log_activity(session, user_id, entry, dedupe_key):
    """Put one entry on the timeline; the same key twice is one entry. Return True if taken."""


@hookspec(firstresult=True)
def host_notify_user(user_id, kind, params):
    """Tell a user something inside the host (`reconnect_needed`, ...). Return True if taken over."""


@hookspec(firstresult=True)
def host_send_mail(message):
    """Send a `contract.MailMessage`; return True if taken over. Without an implementation nothing is sent."""


@hookspec(firstresult=True)
def host_busy_times(user_id, span):
    """Return `(start, end)` aware datetimes only the host knows to be busy: rosters, leave, rooms."""


@hookspec(firstresult=True)
def host_list_users(tenant_id):
    """Return the `contract.OwnerProfile`s of one organisation, for the invitation to colleagues."""


@hookspec(firstresult=True)
def host_portal_users(query):
    """Return portal users who may read a secured link."""


@hookspec(firstresult=True)
def host_portal_login(login, password):
    """Check a portal user's password; return their id or None."""


# ── What we tell anyone: after commit; a listener that fails is logged and ignored ───────────────────────────────


@hookspec
def calendar_connection_changed(connection, old, new):
    """A connection's state changed. `connection` is its public id; `old` and `new` are states of docs/states.md."""


@hookspec
def calendar_sync_finished(connection, summary):
    """A run that changed something ended; `summary` has `pulled`, `pushed`, `conflicts`, `refused`."""


@hookspec
def calendar_event_changed(connection, change):
    """One event was created, updated or deleted by a sync; `change` has `kind`, `event`, `appointment`."""


@hookspec
def calendar_conflict_found(connection, conflict):
    """Both sides changed the same field; `conflict` has `event`, `field`, `winner`."""


@hookspec
def calendar_booking_confirmed(booking):
    """Somebody booked a time."""


@hookspec
def calendar_booking_cancelled(booking):
    """A booking was cancelled."""
