"""Events as the text columns that keep a version of them: base, before, after, shadow."""

from __future__ import annotations

import json
from typing import Any

from ...domain.fingerprint import content, event_from_content
from ...domain.model import Event


def dumps(value: Any) -> str:
    """Return compact JSON with characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def packed(event: Event | None) -> str | None:
    """Return the column's text; None stays None."""
    return None if event is None else dumps(content(event))


def unpacked(text: str | None) -> Event | None:
    """Return the event of a column's text; None and '' are None."""
    return event_from_content(json.loads(text)) if text else None
