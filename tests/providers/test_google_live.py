"""The same adapter against the real Google; needs an access token with the scopes of `SCOPES` and a calendar to use.

`CALENDAR_EXT_LIVE_GOOGLE_TOKEN` and `CALENDAR_EXT_LIVE_GOOGLE_CALENDAR`; what is made there is deleted again.
"""

from __future__ import annotations

import os
import secrets
import time

import pytest

from calendar_ext.errors import EtagMismatch, Gone
from calendar_ext.providers.google import GoogleType
from calendar_ext.providers.google.api import GoogleProvider
from calendar_ext.providers.http import Transport

from ..contracts.provider import SECOND, timed, weekly
from .loopback import Tokens

TOKEN = os.environ.get("CALENDAR_EXT_LIVE_GOOGLE_TOKEN", "")
CALENDAR = os.environ.get("CALENDAR_EXT_LIVE_GOOGLE_CALENDAR", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (TOKEN and CALENDAR), reason="no Google account is named in the environment"),
]


@pytest.fixture
def account() -> GoogleProvider:
    return GoogleType(Transport(), None, time.time).open(Tokens(TOKEN))


def test_an_event_is_made_changed_found_and_deleted(account: GoogleProvider) -> None:
    cursor = [page.cursor for page in account.changes(CALENDAR, None)][-1]
    key = secrets.token_hex(13)
    made = account.create(CALENDAR, timed(title="Live", marker=("live", "1")), idempotency_key=key)
    again = account.create(CALENDAR, timed(title="Live", marker=("live", "1")), idempotency_key=key)
    assert again.remote_id == made.remote_id == key
    changed = account.update(CALENDAR, key, timed(title="Changed"), fields=["title"], etag=made.etag)
    with pytest.raises(EtagMismatch):
        account.update(CALENDAR, key, timed(title="Stale"), fields=["title"], etag=made.etag)
    assert key in {row["remote_id"] for page in account.changes(CALENDAR, cursor) for row in page.rows}
    account.delete(CALENDAR, key, etag=changed.etag)
    with pytest.raises(Gone):
        account.create(CALENDAR, timed(title="Live"), idempotency_key=key)


def test_an_occurrence_is_found_and_cancelled(account: GoogleProvider) -> None:
    key = secrets.token_hex(13)
    account.create(CALENDAR, weekly(), idempotency_key=key)
    try:
        found = account.occurrence(CALENDAR, key, SECOND)
        account.delete(CALENDAR, found.remote_id, etag=None)
        with pytest.raises(Gone):
            account.occurrence(CALENDAR, key, SECOND)
    finally:
        account.delete(CALENDAR, key, etag=None)
