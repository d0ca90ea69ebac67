"""Secrets at rest: AES-256-GCM, each under a key of its own that a configured key wraps (trust.md T-11).

Both layers are bound to the place they belong to (T-12): moved to another row, or another column, nothing opens. Only
the wrapping names the configured key, so that rotation wraps again and never touches the ciphertext. There is no
fallback: without a key nothing is sealed and nothing is opened.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import KeyMissing, Refused
from ..sync.ports.running import Sealed

SETTING = "CALENDAR_EXT_ENCRYPTION_KEYS"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = "1"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class Secret:
    """A value that shows itself to nobody: as text, in logs, in JSON and in pickles it is `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value; for the one call that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "***"

    def __html__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[Any, ...]:
        return Secret, ("***",)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One configured key."""

    id: str
    material: bytes = field(repr=False)


def new_key() -> str:
    """Return a fresh entry for the setting, under a random id."""
    return f"k{os.urandom(3).hex()}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def parse_keys(text: str) -> tuple[MasterKey, ...]:
    """Return the keys of the setting, newest first.

    :raises KeyMissing: there is none, or one is malformed; the message names the entry by its number, never its text.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise KeyMissing(remedy=f"Set {SETTING}.")
    return tuple(_parse(entry, number) for number, entry in enumerate(entries, 1))


def _parse(entry: str, number: int) -> MasterKey:
    name, _, encoded = entry.partition(":")
    if not _KEY_ID.match(name) or not encoded:
        raise _unusable(number, "is not of the form id:base64")
    try:
        material = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable(number, "is not base64") from None
    if len(material) != _KEY_BYTES:
        raise _unusable(number, f"has {len(material)} bytes instead of {_KEY_BYTES}")
    return MasterKey(name, material)


def _unusable(number: int, what: str) -> KeyMissing:
    return KeyMissing(f"Key {number} of {SETTING} {what}; `flask calendar keys new` prints a good one.")


class Vault:
    """Answers `sync.ports.running.Vault`.

    :param keys: the setting's text; read when a secret is first sealed or opened, so that pages serve without it.
    :param installation: returns the installation's public id, which every secret is bound to.
    """

    def __init__(self, keys: Secret, installation: Callable[[], str]) -> None:
        self._text = keys
        self._installation = installation
        self._keys: tuple[MasterKey, ...] = ()

    def ready(self) -> None:
        """Return if a secret could be sealed; else raise `KeyMissing`."""
        self._ring()

    def key_ids(self) -> tuple[str, ...]:
        """Return the ids of the configured keys, newest first."""
        return tuple(key.id for key in self._ring())

    def seal(self, plaintext: str, *place: str) -> Sealed:
        """Return `plaintext` sealed for `place`, under the newest key."""
        key = self._ring()[0]
        data_key = AESGCM.generate_key(256)
        ciphertext = _encrypt(data_key, plaintext.encode(), self._bound("data", *place))
        return Sealed(ciphertext, _encrypt(key.material, data_key, self._bound("key", *place, key.id)), key.id)

    def open(self, sealed: Sealed, *place: str) -> str:
        """Return the plaintext, or raise `KeyMissing` or `Refused`."""
        key = next((key for key in self._ring() if key.id == sealed.key_id), None)
        if key is None:
            raise KeyMissing(f"{SETTING} no longer has the key {sealed.key_id!r} that sign-ins were sealed with.")
        try:
            data_key = _decrypt(key.material, sealed.wrapped_dek, self._bound("key", *place, key.id))
            return _decrypt(data_key, sealed.ciphertext, self._bound("data", *place)).decode()
        except (InvalidTag, ValueError):
            raise Refused("A stored sign-in could not be opened.", reason="sealed_elsewhere") from None

    def _ring(self) -> tuple[MasterKey, ...]:
        if not self._keys:
            self._keys = parse_keys(self._text.reveal())
        return self._keys

    def _bound(self, layer: str, *place: str) -> bytes:
        """Return the associated data: every part behind its length, so that no two places read alike."""
        parts = [part.encode() for part in ("calendar_ext", _FORMAT, layer, self._installation(), *place)]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
