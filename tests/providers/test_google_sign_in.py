"""A whole sign-in at the stand-in, page by page, and what the grant is good for afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from calendar_ext.errors import AuthorizationExpired, SignInFailed
from calendar_ext.providers.base import Authorization, Grant, OAuthClient, Token
from calendar_ext.providers.google import GoogleType
from calendar_ext.providers.google.auth import CALENDARS, EVENTS
from demo.standins.google import Standin, serve

from .google_standin import ENDPOINTS, MIRA, NOW, transport_to

CLIENT = OAuthClient("demo-client", "demo-secret")
BACK = "http://127.0.0.1:5000/calendar/oauth/google/callback"


@pytest.fixture
def standin() -> Iterator[Standin]:
    with serve(clock=lambda: NOW) as standin:
        yield standin


@pytest.fixture
def google(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> GoogleType:
    monkeypatch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")
    return GoogleType(transport_to(standin), ENDPOINTS, lambda: NOW)


class Person:
    """A browser and somebody in front of it."""

    def __init__(self, google: GoogleType, **how: bool) -> None:
        self.google = google
        self.asked: Authorization = google.authorization(CLIENT, redirect_uri=BACK, state="s1", nonce="n1", **how)

    def answers(self, *scopes: str, decision: str = "allow") -> dict[str, str]:
        """Choose the account, sign in, consent; return what the browser brings back."""
        with requests.Session() as browser:
            page = browser.get(self.asked.url)
            page = browser.post(page.url, {"email": MIRA})
            page = browser.post(page.url, {"password": "any"}, allow_redirects=False)
            if page.headers["Location"].startswith("/"):
                consent = browser.get(f"{self.asked.url.partition('/o/')[0]}{page.headers['Location']}")
                form = {"decision": decision, "scope": list(scopes)}
                page = browser.post(consent.url, form, allow_redirects=False)
        where = urlsplit(page.headers["Location"])
        assert f"{where.scheme}://{where.netloc}{where.path}" == BACK
        return {name: values[0] for name, values in parse_qs(where.query).items()}

    def grant(self, *scopes: str) -> Grant:
        """Sign in and exchange the code."""
        back = self.answers(*scopes)
        assert back["state"] == "s1"
        return self.google.exchange(
            CLIENT, code=back["code"], verifier=self.asked.verifier, redirect_uri=BACK, nonce="n1"
        )


class Kept:
    """The one token of an account."""

    def __init__(self, google: GoogleType, token: Token) -> None:
        self.google, self.token = google, token

    def current(self) -> Token:
        return self.token

    def renew(self, stale: Token) -> Token:
        self.token = self.google.refresh(CLIENT, stale)
        return self.token


def test_a_person_signs_in_and_the_account_opens(google: GoogleType, standin: Standin) -> None:
    grant = Person(google).grant(CALENDARS, EVENTS)
    assert (grant.email, grant.missing) == (MIRA, ())
    account = google.open(Kept(google, grant.token), subject=grant.subject)
    assert MIRA in [calendar.remote_id for calendar in account.calendars()]
    standin.control("expire_access_tokens")
    assert account.calendars()
    google.revoke(CLIENT, grant.token)
    with pytest.raises(AuthorizationExpired):
        account.calendars()


def test_an_unticked_permission_is_missing(google: GoogleType) -> None:
    assert Person(google).grant(CALENDARS).missing == (EVENTS,)


def test_a_person_who_says_no_comes_back_without_a_code(google: GoogleType) -> None:
    assert Person(google).answers(decision="deny") == {"error": "access_denied", "state": "s1"}


def test_the_second_sign_in_brings_a_refresh_token_only_where_consent_is_asked_again(google: GoogleType) -> None:
    assert Person(google).grant(CALENDARS, EVENTS).token.refresh
    assert not Person(google).grant(CALENDARS, EVENTS).token.refresh
    assert Person(google, again=True).grant(CALENDARS, EVENTS).token.refresh


@pytest.mark.parametrize("change", [{"verifier": "another" * 9}, {"code": "another"}, {"redirect_uri": f"{BACK}/x"}])
def test_a_code_is_nothing_without_all_that_belongs_to_it(google: GoogleType, change: dict[str, str]) -> None:
    person = Person(google)
    back = person.answers(CALENDARS, EVENTS)
    kept = {"code": back["code"], "verifier": person.asked.verifier, "redirect_uri": BACK, **change}
    with pytest.raises(SignInFailed) as failure:
        google.exchange(CLIENT, nonce="n1", **kept)
    assert failure.value.reason == "code_refused"


def test_a_code_is_good_once(google: GoogleType) -> None:
    person = Person(google)
    back = person.answers(CALENDARS, EVENTS)
    how = {"code": back["code"], "verifier": person.asked.verifier, "redirect_uri": BACK, "nonce": "n1"}
    google.exchange(CLIENT, **how)
    with pytest.raises(SignInFailed):
        google.exchange(CLIENT, **how)
