"""An error becomes a status and a sentence in one place; none of them says what it should not."""

from __future__ import annotations

from typing import Any

import pytest

from calendar_ext import errors
from calendar_ext.errors import CalendarExtError, Defect, Gone, KeyMissing, ProviderUnavailable, Refused, SignInFailed
from calendar_ext.web.errors import message_for
from calendar_ext.web.messages import MESSAGES, SIGN_IN

from .test_pages import words_of
from .world import BASE, TAB, Person, World

SECRET = "ya29.canary-of-a-token"


def tree() -> list[type[CalendarExtError]]:
    """Return every class we raise."""
    return [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, CalendarExtError)]


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_sentence(kind: type[CalendarExtError]) -> None:
    status, id = message_for(kind())
    assert id in MESSAGES
    assert status >= 400
    assert (status == 500) == (kind is Defect)


@pytest.mark.parametrize(("reason", "id"), SIGN_IN.items())
def test_every_reason_of_a_failed_sign_in_has_its_sentence(reason: str, id: str) -> None:
    assert message_for(SignInFailed(reason=reason)) == (400, id)


def test_M10_a_refused_return_address_is_named() -> None:
    assert message_for(SignInFailed(reason="code_refused", error="redirect_uri_mismatch")) == (400, "M10")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Gone(SECRET), 404, "This is no longer there."),
        (Refused("It ends before it begins."), 400, "It ends before it begins."),
        (KeyMissing(SECRET), 503, "CALENDAR_EXT_ENCRYPTION_KEYS"),
        (ProviderUnavailable(SECRET), 503, "is not answering"),
        (Defect(SECRET), 500, "Reference for the help desk:"),
        (ZeroDivisionError(SECRET), 500, "Reference for the help desk:"),
        (ValueError(SECRET), 500, "Reference for the help desk:"),
    ],
)
def test_a_view_that_fails_answers_with_a_sentence_and_nothing_else(
    connected: World, mira: Person, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, said: str
) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(type(connected.parts.health), "connections", fail)
    monkeypatch.setattr(type(connected.parts.panels), "account_tabs", lambda self, user: [])
    answer = mira.get(TAB)
    assert answer.status_code == status
    text = answer.get_data(as_text=True)
    assert said in text and SECRET not in text
    told = mira.get(TAB, headers={"Accept": "application/json"})
    assert told.status_code == status and told.json["error"] in MESSAGES
    assert SECRET not in told.get_data(as_text=True)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_page_that_was_open_for_too_long_says_so(mira: Person) -> None:
    answer = mira.client.post("/calendar/wake", data={"csrf_token": "old"}, base_url=BASE, headers={"Referer": BASE})
    assert answer.status_code == 400


def test_scripts_that_are_signed_out_get_401(connected: World) -> None:
    answer = connected.person().get("/calendar/changes", headers={"Accept": "application/json"})
    assert answer.status_code == 401


def test_several_providers_are_a_choice(connected: World, mira: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    (offer,) = connected.parts.connecting.offers("1")
    monkeypatch.setattr(type(connected.parts.connecting), "offers", lambda self, tenant: [offer, offer])
    page = mira.page("/calendar/start?next=/calendar/%3Fview=list")
    assert "Which calendar do you use?" in words_of(page)
    links = page.xpath("//a[contains(@class,'cx-tile')]/@href")
    assert links == ["/calendar/connect/google?next=/calendar/?view%3Dlist"] * 2
    monkeypatch.setattr(type(connected.parts.connecting), "offers", lambda self, tenant: [offer])
    assert mira.get("/calendar/start?next=//evil").location == "/calendar/connect/google?next=/calendar/"


def test_a_stopped_run_is_released(connected: World, mira: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(type(connected.parts.editing), "release", lambda self, user, id: asked.append(id))
    connection = mira.connection()
    assert mira.post(f"/calendar/connections/{connection}/release").status_code == 303
    assert "Approved. Synchronization goes on." in mira.reads(f"/calendar/connections/{connection}/problems")
    assert asked == [connection]


def test_nowhere_to_put_an_event_is_said(connected: World, mira: Person) -> None:
    connected.execute("UPDATE calendar_ext_calendar SET access = 'read'")
    try:
        answer = mira.get("/calendar/events/new")
        assert answer.status_code == 400
        assert "There is no calendar that new events could go to." in answer.get_data(as_text=True)
        listed = mira.page("/calendar/?view=list")
        event = listed.xpath("//a[contains(@class,'cx-event')]/@href")[0]
        assert "can only be read. New events cannot go there." in mira.reads(event)
    finally:
        connected.execute("UPDATE calendar_ext_calendar SET access = 'write' WHERE name != 'Holidays'")
