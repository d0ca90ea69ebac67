"""The door: where it leads, what it lets in, and what a status means."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from calendar_ext.errors import (
    AuthorizationExpired,
    CalendarExtError,
    CursorExpired,
    EtagMismatch,
    Gone,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from calendar_ext.limits import Limits
from calendar_ext.providers.endpoints import checked_endpoints, refuse_insecure_environment
from calendar_ext.providers.google import GoogleEndpoints, GoogleType
from calendar_ext.providers.http import Client, Kind, Transport, error_for, reason_of, retry_after
from calendar_ext.providers.memory import MemoryType
from calendar_ext.providers.registry import builtin, standins

from .loopback import BASE, HOST, LoopbackTransport, Script, Tokens, answer, hang_up, serving

LIMITS = replace(Limits(), page_bytes=100_000, total_seconds=0.3, read_seconds=2.0)
NOW = 1_800_000_000.0


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.fixture
def transport(server: Script) -> Iterator[LoopbackTransport]:
    transport = LoopbackTransport(server.base_url, limits=LIMITS)
    yield transport
    transport.session().close()


@pytest.fixture
def client(transport: LoopbackTransport) -> Client:
    return Client(transport, Tokens("ya29.first", "ya29.second"), now=lambda: NOW)


def read(client: Client, kind: Kind = Kind.READ, method: str = "GET") -> dict[str, object]:
    return client.call(method, f"{BASE}/thing", kind=kind)


# where it leads


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.invalid/x",
        f"http://{HOST}/x",
        f"https://{HOST}.evil.invalid/",
        f"https://{HOST}@evil.invalid/",
        f"https://user:pw@{HOST}/",
        f"https://{HOST}:8443/",
        "https://127.0.0.1/",
    ],
)
def test_an_address_that_is_not_on_the_list_is_refused(transport: LoopbackTransport, server: Script, url: str) -> None:
    with pytest.raises(Refused) as refusal:
        transport.session().get(url)
    assert refusal.value.facts["reason"] == "foreign_host"
    assert server.asked == []


def test_a_transport_without_hosts_reaches_nothing() -> None:
    with pytest.raises(Refused):
        Transport().session().get("https://example.com/")


def test_a_narrowed_transport_leaves_the_other_as_it_was(transport: LoopbackTransport) -> None:
    assert transport.only(["other.invalid"]).hosts == {"other.invalid"}
    assert transport.hosts == {HOST}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(client: Client, server: Script, status: int) -> None:
    server.lines = [answer(None, status, Location=f"{BASE}/elsewhere")]
    with pytest.raises(Refused) as refusal:
        read(client)
    assert refusal.value.facts["reason"] == "redirect"
    assert len(server.asked) == 1


def test_proxies_and_netrc_of_the_environment_are_ignored(
    client: Client, server: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text(f"machine {HOST} login mira password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.lines = [answer({})]
    read(client)
    assert server.asked[0][2]["Authorization"] == "Bearer ya29.first"


def test_a_cookie_is_not_kept(transport: LoopbackTransport, server: Script) -> None:
    server.lines = [answer({}, Set_Cookie="who=mira; Path=/")]
    transport.session().get(f"{BASE}/thing")
    transport.session().get(f"{BASE}/thing")
    assert "Cookie" not in server.asked[1][2]


def test_a_thread_keeps_one_session_and_one_connection(transport: LoopbackTransport, server: Script) -> None:
    server.lines = [answer({})]
    other: list[requests.Session] = []
    thread = threading.Thread(target=lambda: other.append(transport.session()))
    thread.start()
    thread.join()
    for _ in range(3):
        transport.session().get(f"{BASE}/thing")
    assert len(server.connections) == 1
    assert other[0] is not transport.session()


# what it lets in


def test_compressed_answers_are_asked_for_and_read(client: Client, server: Script) -> None:
    server.lines = [answer(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")]
    assert read(client) == {"a": 1}
    headers = server.asked[0][2]
    assert headers["Accept-Encoding"] == "gzip" and "gzip" in headers["User-Agent"]


def test_an_answer_that_is_too_large_is_refused(client: Client, server: Script) -> None:
    server.lines = [answer(b"x" * 2_000_000)]
    with pytest.raises(Refused) as refusal:
        read(client)
    assert refusal.value.facts["reason"] == "too_large"


def test_a_small_answer_that_unpacks_to_a_giant_is_refused(server: Script) -> None:
    roomy = LoopbackTransport(server.base_url, limits=replace(LIMITS, page_bytes=10**9, total_seconds=20.0))
    server.lines = [answer(gzip.compress(b" " * 30_000_000), Content_Encoding="gzip")]
    with pytest.raises(Refused) as refusal, roomy.session() as session:
        session.get(f"{BASE}/thing")
    assert refusal.value.facts["reason"] == "too_large"


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """Promise much, and send it a byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def test_an_answer_that_dribbles_in_is_given_up(client: Client, server: Script) -> None:
    server.lines = [trickle]
    began = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        read(client)
    assert time.monotonic() - began < 2.0


def test_an_answer_cut_off_in_the_middle_is_no_answer(client: Client, server: Script) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"a": ')
        handler.close_connection = True

    server.lines = [cut]
    with pytest.raises(ProviderUnavailable):
        read(client)
    with pytest.raises(UnknownOutcome):
        read(client, Kind.WRITE, "POST")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null"])
def test_an_answer_that_is_no_json_object_is_no_answer(client: Client, server: Script, body: bytes) -> None:
    server.lines = [answer(body)]
    with pytest.raises(ProviderUnavailable):
        read(client)


def test_an_empty_answer_is_an_empty_object(client: Client, server: Script) -> None:
    server.lines = [answer(None, 204)]
    assert read(client, Kind.WRITE, "DELETE") == {}


# asking again


def test_a_read_is_asked_again_twice_at_most(client: Client, server: Script) -> None:
    server.lines = [answer({}, 503), answer({}, 500), answer({"a": 1})]
    assert read(client) == {"a": 1}
    server.lines = [answer({}, 503)]
    server.asked.clear()
    with pytest.raises(ProviderUnavailable):
        read(client)
    assert len(server.asked) == 3


def test_a_write_is_sent_once(client: Client, server: Script) -> None:
    server.lines = [answer({}, 503)]
    with pytest.raises(UnknownOutcome):
        read(client, Kind.WRITE, "POST")
    server.lines = [hang_up]
    with pytest.raises(UnknownOutcome):
        read(client, Kind.WRITE, "PATCH")
    assert len(server.asked) == 2


def test_a_write_that_never_left_can_simply_be_sent_again() -> None:
    with serving() as gone:
        nobody = LoopbackTransport(gone.base_url)
    with pytest.raises(ProviderUnavailable):
        Client(nobody, Tokens(), now=lambda: NOW).call("POST", f"{BASE}/thing", kind=Kind.WRITE, body={})


def test_a_refused_token_is_renewed_once(client: Client, server: Script) -> None:
    server.lines = [answer({}, 401), answer({"a": 1})]
    assert read(client) == {"a": 1}
    assert [asked[2]["Authorization"] for asked in server.asked] == ["Bearer ya29.first", "Bearer ya29.second"]
    assert client.requests == 2


def test_a_token_refused_twice_needs_a_person(client: Client, server: Script) -> None:
    server.lines = [answer({}, 401)]
    with pytest.raises(AuthorizationExpired):
        read(client)
    assert len(server.asked) == 2


# what a status means: every row of the provider pages

R, W, LIST = Kind.READ, Kind.WRITE, Kind.LISTING


@pytest.mark.parametrize(
    ("status", "reason", "kind", "expected"),
    [
        *[(400, reason, W, Refused) for reason in ("timeRangeEmpty", "invalid", "badRequest", "required")],
        (403, "userRateLimitExceeded", R, RateLimited),
        (403, "rateLimitExceeded", W, RateLimited),
        (429, "rateLimitExceeded", LIST, RateLimited),
        (429, "", W, RateLimited),
        (403, "quotaExceeded", W, RateLimited),
        (403, "dailyLimitExceeded", R, RateLimited),
        (403, "forbiddenForNonOrganizer", W, Refused),
        (403, "forbidden", R, PermissionDenied),
        (403, "insufficientPermissions", R, PermissionDenied),
        (403, "accessNotConfigured", R, PermissionDenied),
        (403, "requiredAccessLevel", W, PermissionDenied),
        (403, "", R, PermissionDenied),
        (404, "notFound", R, Gone),
        (404, "notFound", LIST, Gone),
        (409, "duplicate", W, Refused),
        (410, "fullSyncRequired", LIST, CursorExpired),
        (410, "updatedMinTooLongAgo", LIST, CursorExpired),
        (410, "deleted", W, Gone),
        (410, "deleted", R, Gone),
        (412, "conditionNotMet", W, EtagMismatch),
        *[(status, "backendError", R, ProviderUnavailable) for status in (408, 500, 502, 503, 504, 520)],
        *[(status, "backendError", W, UnknownOutcome) for status in (408, 500, 502, 503, 504, 520)],
        (501, "notImitated", W, Refused),
        (413, "uploadTooLarge", W, Refused),
    ],
)
def test_a_status_is_one_class(status: int, reason: str, kind: Kind, expected: type[CalendarExtError]) -> None:
    error = error_for(status, reason, kind)
    assert type(error) is expected
    assert error.facts == {"status": status, "reason": reason}


def test_a_spent_quota_waits_an_hour_and_a_limit_as_long_as_it_asks() -> None:
    quota, limit = error_for(403, "quotaExceeded", W, 5.0), error_for(429, "rateLimitExceeded", W, 5.0)
    assert isinstance(quota, RateLimited) and quota.retry_after == 3600
    assert isinstance(limit, RateLimited) and limit.retry_after == 5


def test_the_answer_of_a_limit_says_when(client: Client, server: Script) -> None:
    body = {"error": {"errors": [{"reason": "rateLimitExceeded"}], "code": 403, "message": "mira@example.test"}}
    server.lines = [answer(body, 403, Retry_After="17")]
    with pytest.raises(RateLimited) as limited:
        read(client)
    assert limited.value.retry_after == 17
    assert "mira" not in str(limited.value) and "mira" not in repr(limited.value.facts)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("99999", 3600.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW, 3600.0) == seconds


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"errors": [{"reason": "notFound"}], "code": 404}}', "notFound"),
        (b'{"error": {"code": "ErrorItemNotFound", "message": "x"}}', "ErrorItemNotFound"),
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": {"code": 404}}', ""),
        (b'{"error": {"code": "a title with blanks"}}', ""),
        (b"<html>", ""),
        (b"[]", ""),
        (b"", ""),
    ],
)
def test_of_a_refusal_only_one_word_is_kept(body: bytes, reason: str) -> None:
    assert reason_of(body) == reason


# addresses and the register

STANDIN = GoogleEndpoints.at("https://google.standin.invalid")
SWITCH = {"CALENDAR_EXT_ALLOW_STANDINS": "1"}


def test_addresses_are_constants_without_a_stand_in() -> None:
    default = GoogleEndpoints()
    assert checked_endpoints(default, None, Transport(), {}) is default
    assert default.hosts() == {"www.googleapis.com", "accounts.google.com", "oauth2.googleapis.com"}


def test_a_stand_in_needs_the_switch_and_a_transport_passed_in_code() -> None:
    standin = LoopbackTransport("http://127.0.0.1:1")
    assert checked_endpoints(GoogleEndpoints(), STANDIN, standin, SWITCH) is STANDIN
    for transport, environ in ((standin, {}), (Transport(), SWITCH), (Transport(), {})):
        with pytest.raises(Refused):
            checked_endpoints(GoogleEndpoints(), STANDIN, transport, environ)


@pytest.mark.parametrize(
    "address", ["https://google.evil.test/t", "http://google.standin.invalid/t", "https://standin.invalid.evil.test/"]
)
def test_an_address_that_could_resolve_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        checked_endpoints(
            GoogleEndpoints(), replace(STANDIN, token=address), LoopbackTransport("http://127.0.0.1:1"), SWITCH
        )


def test_plain_http_sign_ins_are_noticed() -> None:
    refuse_insecure_environment({})
    with pytest.raises(Refused):
        refuse_insecure_environment({"OAUTHLIB_INSECURE_TRANSPORT": "1"})


def test_the_built_in_providers_register_like_anyone_elses() -> None:
    registry = builtin(Transport(), {}, lambda: NOW)
    assert isinstance(registry.get("google"), GoogleType)
    memory = registry.register(MemoryType(lambda: NOW))
    assert registry.all()[-1] is registry.get("memory") is memory
    assert "memory" in registry and "nothing" not in registry
    with pytest.raises(Refused):
        registry.register(MemoryType(lambda: NOW))
    with pytest.raises(Refused):
        registry.get("nothing")


def test_an_account_of_a_stand_in_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")
    transport = LoopbackTransport("http://127.0.0.1:1")
    assert builtin(transport, standins(transport), lambda: NOW).get("google").standin
    assert not builtin(transport, standins(Transport()), lambda: NOW).get("google").standin
