"""`CALENDAR_EXT_*`, read once into one frozen value. docs/settings.md has a row for each; a test compares.

A key stands in the host's `app.config`; where it is not there, the environment variable of the same name is taken. A
value that cannot be used gives one sentence that names the key, never the value: it may be a secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .errors import CalendarExtError
from .limits import Limits
from .persistence.vault import Secret

PREFIX = "CALENDAR_EXT_"


class BadSetting(CalendarExtError):
    """A setting cannot be used."""


@dataclass(frozen=True, slots=True)
class Config:
    """What an administrator may set. The default is what applies where a key is absent."""

    #: `id:base64(32 bytes)`, comma-separated, newest first.
    encryption_keys: Secret = field(default_factory=lambda: Secret(""))
    google_client_id: str = ""
    google_client_secret: Secret = field(default_factory=lambda: Secret(""))
    #: The bind that holds the host's appointments; '' = the default engine.
    bind_key: str = ""
    url_prefix: str = "/calendar"
    #: apscheduler, inline
    engine: str = "apscheduler"
    #: auto, process, off
    scheduler: str = "auto"
    #: Seconds a process may show a state that another one has changed; 0 = read at start only.
    state_ttl: float = 2.0
    limits: Limits = field(default_factory=Limits)
    #: What people call the host.
    host_name: str = "your application"
    base_template: str = ""
    block: str = "content"
    #: Names of the host's places in our texts: my_account, settings_tab, maintenance, …
    places: Mapping[str, str] = field(default_factory=dict)
    #: accent, radius, font
    theme: Mapping[str, Any] = field(default_factory=dict)
    #: Mail address or web address people are told to ask.
    help_contact: str = ""
    #: Web address of the help pages; '' = ours.
    help_url: str = ""
    #: Folder for what an uninstall exports; '' = the host's instance folder.
    export_folder: str = ""

    def client_of(self, provider: str) -> tuple[str, Secret]:
        """Return id and secret of the application people sign in to a provider with; empty where none is set."""
        return getattr(self, f"{provider}_client_id", ""), getattr(self, f"{provider}_client_secret", Secret(""))


def load(settings: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration.

    :raises BadSetting: a value cannot be used, or a key of ours is misspelt; the message says which and what is wanted.
    """
    found = {name: value for name in _READERS if (value := _raw(name, settings, environ)) is not None}
    for key in settings:
        if key.startswith(PREFIX) and key not in KEYS | _NOT_OURS:
            raise BadSetting(f"{key} is not a setting of Calendar. Look in docs/settings.md for its name.", key=key)
    return Config(**{name: _READERS[name](PREFIX + name.upper(), value) for name, value in found.items()})


def _raw(name: str, settings: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    key = PREFIX + name.upper()
    return settings[key] if key in settings else environ.get(key)


def _bad(key: str, wanted: str) -> BadSetting:
    return BadSetting(f"{key} must be {wanted}.", key=key)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _bad(key, "a text")
    return value.strip()


def _secret(key: str, value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(_text(key, value))


def _prefix(key: str, value: Any) -> str:
    """An address of our own: the gate closes everything under it, so it cannot be the host's whole site."""
    text = _text(key, value).rstrip("/")
    if not text.startswith("/") or len(text) < 2 or "//" in text or "<" in text:
        raise _bad(key, "an address of its own such as /calendar; Calendar does not start without one")
    return text


def _seconds(key: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise _bad(key, "a number of seconds") from None
    if not 0 <= seconds <= 60:
        raise _bad(key, "between 0 and 60 seconds")
    return seconds


def _one_of(*choices: str) -> Callable[[str, Any], str]:
    def read(key: str, value: Any) -> str:
        if value not in choices:
            raise _bad(key, "one of " + ", ".join(choices))
        return str(value)

    return read


def _mapping(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _bad(key, "a mapping, or JSON of one") from None
    if not isinstance(value, Mapping):
        raise _bad(key, "a mapping")
    return dict(value)


def _limits(key: str, value: Any) -> Limits:
    kinds: dict[str, type] = {item.name: type(getattr(Limits(), item.name)) for item in fields(Limits)}
    changed = _mapping(key, value)
    for name, number in changed.items():
        if name not in kinds:
            raise _bad(key, f"names of calendar_ext/limits.py; {str(name)[:40]!r} is none")
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
            raise _bad(key, f"numbers of 0 or more; {name} is not")
    return replace(Limits(), **{name: kinds[name](number) for name, number in changed.items()})


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "encryption_keys": _secret,
    "google_client_id": _text,
    "google_client_secret": _secret,
    "bind_key": _text,
    "url_prefix": _prefix,
    "engine": _one_of("apscheduler", "inline"),
    "scheduler": _one_of("auto", "process", "off"),
    "state_ttl": _seconds,
    "limits": _limits,
    "host_name": _text,
    "base_template": _text,
    "block": _text,
    "places": _mapping,
    "theme": _mapping,
    "help_contact": _text,
    "help_url": _text,
    "export_folder": _text,
}
#: Every key, as an administrator writes it.
KEYS = frozenset(PREFIX + name.upper() for name in _READERS)
#: Read by others: the switch of the stand-ins from the environment alone, the tests' folder of contracts.
_NOT_OURS = {PREFIX + "ALLOW_STANDINS", PREFIX + "CONTRACTS"}
