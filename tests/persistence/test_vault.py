"""Secrets at rest (trust.md T-11, T-12, T-15)."""

from __future__ import annotations

import base64
import json
import pickle
from dataclasses import replace
from itertools import permutations

import pytest
from flask import Flask
from markupsafe import escape

from calendar_ext.errors import KeyMissing, Refused
from calendar_ext.persistence.vault import Secret, Vault, new_key, parse_keys
from calendar_ext.sync.ports.running import Sealed

KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
CANARY = "1//canary-refresh-token"
PLACE = ("tenant", "account", "oauth")


def vault(keys: str = KEY, installation: str = "installation-one") -> Vault:
    return Vault(Secret(keys), lambda: installation)


def test_what_is_sealed_opens_again_in_its_place() -> None:
    assert vault().open(vault().seal(CANARY, *PLACE), *PLACE) == CANARY


def test_the_same_value_never_looks_the_same() -> None:
    one, two = vault().seal(CANARY, *PLACE), vault().seal(CANARY, *PLACE)
    assert one.ciphertext != two.ciphertext
    assert one.wrapped_dek != two.wrapped_dek
    assert CANARY.encode() not in one.packed()


def test_nothing_opens_in_another_place() -> None:
    places = [(tenant, account, kind) for tenant in "ab" for account in "cd" for kind in ("access", "refresh")]
    sealed = {place: vault().seal(CANARY, *place) for place in places}
    for mine, theirs in permutations(places, 2):
        with pytest.raises(Refused):
            vault().open(sealed[mine], *theirs)


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    sealed = vault().seal(CANARY, "ab", "c", "oauth")
    with pytest.raises(Refused):
        vault().open(sealed, "a", "bc", "oauth")


def test_a_copy_of_the_database_in_another_installation_opens_nothing() -> None:
    with pytest.raises(Refused):
        vault(installation="installation-two").open(vault().seal(CANARY, *PLACE), *PLACE)


@pytest.mark.parametrize("column", ["ciphertext", "wrapped_dek"])
def test_one_changed_bit_is_noticed(column: str) -> None:
    sealed = vault().seal(CANARY, *PLACE)
    value = bytearray(getattr(sealed, column))
    value[-1] ^= 1
    with pytest.raises(Refused):
        vault().open(replace(sealed, **{column: bytes(value)}), *PLACE)


def test_keys_are_not_mixed_between_two_secrets() -> None:
    one, two = vault().seal("one", *PLACE), vault().seal("two", *PLACE)
    with pytest.raises(Refused):
        vault().open(replace(one, ciphertext=two.ciphertext), *PLACE)


def test_the_newest_key_seals_and_the_older_ones_still_open() -> None:
    old = vault().seal(CANARY, *PLACE)
    both = vault(f"{new_key()},{KEY}")
    assert both.open(old, *PLACE) == CANARY
    assert both.seal(CANARY, *PLACE).key_id == both.key_ids()[0] != "k1"


def test_a_key_that_was_taken_away_is_named_by_its_id_alone() -> None:
    with pytest.raises(KeyMissing, match="'k1'"):
        vault(new_key()).open(vault().seal(CANARY, *PLACE), *PLACE)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "Set CALENDAR_EXT_ENCRYPTION_KEYS"),
        (" , ", "Set CALENDAR_EXT_ENCRYPTION_KEYS"),
        ("just-a-password", "Key 1 of CALENDAR_EXT_ENCRYPTION_KEYS is not of the form id:base64"),
        ("k1:%%%", "is not base64"),
        (f"{KEY},k2:c2hvcnQ=", "Key 2 of CALENDAR_EXT_ENCRYPTION_KEYS has 5 bytes instead of 32"),
    ],
)
def test_without_a_usable_key_nothing_is_sealed_and_the_sentence_says_what_to_set(keys: str, said: str) -> None:
    with pytest.raises(KeyMissing) as caught:
        vault(keys).seal(CANARY, *PLACE)
    assert said in f"{caught.value} {caught.value.remedy}"
    assert "flask calendar keys new" in str(caught.value)
    with pytest.raises(KeyMissing):
        vault(keys).ready()


def test_a_malformed_key_is_not_quoted() -> None:
    with pytest.raises(KeyMissing) as caught:
        vault("k1:c2VjcmV0LXNob3J0").ready()
    assert "c2VjcmV0" not in repr(caught.value) + str(caught.value.__dict__)


def test_a_new_key_is_good() -> None:
    (key,) = parse_keys(new_key())
    assert len(key.material) == 32
    assert key.material.hex() not in repr(key)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", str(escape(secret)), json.dumps(secret, default=str)]
    shown += [repr(pickle.dumps(secret)), repr([secret]), Flask("test").json.dumps({"secret": secret})]
    assert not [text for text in shown if CANARY in text]
    assert pickle.loads(pickle.dumps(secret)).reveal() == "***"
    assert secret.reveal() == CANARY
    assert secret and not Secret("")


def test_a_sealed_value_is_quiet_too() -> None:
    assert "ciphertext" not in repr(Sealed(b"x", b"y", "k1"))
