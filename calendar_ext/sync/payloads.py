"""A host's record as the JSON of `host_change.payload`, and back: what a hook writes is what dispatch reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.fingerprint import content, event_from_content
from .ports.host import HostRecord


def payload_of(record: HostRecord) -> dict[str, Any]:
    """Return a record as plain JSON values; `kind`, `ref` and `version` have columns of their own."""
    return {
        "owners": list(record.owners),
        "event": content(record.event) if record.event else None,
        "cancelled": record.cancelled,
        "invite_guests": record.invite_guests,
        "url": record.url,
        "facts": record.facts,
    }


def record_of(kind: str, ref: str, version: int, payload: Mapping[str, Any]) -> HostRecord:
    """Return the record `payload_of` was given."""
    event = payload.get("event")
    return HostRecord(
        kind=kind,
        ref=ref,
        version=version,
        owners=tuple(payload.get("owners", ())),
        event=event_from_content(event) if event else None,
        cancelled=bool(payload.get("cancelled")),
        invite_guests=bool(payload.get("invite_guests")),
        url=payload.get("url", ""),
        facts=dict(payload.get("facts", {})),
    )
