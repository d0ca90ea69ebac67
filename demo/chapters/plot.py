"""The main story, in order. A name never changes: `out.json` is read by others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import Step, marketplace, syncing
from .cast import Cast

#: The host's settings for `--once`: menus as older products have them, and calendars read every other second.
SETTINGS: dict[str, Any] = {
    "HOST_MENUS_AT_SIGN_IN": True,
    "CALENDAR_EXT_LIMITS": {"poll_seconds": syncing.POLL_SECONDS, "open_page_wake_seconds": 1},
}
#: What the rest of the story stands on.
ESSENTIAL = {"installed", "activated", "connected", "first_sync_complete"}


def _deactivated(cast: Cast) -> str:
    detail = marketplace.deactivate(cast)
    syncing.change_while_off(cast)
    return detail


def _reactivated(cast: Cast) -> str:
    marketplace.reactivate(cast)
    return syncing.catches_up(cast)


MAIN: dict[str, Callable[[Cast], str]] = {
    "installed": marketplace.install,
    "activated": marketplace.activate,
    "tab_after_new_login": marketplace.menu_after_new_login,
    "tab_visible": marketplace.tab_is_visible,
    "unsynchronised_under_activities": syncing.only_in_the_host,
    "activity_event_seen": syncing.planned_activity,
    "connected": syncing.connect,
    "first_sync_complete": syncing.first_sync,
    "first_sync_notified_nobody": syncing.notified_nobody,
    "provider_create_seen": syncing.provider_create,
    "provider_update_seen": syncing.provider_update,
    "provider_delete_seen": syncing.provider_delete,
    "host_create_pushed": syncing.host_create,
    "host_update_pushed": syncing.host_update,
    "host_cancel_pushed": syncing.host_cancel,
    "occurrence_moved_both_ways": syncing.occurrence_both_ways,
    "second_pass_zero_writes": syncing.nothing_to_write,
    "token_expired_refreshed": syncing.token_expired,
    "sync_token_410_recovered": syncing.sync_token_gone,
    "background_job_synced": syncing.background_job,
    "auto_sync_paused_resumed": syncing.auto_sync,
    "deactivated_404": _deactivated,
    "reactivated_catches_up": _reactivated,
    "status_sentence_only_while_true": syncing.sentence_only_while_true,
    "calendar_switched": syncing.switch_calendar,
    "uninstalled_clean": marketplace.uninstall,
}


def main(cast: Cast) -> list[Step]:
    """Return the steps of the main story."""
    return [Step(name, partial(act, cast), name in ESSENTIAL) for name, act in MAIN.items()]
