"""Sign-in, consent, tokens and their ends, driven by requests-oauthlib through the product's transport."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from oauthlib.oauth2 import InvalidClientError, InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth2Session

from demo.standins.google import Standin
from demo.standins.google.oauth import challenge_of
from demo.standins.transport import StandinTransport

from .browser import Browser
from .conftest import Clock

REMOTE = "https://google.standin.invalid"
REDIRECT = "http://127.0.0.1:5000/calendar/oauth/google/callback"
LISTS = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
EVENTS = "https://www.googleapis.com/auth/calendar.events"
SCOPES = ["openid", "email", LISTS, EVENTS]


class Application:
    """A client application: its transport, its secrets, and one attempt at a time."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.transport = StandinTransport({"google": standin.base_url})
        self.verifier = secrets.token_urlsafe(64)
        self.state = secrets.token_urlsafe(8)

    def session(self, **kwargs: Any) -> OAuth2Session:
        """Return a requests-oauthlib session that reaches the stand-in."""
        return self.transport.prepare(OAuth2Session("demo-client", redirect_uri=REDIRECT, **kwargs))

    def address(self, scopes: list[str] | None = None, **more: str) -> str:
        """Return where the browser is sent."""
        url, _ = self.session(scope=scopes or SCOPES).authorization_url(
            f"{REMOTE}/o/oauth2/v2/auth",
            state=self.state,
            **{
                "access_type": "offline",
                "nonce": "n-1",
                "code_challenge": challenge_of(self.verifier),
                "code_challenge_method": "S256",
                **more,
            },
        )
        return self.transport.browser_url(url)

    def consented(self, *, email: str = "mira@example.test", untick: str = "", **more: str) -> dict[str, str]:
        """Sign in, consent but for one scope, and return what the callback is given."""
        browser = Browser(self.standin.base_url).sign_in(self.address(**more), email)
        if not browser.page.is_redirect:
            ticked = [scope for scope in (LISTS, EVENTS) if scope != untick]
            sent = [("scope", scope) for scope in ticked]
            browser.post(browser.page.url, [*sent, ("decision", "allow")])
        return given(browser.sent_to)

    def token(self, code: str, **more: Any) -> dict[str, Any]:
        """Exchange a code."""
        facts = {"client_secret": "demo-secret", "include_client_id": True, "code_verifier": self.verifier, **more}
        return self.session().fetch_token(f"{REMOTE}/token", code=code, **facts)

    def refreshed(self, refresh_token: str) -> dict[str, Any]:
        """Refresh."""
        return self.session().refresh_token(
            f"{REMOTE}/token", refresh_token=refresh_token, client_id="demo-client", client_secret="demo-secret"
        )

    def calendars(self, access_token: str) -> requests.Response:
        """Ask the API something."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{self.standin.base_url}/calendar/v3/users/me/calendarList", headers=headers)


def given(url: str) -> dict[str, str]:
    """Return the query of a callback address."""
    assert url.startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def application(standin: Standin) -> Application:
    """Return a client application."""
    return Application(standin)


def test_a_sign_in_ends_with_tokens_that_work(application: Application) -> None:
    callback = application.consented()
    assert callback["state"] == application.state
    token = application.token(callback["code"])
    assert token["scope"] == ["openid", "https://www.googleapis.com/auth/userinfo.email", LISTS, EVENTS]
    assert token["expires_in"] == 3599
    assert application.calendars(token["access_token"]).status_code == 200
    claims = json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[1] + "=="))
    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["aud"], claims["nonce"], claims["email"]) == ("demo-client", "n-1", "mira@example.test")
    assert claims["exp"] > claims["iat"]
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    about = requests.get(f"{application.standin.base_url}/v1/userinfo", headers=headers).json()
    assert about == {"sub": claims["sub"], "email": "mira@example.test", "email_verified": True}


def test_a_code_needs_its_own_verifier_address_and_secret_and_works_once(application: Application) -> None:
    code = application.consented()["code"]
    with pytest.raises(InvalidGrantError):
        application.token(code, code_verifier="another" * 8)
    with pytest.raises(InvalidClientError):
        application.token(code, client_secret="guessed")
    other = application.session()
    other.redirect_uri = "http://127.0.0.1:5000/elsewhere"
    with pytest.raises(OAuth2Error, match="redirect_uri_mismatch"):
        other.fetch_token(
            f"{REMOTE}/token",
            code=code,
            client_secret="demo-secret",
            include_client_id=True,
            code_verifier=application.verifier,
        )
    assert application.token(code)["access_token"]
    with pytest.raises(InvalidGrantError):
        application.token(code)


def test_a_code_is_good_for_ten_minutes(application: Application, clock: Clock) -> None:
    code = application.consented()["code"]
    clock.seconds += 601
    with pytest.raises(InvalidGrantError):
        application.token(code)


def test_an_unticked_scope_is_not_granted(application: Application) -> None:
    callback = application.consented(untick=LISTS)
    assert LISTS not in callback["scope"]
    token = application.token(callback["code"])
    assert LISTS not in token["scope"]
    refused = application.calendars(token["access_token"])
    assert refused.status_code == 403
    assert refused.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"


def test_cancel_goes_back_with_access_denied(application: Application) -> None:
    browser = Browser(application.standin.base_url).sign_in(application.address())
    callback = given(browser.press(decision="cancel").sent_to)
    assert callback == {"state": application.state, "error": "access_denied"}
    assert application.standin.state.grants == []


def test_an_access_token_ends_and_is_renewed(application: Application, clock: Clock) -> None:
    token = application.token(application.consented()["code"])
    clock.seconds += 3600
    assert application.calendars(token["access_token"]).status_code == 401
    fresh = application.refreshed(token["refresh_token"])
    assert application.calendars(fresh["access_token"]).status_code == 200
    assert fresh["refresh_token"] == token["refresh_token"]
    application.standin.control("expire_access_tokens")
    assert application.calendars(fresh["access_token"]).status_code == 401


def test_revoking_ends_the_whole_grant(application: Application) -> None:
    token = application.token(application.consented()["code"])
    revoke = f"{application.standin.base_url}/revoke"
    assert requests.post(revoke, data={"token": token["refresh_token"]}).status_code == 200
    assert application.calendars(token["access_token"]).status_code == 401
    with pytest.raises(InvalidGrantError):
        application.refreshed(token["refresh_token"])
    again = requests.post(revoke, data={"token": token["refresh_token"]})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


def test_the_owner_can_take_access_away_on_his_page(application: Application) -> None:
    token = application.token(application.consented()["code"])
    page = Browser(application.standin.base_url).open(f"{application.standin.base_url}/calendar/u/mira@example.test")
    assert "Demo application" in page.page.text
    page.post(f"{page.page.url}/revoke", [("client", "demo-client")])
    assert "No application has access." in page.page.text
    with pytest.raises(InvalidGrantError):
        application.refreshed(token["refresh_token"])


def test_a_second_consent_brings_a_refresh_token_only_where_it_is_asked_for(application: Application) -> None:
    assert "refresh_token" in application.token(application.consented()["code"])
    assert "refresh_token" not in application.token(application.consented()["code"])
    assert "refresh_token" in application.token(application.consented(prompt="consent")["code"])


def test_more_than_a_hundred_refresh_tokens_kill_the_oldest(application: Application) -> None:
    first = application.token(application.consented()["code"])["refresh_token"]
    for _ in range(100):
        application.token(application.consented(prompt="consent")["code"])
    with pytest.raises(InvalidGrantError):
        application.refreshed(first)


def test_scopes_add_up_where_asked(application: Application) -> None:
    application.token(application.consented()["code"])
    more = "https://www.googleapis.com/auth/calendar.freebusy"
    url = application.address(["openid", more], include_granted_scopes="true")
    browser = Browser(application.standin.base_url).sign_in(url)
    callback = given(browser.post(browser.page.url, [("scope", more), ("decision", "allow")]).sent_to)
    assert {EVENTS, more} <= set(callback["scope"].split())


def test_a_login_hint_skips_the_chooser(application: Application) -> None:
    browser = Browser(application.standin.base_url).open(application.address(login_hint="joan@example.test"))
    assert "Hi Joan" in browser.page.text
    chosen = browser.open(application.address(login_hint="joan@example.test", prompt="consent select_account"))
    assert "Choose an account" in chosen.page.text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"redirect_uri": "https://elsewhere.example/callback"}, 400, "redirect_uri_mismatch"),
        ({"response_type": "token"}, 400, "invalid_request"),
        ({"code_challenge_method": "plain"}, 400, "invalid_request"),
        ({"display": "popup"}, 501, "notImitated"),
        ({"prompt": "none"}, 501, "notImitated"),
    ],
)
def test_a_request_that_is_wrong_stays_on_a_page(
    application: Application, change: dict[str, str], status: int, said: str
) -> None:
    url = application.address()
    facts = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    page = requests.get(urlsplit(url)._replace(query="").geturl(), params=facts | change, allow_redirects=False)
    assert page.status_code == status
    assert said in page.text


def test_a_sign_in_cannot_be_gone_through_twice_or_by_guessing(application: Application) -> None:
    browser = Browser(application.standin.base_url).sign_in(application.address())
    consent = browser.page.url
    browser.press(decision="allow")
    assert browser.open(consent).page.status_code == 400
    assert browser.open(f"{application.standin.base_url}/signin/guessed/consent").page.status_code == 400
    fresh = Browser(application.standin.base_url).open(application.address())
    unsigned = fresh.page.url.replace("/account", "/consent")
    assert "Choose an account" in fresh.open(unsigned).page.text


def test_an_unknown_token_or_none_is_no_credential(application: Application) -> None:
    refused = application.calendars("guessed")
    assert refused.status_code == 401
    assert refused.json()["error"]["errors"][0]["reason"] == "authError"
    assert "WWW-Authenticate" in refused.headers
    assert requests.get(f"{application.standin.base_url}/v1/userinfo").status_code == 401
    other = requests.post(f"{application.standin.base_url}/token", data={"grant_type": "password"})
    assert other.status_code == 401


def test_tokens_do_not_show_in_what_prints_objects(application: Application) -> None:
    token = application.token(application.consented()["code"])
    printed = repr(application.standin.state)
    assert token["access_token"] not in printed
    assert token["refresh_token"] not in printed
    assert "demo-secret" not in printed
