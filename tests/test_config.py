"""`CALENDAR_EXT_*`: read once, and every bad value gives a sentence that names the key and not the value."""

from __future__ import annotations

from typing import Any

import pytest

from calendar_ext import config
from calendar_ext.config import BadSetting, Config
from calendar_ext.limits import Limits
from calendar_ext.persistence.vault import Secret


def read(environ: dict[str, str] | None = None, **settings: Any) -> Config:
    return config.load({f"CALENDAR_EXT_{name}": value for name, value in settings.items()}, environ or {})


def test_nothing_set_is_a_working_configuration() -> None:
    assert read().url_prefix == "/calendar"
    assert read().limits == Limits()
    assert not read().encryption_keys


def test_other_people_s_keys_are_none_of_our_business() -> None:
    assert config.load({"SECRET_KEY": 1, "CALENDAR_OTHER": "x"}, {}).url_prefix == "/calendar"


def test_what_the_host_sets_wins_over_the_environment() -> None:
    environ = {"CALENDAR_EXT_HOST_NAME": "From outside", "CALENDAR_EXT_HELP_CONTACT": "help@example.test"}
    read_config = read(environ, HOST_NAME="Acme")
    assert (read_config.host_name, read_config.help_contact) == ("Acme", "help@example.test")


def test_values_come_from_the_environment_as_text() -> None:
    environ = {
        "CALENDAR_EXT_STATE_TTL": "0.5",
        "CALENDAR_EXT_LIMITS": '{"poll_seconds": 600, "sqlite_rest_factor": 2}',
        "CALENDAR_EXT_PLACES": '{"my_account": "My Data"}',
    }
    found = read(environ)
    assert (found.state_ttl, found.limits.poll_seconds, found.places) == (0.5, 600, {"my_account": "My Data"})
    assert isinstance(found.limits.sqlite_rest_factor, float)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("URL_PREFIX", "", "an address of its own"),
        ("URL_PREFIX", "/", "an address of its own"),
        ("URL_PREFIX", "calendar", "an address of its own"),
        ("URL_PREFIX", "/<tenant>", "an address of its own"),
        ("ENGINE", "celery", "one of apscheduler, inline"),
        ("SCHEDULER", "on", "one of auto, process, off"),
        ("STATE_TTL", "soon", "a number of seconds"),
        ("STATE_TTL", -1, "between 0 and 60"),
        ("LIMITS", "poll=5", "a mapping"),
        ("LIMITS", ["poll"], "a mapping"),
        ("LIMITS", {"pol_seconds": 5}, "'pol_seconds' is none"),
        ("LIMITS", {"poll_seconds": "5"}, "poll_seconds is not"),
        ("LIMITS", {"poll_seconds": True}, "poll_seconds is not"),
        ("LIMITS", {"poll_seconds": -1}, "poll_seconds is not"),
        ("HOST_NAME", 5, "a text"),
        ("ENCRYPTION_KEYS", b"bytes", "a text"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_key(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(BadSetting, match=f"CALENDAR_EXT_{name}") as caught:
        read(**{name: value})
    assert wanted in str(caught.value)


def test_a_misspelt_key_is_an_error_and_not_silently_without_effect() -> None:
    with pytest.raises(BadSetting, match="CALENDAR_EXT_ENCRYPTION_KEY "):
        read(ENCRYPTION_KEY="x")


def test_no_secret_shows_itself() -> None:
    found = read(ENCRYPTION_KEYS="k1:canary", GOOGLE_CLIENT_SECRET=Secret("canary"))
    assert "canary" not in repr(found)
    assert found.google_client_secret.reveal() == "canary"
