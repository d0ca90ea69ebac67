"""Every request we send is one that Google's own description of its API knows: path, method, parameters, body.

The description ships in the wheel of google-api-python-client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import orjson
import pytest
import requests

from calendar_ext.domain.model import Attendee, Event
from calendar_ext.domain.when import Span, When
from calendar_ext.errors import Gone
from calendar_ext.providers.google.api import CALENDAR_FIELDS, LIST_FIELDS, GoogleProvider
from calendar_ext.providers.google.auth import SCOPES
from calendar_ext.providers.google.mapping import ITEM_FIELDS
from demo.standins.google import Standin, serve

from ..contracts.provider import KEY, OTHER_KEY, PAGE, SECOND, timed, weekly
from .google_standin import MIRA, NOW, GoogleOwner, emptied, opened, transport_to

Json = dict[str, Any]
#: Values that the description only tells in words.
VALUES = {
    "status": {"confirmed", "tentative", "cancelled"},
    "transparency": {"opaque", "transparent"},
    "visibility": {"default", "public", "private", "confidential"},
}
RESPONSES = {"needsAction", "declined", "tentative", "accepted"}


FORMATS = jsonschema.FormatChecker(formats=["date"])


@FORMATS.checks("date-time")
def is_moment(text: object) -> bool:
    """Return whether a text is a time of RFC 3339, offset included."""
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", str(text)))


@pytest.fixture(scope="module")
def description() -> Json:
    found = files("googleapiclient") / "discovery_cache" / "documents" / "calendar.v3.json"
    return orjson.loads(found.read_bytes())


def converted(schema: Json) -> Json:
    """Return a schema of the description as JSON Schema; names it does not list are refused."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    made: Json = {}
    if schema.get("type", "any") != "any":
        made["type"] = schema["type"]
    if "properties" in schema:
        made["properties"] = {name: converted(part) for name, part in schema["properties"].items()}
        made["additionalProperties"] = False
    if "additionalProperties" in schema:
        made["additionalProperties"] = converted(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = converted(schema["items"])
    if "enum" in schema:
        made["enum"] = schema["enum"]
    if schema.get("format") in ("date", "date-time"):
        made["format"] = schema["format"]
    return made


def without_nulls(value: Any) -> Any:
    """Return a patch without the nulls that delete: the description does not know them."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return value


@dataclass
class Checker:
    """Compares requests with the description."""

    description: Json

    def method(self, verb: str, path: str) -> tuple[Json, dict[str, str]]:
        """Return the described method a request calls, and its path parameters."""
        methods = [
            method for resource in self.description["resources"].values() for method in resource["methods"].values()
        ]
        for method in methods:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(method["path"]))
            match = re.fullmatch(f"/calendar/v3/{pattern}", path)
            if method["httpMethod"] == verb and match:
                return method, {name: unquote(value) for name, value in match.groupdict().items()}
        raise AssertionError(f"no such method: {verb} {path}")

    def check(self, verb: str, url: str, body: bytes | None, granted: tuple[str, ...] = SCOPES) -> str:
        """Return the method's id, or fail."""
        parts = urlsplit(url)
        method, named = self.method(verb, parts.path)
        known = {**self.description["parameters"], **method.get("parameters", {})}
        query = parse_qsl(parts.query, keep_blank_values=True)
        for name, value in [*query, *named.items()]:
            assert name in known, f"{method['id']} has no parameter {name}"
            check_value(name, value, known[name])
        given = {name for name, _ in query} | set(named)
        assert not {name for name, about in known.items() if about.get("required")} - given
        if body is not None:
            assert "request" in method, f"{method['id']} takes no body"
            self.check_body(method["request"]["$ref"], orjson.loads(body))
        return str(method["id"])

    def check_body(self, name: str, body: Json) -> None:
        """Fail unless a body is one of that schema."""
        defs = {key: converted(schema) for key, schema in self.description["schemas"].items()}
        schema = {"$ref": f"#/$defs/{name}", "$defs": defs}
        jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(without_nulls(body))
        for field, values in VALUES.items():
            assert body.get(field, next(iter(values))) in values
        assert {guest["responseStatus"] for guest in body.get("attendees", [])} <= RESPONSES

    def check_mask(self, schema: Json, tokens: list[str]) -> None:
        """Fail unless a partial answer asks for properties that exist; uses the tokens up."""
        while tokens:
            below = self.property(schema, tokens.pop(0))
            while tokens[:1] == ["/"]:
                tokens.pop(0)
                below = self.property(below, tokens.pop(0))
            if tokens[:1] == ["("]:
                tokens.pop(0)
                self.check_mask(below, tokens)
            if tokens and tokens.pop(0) == ")":
                return

    def property(self, schema: Json, name: str) -> Json:
        """Return the schema of a property, or of the elements of a list."""
        found = self.resolved(schema["properties"][name])
        return self.resolved(found.get("items", found))

    def resolved(self, schema: Json) -> Json:
        """Follow a reference."""
        return self.description["schemas"][schema["$ref"]] if "$ref" in schema else schema


def check_value(name: str, value: str, about: Json) -> None:
    """Fail unless a parameter's text is of its described type."""
    if about["type"] == "integer":
        number = int(value)
        assert int(about.get("minimum", number)) <= number <= int(about.get("maximum", number)), name
    elif about["type"] == "boolean":
        assert value in ("true", "false"), name
    if "enum" in about:
        assert value in about["enum"], name
    if about.get("format") == "date-time":
        assert is_moment(value), name


@pytest.fixture
def checker(description: Json) -> Checker:
    return Checker(description)


@pytest.fixture
def standin() -> Iterator[Standin]:
    with serve(clock=lambda: NOW) as standin:
        emptied(standin)
        yield standin


@pytest.fixture
def sent() -> list[requests.PreparedRequest]:
    return []


@pytest.fixture
def account(standin: Standin, sent: list[requests.PreparedRequest]) -> Iterator[GoogleProvider]:
    transport = transport_to(standin)
    transport.session().hooks["response"].append(lambda response, **_: sent.append(response.request))
    yield opened(standin, transport)
    transport.session().close()


EVENTS = [
    timed(location="Salon", description="Short", show_as="free", visibility="private", marker=("link", "rev")),
    timed(status="tentative", attendees=(Attendee("ann@guest.test", "Ann", "accepted", "optional"),)),
    timed(zone="", visibility="public"),
    Event(When("2026-11-23", "2026-11-25"), title="Fair"),
    weekly(),
]


def exercise(account: GoogleProvider, there: GoogleOwner) -> None:
    """Use every verb in every way it can be used."""
    for number in range(7):
        there.create(timed(title=f"No {number}"))
    account.calendars()
    cursor = [page.cursor for page in account.changes(MIRA, None)][-1]
    for number, event in enumerate(EVENTS):
        row = account.create(MIRA, event, idempotency_key=f"{number}{KEY}").row
        fields = ("when", "title", "description", "location", "status", "show_as", "visibility", "attendees", "marker")
        account.update(MIRA, row["remote_id"], event, fields=fields, etag=None, notify=True)
    account.update(MIRA, f"4{KEY}", weekly(), fields=["rules"], etag=None)
    found = account.occurrence(MIRA, f"4{KEY}", SECOND)
    account.delete(MIRA, found.remote_id, etag=found.etag, notify=True)
    list(account.changes(MIRA, cursor))
    list(account.changes(MIRA, None, span=Span(1_795_000_000, 1_796_000_000)))
    account.create(MIRA, timed(), idempotency_key=OTHER_KEY, notify=True)
    account.delete(MIRA, OTHER_KEY, etag=None)
    with pytest.raises(Gone):
        account.create(MIRA, timed(), idempotency_key=OTHER_KEY)
    account.busy([MIRA], Span(1_795_000_000, 1_796_000_000))


def test_every_request_is_one_the_description_knows(
    account: GoogleProvider, standin: Standin, sent: list[requests.PreparedRequest], checker: Checker
) -> None:
    exercise(account, GoogleOwner(standin))
    called = {checker.check(request.method or "", request.url or "", as_bytes(request.body)) for request in sent}
    assert called == {
        "calendar.calendarList.list", "calendar.events.list", "calendar.events.get", "calendar.events.insert",
        "calendar.events.patch", "calendar.events.delete", "calendar.events.instances", "calendar.freebusy.query",
    }  # fmt: skip


def as_bytes(body: bytes | str | None) -> bytes | None:
    """Return a request's body as it went over the wire."""
    return body.encode() if isinstance(body, str) else body


def test_every_write_says_who_is_told_and_keeps_the_conference(
    account: GoogleProvider, standin: Standin, sent: list[requests.PreparedRequest]
) -> None:
    exercise(account, GoogleOwner(standin))
    writes = [request for request in sent if request.method in ("POST", "PATCH") and "/events" in (request.url or "")]
    assert len(writes) >= 12
    for request in writes:
        query = dict(parse_qsl(urlsplit(request.url or "").query))
        assert query["sendUpdates"] in ("none", "all")
        assert query["conferenceDataVersion"] == "1"


def test_a_patch_sends_only_the_fields_it_is_about(
    account: GoogleProvider, sent: list[requests.PreparedRequest]
) -> None:
    row = account.create(MIRA, timed(location="Salon"), idempotency_key=KEY).row
    account.update(MIRA, KEY, timed(title="Beard"), fields=["title"], etag=row["etag"])
    assert orjson.loads(sent[-1].body or b"") == {"summary": "Beard"}
    assert sent[-1].headers["If-Match"] == row["etag"]


def test_a_listing_names_its_tokens_in_the_mask_and_a_delta_leaves_out_what_is_forbidden(
    account: GoogleProvider, sent: list[requests.PreparedRequest]
) -> None:
    cursor = [page.cursor for page in account.changes(MIRA, None)][-1]
    list(account.changes(MIRA, cursor))
    full, delta = (dict(parse_qsl(urlsplit(request.url or "").query)) for request in sent)
    assert full["fields"].startswith("nextPageToken,nextSyncToken,")
    assert (full["showDeleted"], full["singleEvents"], full["maxResults"]) == ("true", "false", str(PAGE))
    assert delta == full | {"syncToken": cursor}
    assert not {"timeMin", "timeMax", "orderBy", "q", "updatedMin", "iCalUID"} & delta.keys()


@pytest.mark.parametrize(
    ("verb", "url"),
    [
        ("GET", "https://x/calendar/v3/calendars/a/events?order_by=startTime"),
        ("GET", "https://x/calendar/v3/calendars/a/events?maxResults=many"),
        ("GET", "https://x/calendar/v3/calendars/a/events?maxResults=0"),
        ("GET", "https://x/calendar/v3/calendars/a/events?showDeleted=yes"),
        ("GET", "https://x/calendar/v3/calendars/a/events?timeMin=tomorrow"),
        ("POST", "https://x/calendar/v3/calendars/a/events?sendUpdates=some"),
        ("GET", "https://x/calendar/v3/calendars/a/evnts"),
        ("DELETE", "https://x/calendar/v3/calendars/a/events/e?conferenceDataVersion=1"),
    ],
)
def test_the_check_notices_a_wrong_request(checker: Checker, verb: str, url: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        checker.check(verb, url, None)


@pytest.mark.parametrize(
    "body",
    [
        {"sumary": "x"},
        {"recurrence": "RRULE:FREQ=DAILY"},
        {"status": "maybe"},
        {"start": {"dateTime": "2026-11-23T09:00:00"}},
        {"attendees": [{"email": "a@b.test", "responseStatus": "yes"}]},
    ],
)
def test_the_check_notices_a_wrong_body(checker: Checker, body: Json) -> None:
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        checker.check_body("Event", body)


def test_the_scopes_we_ask_for_allow_what_we_do(description: Json) -> None:
    events, lists = (description["resources"][name]["methods"] for name in ("events", "calendarList"))
    for method in (
        *(events[name] for name in ("list", "get", "insert", "patch", "delete", "instances")),
        lists["list"],
    ):
        assert set(SCOPES) & set(method["scopes"]), method["id"]
    assert not set(SCOPES) & set(description["resources"]["freebusy"]["methods"]["query"]["scopes"])


@pytest.mark.parametrize(
    ("schema", "mask"),
    [("Event", ITEM_FIELDS), ("Events", LIST_FIELDS), ("CalendarList", CALENDAR_FIELDS)],
)
def test_every_field_we_ask_for_exists(checker: Checker, schema: str, mask: str) -> None:
    checker.check_mask(checker.description["schemas"][schema], re.findall(r"\w+|[(),/]", mask))


@pytest.mark.parametrize("mask", ["items(id,sumary)", "itms", "items(start/dateTme)", "items(start(dateTime),nothing)"])
def test_the_check_notices_a_wrong_mask(checker: Checker, mask: str) -> None:
    with pytest.raises(KeyError):
        checker.check_mask(checker.description["schemas"]["Events"], re.findall(r"\w+|[(),/]", mask))
