"""Signing in: what leaves, what comes back, and what is not believed."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from calendar_ext.errors import (
    AuthorizationExpired,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    SignInFailed,
)
from calendar_ext.limits import Limits
from calendar_ext.providers.base import OAuthClient, Token
from calendar_ext.providers.endpoints import Endpoints
from calendar_ext.providers.google import GoogleEndpoints, GoogleType
from calendar_ext.providers.google.auth import ALIASES, CALENDARS, EVENTS, SCOPES
from calendar_ext.providers.http import Transport
from calendar_ext.providers.oauth import challenge_of, missing_scopes
from calendar_ext.providers.redaction import RedactionFilter, masked

from .loopback import BASE, LoopbackTransport, Script, answer, hang_up, serving

NOW = 1_800_000_000.0
CLIENT = OAuthClient("client-id", "canaryClientSecret")
BACK = "http://127.0.0.1:5000/calendar/oauth/google/callback"
GRANTED = f"openid {ALIASES['email']} {CALENDARS} {EVENTS}"
CLAIMS = {
    "iss": "https://accounts.google.com", "aud": "client-id", "exp": NOW + 3600, "nonce": "the-nonce", "sub": "117",
    "email": "mira@example.test",
}  # fmt: skip


def id_token(**claims: Any) -> str:
    """Return an id_token; a claim given as None is left out."""
    kept = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    parts = (base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in ({"alg": "RS256"}, kept))
    return ".".join((*parts, "signature"))


def token_answer(**changes: Any) -> dict[str, Any]:
    """Return what the token endpoint says to a good code."""
    good = {
        "access_token": "ya29.canaryAccess",
        "expires_in": 3599,
        "refresh_token": "1//0canaryRefresh",
        "scope": GRANTED,
        "token_type": "Bearer",
        "id_token": id_token(),
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        script.lines = [answer(token_answer())]
        yield script


@pytest.fixture
def google(server: Script, monkeypatch: pytest.MonkeyPatch) -> GoogleType:
    monkeypatch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")
    monkeypatch.delenv("OAUTHLIB_RELAX_TOKEN_SCOPE", raising=False)
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    return GoogleType(LoopbackTransport(server.base_url), GoogleEndpoints.at(BASE), lambda: NOW)


def exchange(google: GoogleType) -> Any:
    return google.exchange(CLIENT, code="4/canaryCode", verifier="canaryVerifier", redirect_uri=BACK, nonce="the-nonce")


def form(server: Script, number: int = -1) -> dict[str, str]:
    """Return the form of a request the server got."""
    return {name: values[0] for name, values in parse_qs(server.asked[number][3].decode()).items()}


# on the way out


def asked_for(**how: Any) -> tuple[dict[str, str], str]:
    """Return the parameters of a sign-in address at the real provider, and the verifier."""
    google = GoogleType(Transport(), None, lambda: NOW)
    asked = google.authorization(CLIENT, redirect_uri=BACK, state="the-state", nonce="the-nonce", **how)
    parts = urlsplit(asked.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://accounts.google.com/o/oauth2/v2/auth"
    return {name: values[0] for name, values in parse_qs(parts.query).items()}, asked.verifier


def test_the_sign_in_address_says_all_that_is_needed() -> None:
    query, verifier = asked_for()
    assert query == {
        "response_type": "code", "client_id": "client-id", "redirect_uri": BACK, "scope": " ".join(SCOPES),
        "state": "the-state", "nonce": "the-nonce", "access_type": "offline", "prompt": "select_account",
        "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    assert 43 <= len(verifier) <= 128


def test_every_sign_in_has_its_own_verifier() -> None:
    assert asked_for()[1] != asked_for()[1]


def test_the_challenge_is_that_of_the_standard() -> None:
    # RFC 7636 appendix B.
    challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_signing_in_again_asks_for_consent_again_and_names_the_account() -> None:
    query, _ = asked_for(again=True, login_hint="mira@example.test")
    assert query["prompt"] == "consent select_account"
    assert query["login_hint"] == "mira@example.test"


def test_the_browser_is_sent_where_the_stand_in_is(google: GoogleType, server: Script) -> None:
    asked = google.authorization(CLIENT, redirect_uri=BACK, state="s", nonce="n")
    assert asked.url.startswith(f"{server.base_url}/o/oauth2/v2/auth?")


# on the way back


def test_a_code_becomes_a_grant(google: GoogleType, server: Script) -> None:
    grant = exchange(google)
    assert (grant.issuer, grant.subject, grant.email) == ("https://accounts.google.com", "117", "mira@example.test")
    assert (grant.token.access, grant.token.refresh) == ("ya29.canaryAccess", "1//0canaryRefresh")
    assert (grant.token.expires_at, grant.missing, grant.kind) == (NOW + 3599, (), "personal")
    assert server.asked[0][:2] == ("POST", "/token")
    assert form(server) == {
        "grant_type": "authorization_code", "code": "4/canaryCode", "redirect_uri": BACK, "client_id": "client-id",
        "client_secret": "canaryClientSecret", "code_verifier": "canaryVerifier",
    }  # fmt: skip


def test_an_account_of_an_organisation_says_so(google: GoogleType, server: Script) -> None:
    server.lines = [answer(token_answer(id_token=id_token(hd="example.test")))]
    assert exchange(google).kind == "workspace"


def test_a_permission_that_was_unticked_is_named(google: GoogleType, server: Script) -> None:
    server.lines = [answer(token_answer(scope=f"openid {ALIASES['email']} {CALENDARS}"))]
    assert exchange(google).missing == (EVENTS,)


def test_a_second_consent_brings_no_refresh_token(google: GoogleType, server: Script) -> None:
    server.lines = [answer(token_answer(refresh_token=None))]
    assert exchange(google).token.refresh == ""


def test_scopes_compare_whatever_their_spelling_and_order() -> None:
    assert missing_scopes(SCOPES, [EVENTS, CALENDARS, ALIASES["email"], "openid"], ALIASES) == ()
    assert missing_scopes(["a", "b"], ["b"]) == ("a",)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://login.example.test"),
        ("iss", None),
        ("aud", "another-client"),
        ("aud", ["client-id", "another-client"]),
        ("aud", None),
        ("exp", NOW - 61),
        ("exp", "never"),
        ("exp", None),
        ("nonce", "another-nonce"),
        ("nonce", None),
        ("nonce", 7),
        ("sub", ""),
        ("sub", None),
    ],
)
def test_an_id_token_with_one_wrong_claim_ends_the_sign_in(
    google: GoogleType, server: Script, claim: str, value: Any
) -> None:
    server.lines = [answer(token_answer(id_token=id_token(**{claim: value})))]
    with pytest.raises(SignInFailed) as failure:
        exchange(google)
    assert (failure.value.reason, failure.value.facts) == ("wrong_identity", {"claim": claim})
    assert "canary" not in repr(failure.value.__dict__) + str(failure.value)


@pytest.mark.parametrize("text", [None, "", "a.b", "a.%%%.c", "a.W10.c", "eyJ.e30.x.y"])
def test_an_id_token_that_is_none_ends_the_sign_in(google: GoogleType, server: Script, text: str | None) -> None:
    server.lines = [answer(token_answer(id_token=text))]
    with pytest.raises(SignInFailed):
        exchange(google)


def test_a_clock_a_little_behind_is_forgiven(google: GoogleType, server: Script) -> None:
    server.lines = [answer(token_answer(id_token=id_token(exp=NOW - 30, iss="accounts.google.com")))]
    assert exchange(google).subject == "117"


@pytest.mark.parametrize(
    ("status", "word", "reason"),
    [
        (400, "invalid_grant", "code_refused"),
        (400, "redirect_uri_mismatch", "code_refused"),
        (401, "invalid_client", "client_refused"),
        (400, "unauthorized_client", "client_refused"),
        (400, "admin_policy_enforced", "code_refused"),
    ],
)
def test_a_refused_code_ends_the_sign_in(
    google: GoogleType, server: Script, status: int, word: str, reason: str
) -> None:
    server.lines = [answer({"error": word, "error_description": "canaryDescription"}, status)]
    with pytest.raises(SignInFailed) as failure:
        exchange(google)
    assert (failure.value.reason, failure.value.facts["error"]) == (reason, word)
    assert "canaryDescription" not in repr(failure.value.__dict__) + str(failure.value)


def test_an_answer_without_a_token_ends_the_sign_in(google: GoogleType, server: Script) -> None:
    for body in (b"<html>sorry</html>", b"{}"):
        server.lines = [answer(body)]
        with pytest.raises(SignInFailed):
            exchange(google)


def test_an_outage_says_nothing_about_the_grant(google: GoogleType, server: Script) -> None:
    old = Token("a", "1//0canaryRefresh", 0)
    for line, expected in (
        (answer({}, 503), ProviderUnavailable),
        (answer({}, 429), RateLimited),
        (hang_up, ProviderUnavailable),
    ):
        server.lines = [line]
        with pytest.raises(expected):
            exchange(google)
        with pytest.raises(expected):
            google.refresh(CLIENT, old)
        with pytest.raises(expected):
            google.revoke(CLIENT, old)


# keeping and ending


def test_a_refresh_keeps_the_refresh_token_and_the_scopes(google: GoogleType, server: Script) -> None:
    server.lines = [answer({"access_token": "ya29.next", "expires_in": 100, "token_type": "Bearer"})]
    fresh = google.refresh(CLIENT, Token("ya29.old", "1//0canaryRefresh", 0, (EVENTS,)))
    assert fresh == Token("ya29.next", "1//0canaryRefresh", int(NOW) + 100, (EVENTS,))
    assert form(server) == {
        "grant_type": "refresh_token", "refresh_token": "1//0canaryRefresh", "client_id": "client-id",
        "client_secret": "canaryClientSecret",
    }  # fmt: skip


def test_a_refresh_token_that_was_replaced_is_the_one_kept(google: GoogleType, server: Script) -> None:
    server.lines = [answer({"access_token": "ya29.next", "refresh_token": "1//0new", "token_type": "Bearer"})]
    assert google.refresh(CLIENT, Token("ya29.old", "1//0old", 0)).refresh == "1//0new"


def test_an_ended_grant_asks_for_a_new_sign_in(google: GoogleType, server: Script) -> None:
    server.lines = [answer({"error": "invalid_grant", "error_subtype": "invalid_rapt"}, 400)]
    with pytest.raises(AuthorizationExpired):
        google.refresh(CLIENT, Token("ya29.old", "1//0old", 0))


def test_a_refused_application_is_not_the_persons_fault(google: GoogleType, server: Script) -> None:
    server.lines = [answer({"error": "invalid_client"}, 401)]
    with pytest.raises(PermissionDenied):
        google.refresh(CLIENT, Token("ya29.old", "1//0old", 0))


def test_revoking_ends_the_grant_and_twice_is_once(google: GoogleType, server: Script) -> None:
    server.lines = [answer({}), answer({"error": "invalid_token"}, 400)]
    for _ in range(2):
        google.revoke(CLIENT, Token("ya29.old", "1//0old", 0))
    assert form(server) == {"token": "1//0old"}


def test_addresses_of_another_provider_are_refused() -> None:
    with pytest.raises(Refused):
        GoogleType(Transport(), Endpoints(), lambda: NOW)


def test_a_transport_of_a_sign_in_reaches_that_provider_only() -> None:
    google = GoogleType(Transport(["graph.example.test"], limits=Limits()), None, lambda: NOW)
    assert google._transport.hosts == GoogleEndpoints().hosts()


# what reaches a log


def test_a_whole_sign_in_at_debug_leaves_no_secret_in_the_log(
    google: GoogleType, server: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    google.authorization(CLIENT, redirect_uri=BACK, state="canaryState", nonce="canaryNonce")
    grant = exchange(google)
    server.lines = [answer({"access_token": "ya29.canaryNext", "token_type": "Bearer"})]
    google.refresh(CLIENT, grant.token)
    google.revoke(CLIENT, grant.token)
    assert "canary" not in caplog.text.lower()
    assert "canary" not in repr((grant, CLIENT))


def test_the_libraries_that_log_tokens_are_kept_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Transport()
    for name in ("requests_oauthlib.oauth2_session", "oauthlib.oauth2.rfc6749.parameters", "urllib3.connectionpool"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer ya29.canary-1",
        "{'access_token': 'canary', 'expires_in': 1}",
        '{"refresh_token": "canary"}',
        "GET /back?state=canary&code=4%2Fcanary&x=1",
        "POST body grant_type=x&client_secret=canary&code_verifier=canary",
        "GET /calendar/v3/calendars/canary%40example.test/events?syncToken=canary&pageToken=canary",
        "token 1//0canary-x and eyJcanary.eyJcanary.canary",
        "https://canary:canary@example.test/x",
        "calx_s_canary",
        "mail to canary@example.test",
    ],
)
def test_secrets_and_addresses_are_masked_by_name_and_by_shape(text: str) -> None:
    assert "canary" not in masked(text)


def test_what_is_no_secret_stays() -> None:
    text = "Pulled 5 events in 0.3 s, status=403 reason=rateLimitExceeded statecode decode=7"
    assert masked(text) == text


def test_the_filter_rewrites_message_traceback_and_extra_fields() -> None:
    try:
        raise ValueError("Bearer ya29.canary1")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "code=%s", "args": ("canary",), "exc_info": (type(error), error, error.__traceback__)}
        )
    record.__dict__.update(token="canary", account="a1", note="ya29.canary", tries=3)
    assert RedactionFilter().filter(record)
    assert "canary" not in logging.Formatter("%(message)s %(token)s %(note)s").format(record)
    assert (record.__dict__["account"], record.__dict__["tries"]) == ("a1", 3)


def test_a_record_that_cannot_be_formatted_is_still_masked() -> None:
    record = logging.makeLogRecord({"msg": "%d ya29.canary", "args": ("x",)})
    assert RedactionFilter().filter(record)
    assert "canary" not in record.getMessage()
