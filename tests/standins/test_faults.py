"""Trouble on demand, guards against strangers, push, and what is counted."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from calendar_ext.errors import Refused
from demo.standins.google import Standin, serve
from demo.standins.google.errors import ApiError
from demo.standins.transport import StandinTransport

from .conftest import EVENTS, Clock, timed
from .discovery import CheckedSession, reason


def test_the_next_requests_fail_as_told_and_only_those_that_match(standin: Standin, api: CheckedSession) -> None:
    standin.control("fail", times=2, status=403, reason="quotaExceeded", matching="events.insert")
    assert reason(api.post(EVENTS, json=timed())) == (403, "quotaExceeded")
    assert api.get(EVENTS).status_code == 200
    assert api.post(EVENTS, json=timed()).status_code == 403
    assert api.post(EVENTS, json=timed()).status_code == 200
    standin.control("fail", status=429, retry_after=7)
    refused = api.get(EVENTS)
    assert (reason(refused), refused.headers["Retry-After"]) == ((429, "rateLimitExceeded"), "7")
    standin.control("fail", times=9)
    standin.control("clear_faults")
    assert api.get(EVENTS).status_code == 200


def test_a_lost_answer_belongs_to_a_write_that_happened(standin: Standin, api: CheckedSession) -> None:
    standin.control("lose_answer", matching="events.insert")
    with pytest.raises(requests.ConnectionError):
        api.post(EVENTS, json=timed(id="chosen0001"))
    assert reason(api.post(EVENTS, json=timed(id="chosen0001"))) == (409, "duplicate")


def test_a_dropped_request_did_not_happen(standin: Standin, api: CheckedSession) -> None:
    standin.control("drop_request", matching="events.insert")
    with pytest.raises(requests.ConnectionError):
        api.post(EVENTS, json=timed(id="chosen0001"))
    assert api.post(EVENTS, json=timed(id="chosen0001")).status_code == 200


def test_an_answer_can_be_cut_in_the_middle(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=50)
    standin.control("cut_answer")
    with pytest.raises(requests.RequestException):
        api.get(EVENTS)
    assert len(api.get(EVENTS).json()["items"]) == 50


def test_a_listing_can_come_back_empty_or_half_or_in_short_pages(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=10)
    standin.control("empty_listing")
    empty = api.get(EVENTS).json()
    assert empty["items"] == []
    assert empty["nextSyncToken"]
    standin.control("half_page")
    half = api.get(EVENTS).json()
    assert len(half["items"]) == 5
    assert half["nextSyncToken"]
    standin.control("short_page")
    short = api.get(EVENTS, params={"maxResults": 10}).json()
    assert len(short["items"]) == 5
    rest = api.get(EVENTS, params={"maxResults": 10, "pageToken": short["nextPageToken"]}).json()
    assert {item["id"] for item in short["items"] + rest["items"]} == set(standin.state.calendar("primary").items)


def test_a_quota_is_a_sliding_window(standin: Standin, api: CheckedSession, clock: Clock) -> None:
    standin.control("quota", requests=2, seconds=60)
    assert [api.get(EVENTS).status_code for _ in range(3)] == [200, 200, 403]
    clock.seconds += 61
    assert api.get(EVENTS).status_code == 200
    standin.control("quota")
    assert [api.get(EVENTS).status_code for _ in range(3)] == [200, 200, 200]


def test_answers_can_be_slow(standin: Standin, api: CheckedSession) -> None:
    standin.control("latency", seconds=0.1)
    before = time.monotonic()
    api.get(EVENTS)
    assert time.monotonic() - before >= 0.1


def test_requests_writes_and_mails_are_counted(standin: Standin, api: CheckedSession) -> None:
    standin.control("reset_stats")
    api.get(EVENTS)
    api.post(EVENTS, json=timed(attendees=[{"email": "pat@elsewhere.test"}]), params={"sendUpdates": "all"})
    api.post(EVENTS, json={})
    stats = standin.control("stats")
    assert (stats["requests"], stats["writes"], stats["mails"]) == (3, 2, 1)
    assert stats["by_method"] == {"events.list": 1, "events.insert": 2}
    assert stats["by_status"] == {"200": 2, "400": 1}
    assert standin.control("mails")["mails"][0]["kind"] == "invitation"


def test_the_controls_work_over_http_as_they_do_in_process(standin: Standin) -> None:
    base = f"{standin.base_url}/_control"
    made = requests.post(f"{base}/create", json={"item": timed()}).json()
    changed = requests.post(f"{base}/patch", json={"event": made["id"], "changes": {"summary": "New"}}).json()
    assert changed["summary"] == "New"
    dump = requests.get(f"{base}/dump").json()["calendars"]["mira@example.test"]
    assert [event["summary"] for event in dump] == ["New"]
    assert requests.post(f"{base}/delete", json={"event": made["id"]}).status_code == 200
    assert requests.get(f"{base}/dump").json()["calendars"]["mira@example.test"] == []
    assert requests.post(f"{base}/nonsense").status_code == 501
    assert requests.post(f"{base}/latency", json={"second": 1}).status_code == 400
    assert requests.post(f"{base}/role", json={"calendar": "nothing", "role": "owner"}).status_code == 404
    with pytest.raises(ApiError):
        standin.control("nonsense")


def test_a_reset_begins_again(standin: Standin) -> None:
    token = standin.token()
    standin.control("seed", count=3)
    standin.control("reset")
    assert len(standin.state.events("primary")) == 5
    headers = {"Authorization": f"Bearer {token}"}
    gone = requests.get(f"{standin.base_url}/calendar/v3/users/me/calendarList", headers=headers)
    assert gone.status_code == 401


def test_calendars_and_accounts_can_be_added_and_lists_synchronise(standin: Standin, api: CheckedSession) -> None:
    first = api.get("/users/me/calendarList", params={"maxResults": 2}).json()
    second = api.get("/users/me/calendarList", params={"pageToken": first["nextPageToken"]}).json()
    assert len(first["items"] + second["items"]) == 3
    standin.control("add_calendar", summary="Private")
    standin.control("role", calendar="Interviews", role="")
    delta = api.get("/users/me/calendarList", params={"syncToken": second["nextSyncToken"]}).json()["items"]
    assert [item.get("deleted", False) for item in delta] == [True, False]
    assert api.get("/users/me/calendarList", params={"syncToken": "nonsense"}).status_code == 410
    wrong = {"syncToken": second["nextSyncToken"], "minAccessRole": "owner"}
    assert reason(api.get("/users/me/calendarList", params=wrong)) == (400, "invalid")
    owned = api.get("/users/me/calendarList", params={"minAccessRole": "owner"}).json()["items"]
    assert {item["summary"] for item in owned} == {"mira@example.test", "Private"}
    standin.control("add_account", email="third@example.test")
    assert standin.token(email="third@example.test")


def test_a_version_that_is_known_is_not_sent_again(api: CheckedSession) -> None:
    for path in ("/users/me/calendarList", "/users/me/calendarList/primary", "/calendars/primary"):
        known = api.get(path).headers["ETag"]
        assert api.get(path, headers={"If-None-Match": known}).status_code == 304
    assert reason(api.get("/users/me/calendarList/nothing")) == (404, "notFound")
    assert set(api.get("/colors").json()["event"]) == {str(number) for number in range(1, 12)}


def test_scopes_of_ones_own_calendars_reach_no_others(standin: Standin) -> None:
    scope = "https://www.googleapis.com/auth/calendar.events.owned"
    with CheckedSession(standin.base_url, standin.token(scopes=[scope])) as api:
        assert api.get(EVENTS).status_code == 200
        other = "/calendars/c_4f1c9a7e2b%40group.calendar.google.com/events"
        assert reason(api.get(other)) == (403, "insufficientPermissions")
    narrow = "https://www.googleapis.com/auth/calendar.app.created"
    with CheckedSession(standin.base_url, standin.token(scopes=[narrow])) as api:
        assert api.get(EVENTS).status_code == 501


@pytest.mark.parametrize(
    "path", ["/calendar/v3/nothing", "/nothing", "/calendar/v3/users/me/settings", "/calendar/v3/calendars/primary/acl"]
)
def test_what_is_not_imitated_is_refused_loudly(standin: Standin, path: str) -> None:
    answer = requests.get(standin.base_url + path)
    assert reason(answer) == (501, "notImitated")
    assert answer.headers["X-Standin"] == "1"


@pytest.mark.parametrize("params", [{"foo": "1"}, {"order_by": "updated"}, {"eventLabelVersion": "1"}])
def test_a_parameter_that_is_not_imitated_is_refused_loudly(standin: Standin, params: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {standin.token()}"}
    address = f"{standin.base_url}/calendar/v3{EVENTS}"
    assert requests.get(address, params=params, headers=headers).status_code == 501


@pytest.mark.parametrize(
    "params",
    [{"maxResults": "0"}, {"maxResults": "x"}, {"singleEvents": "yes"}, {"eventTypes": "x"}, {"q": ["a", "b"]}],
)
def test_a_value_a_parameter_cannot_take_is_refused(api: CheckedSession, params: dict[str, Any]) -> None:
    assert reason(api.get(EVENTS, params=params)) == (400, "invalid")


@pytest.mark.parametrize("host", ["example.com", "google.standin.invalid", "127.0.0.1.example.com:80"])
def test_another_host_is_refused(standin: Standin, host: str) -> None:
    answer = requests.get(standin.base_url, headers={"Host": host})
    assert answer.status_code == 421


def test_it_listens_on_loopback_only(standin: Standin) -> None:
    assert standin._server.server_address[0] == "127.0.0.1"


def test_connections_are_kept(standin: Standin) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(standin.base_url.rpartition(":")[2]))
    connection.connect()
    before = connection.sock
    for _ in range(3):
        connection.request("GET", "/")
        connection.getresponse().read()
    assert connection.sock is before
    connection.close()


def test_a_closed_stand_in_answers_no_more() -> None:
    with serve() as standin, requests.Session() as session:
        session.get(standin.base_url)
        address = standin.base_url
        standin.close()
        with pytest.raises(requests.ConnectionError):
            session.get(address)


class _Listener:
    """A server that takes notifications."""

    def __init__(self) -> None:
        self.seen: queue.Queue[dict[str, str]] = queue.Queue()
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                seen.put(dict(self.headers.items()) | {"body": self.headers["Content-Length"]})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/push"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def listener() -> Iterator[_Listener]:
    """Run a server that takes notifications."""
    running = _Listener()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_channel_is_told_of_changes_until_it_is_stopped(
    standin: Standin, api: CheckedSession, listener: _Listener
) -> None:
    body = {"id": "channel-1", "type": "web_hook", "address": listener.address, "token": "secret"}
    channel = api.post(f"{EVENTS}/watch", json=body).json()
    assert int(channel["expiration"]) == int((standin.state.now() + 604_800) * 1000)
    first = listener.seen.get(timeout=5)
    assert (first["X-Goog-Resource-State"], first["X-Goog-Message-Number"]) == ("sync", "1")
    standin.state.create("primary", timed())
    second = listener.seen.get(timeout=5)
    assert (second["X-Goog-Resource-State"], second["X-Goog-Channel-Token"]) == ("exists", "secret")
    assert (second["X-Goog-Resource-ID"], second["body"]) == (channel["resourceId"], "0")
    stop = {"id": "channel-1", "resourceId": channel["resourceId"]}
    assert api.post("/channels/stop", json=stop).status_code == 204
    assert api.post("/channels/stop", json=stop).status_code == 404
    standin.state.create("primary", timed())
    with pytest.raises(queue.Empty):
        listener.seen.get(timeout=0.1)


def test_a_channel_needs_an_id_of_its_own_and_a_safe_address(api: CheckedSession) -> None:
    body = {"id": "one", "type": "web_hook", "address": "https://app.example/push"}
    assert reason(api.post(f"{EVENTS}/watch", json=body | {"address": "http://app.example/push"}))[0] == 400
    assert reason(api.post(f"{EVENTS}/watch", json={"id": "one"})) == (400, "required")
    assert reason(api.post(f"{EVENTS}/watch", json=body | {"id": "x" * 65}))[0] == 400
    assert api.post(f"{EVENTS}/watch", json=body).status_code == 200
    assert reason(api.post(f"{EVENTS}/watch", json=body)) == (400, "channelIdNotUnique")


def test_the_transport_leads_all_hosts_of_a_provider_to_one_port_and_nowhere_else(standin: Standin) -> None:
    transport = StandinTransport({"google": standin.base_url})
    assert transport.standin
    answer = transport.session().get("https://google.standin.invalid/_control/stats")
    assert answer.headers["X-Standin"] == "1"
    page = transport.browser_url("https://google.standin.invalid/o/oauth2/v2/auth?client_id=x")
    assert page == f"{standin.base_url}/o/oauth2/v2/auth?client_id=x"
    accounts = transport.only(["accounts.google.standin.invalid"])
    assert accounts.session().get("https://accounts.google.standin.invalid/").status_code == 200
    for strange in (
        "https://accounts.google.com/",
        "https://microsoft.standin.invalid/",
        "http://google.standin.invalid/",
    ):
        with pytest.raises(Refused):
            transport.route(strange)
        with pytest.raises(Refused):
            transport.session().get(strange)


def test_a_large_account_is_listed_without_being_built_anew(standin: Standin, api: CheckedSession) -> None:
    standin.control("seed", count=3000)
    fields = "nextPageToken,nextSyncToken,items(id,etag,status,updated,summary,start,end)"
    first = api.get(EVENTS, params={"maxResults": 2500, "fields": fields})
    encoded = standin.state.calendar("primary").order[0].encoded
    assert len(encoded) == 1
    assert api.get(EVENTS, params={"maxResults": 2500, "fields": fields}).content == first.content
    assert len(encoded) == 1
