"""Copy this if you like: what the extension tells anyone after its commits. Listen to all of it, or to none."""

from __future__ import annotations

import logging
from typing import Any

from calendar_ext.hookspecs import hookimpl

log = logging.getLogger("harbor.news")


class News:
    """Counts in the log, by public id; titles and addresses stay where they are."""

    @hookimpl
    def calendar_connection_changed(self, connection: str, old: str, new: str) -> None:
        log.info("Connection %s: %s, was %s.", connection, new, old)

    @hookimpl
    def calendar_sync_finished(self, connection: str, summary: dict[str, Any]) -> None:
        log.info("Connection %s: %s brought in, %s sent.", connection, summary.get("pulled"), summary.get("pushed"))

    @hookimpl
    def calendar_event_changed(self, connection: str, change: dict[str, Any]) -> None:
        log.debug("Connection %s: an event was %s.", connection, change.get("kind"))

    @hookimpl
    def calendar_conflict_found(self, connection: str, conflict: dict[str, Any]) -> None:
        log.info("Connection %s: both sides changed %s.", connection, conflict.get("field"))

    @hookimpl
    def calendar_booking_confirmed(self, booking: Any) -> None:
        log.info("A time was booked.")

    @hookimpl
    def calendar_booking_cancelled(self, booking: Any) -> None:
        log.info("A booking was cancelled.")
