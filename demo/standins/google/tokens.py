"""Opaque page and sync tokens: base64url of a few facts. Clients must not look inside."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import orjson


def pack(facts: dict[str, Any]) -> str:
    """Return the token for some facts."""
    return base64.urlsafe_b64encode(orjson.dumps(facts)).decode().rstrip("=")


def unpack(token: str) -> dict[str, Any] | None:
    """Return the facts of a token, or None where it is not one of ours."""
    try:
        facts = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error):
        return None
    return facts if isinstance(facts, dict) else None


def digest(*parts: Any) -> str:
    """Return a short fingerprint of the parameters that must stay the same."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()
