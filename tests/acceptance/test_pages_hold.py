"""Every page of the extension, whoever asks and whatever is sent: never a failure, never anything inline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from demo.browser import Browser, Page
from demo.chapters.appointments import make
from demo.chapters.calendar import TAB, until_shown
from demo.chapters.cast import Cast, in_hours
from demo.chapters.syncing import google_event

from . import stage
from .crawling import PREFIX, Walk, inline, walk
from .windows import Windows

STRICT = "default-src 'self'"
RUBBISH = (
    "0",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "9999-99-99",
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass"),
    "½ שלום 🗓 " + "x" * 5_000,
)
NASTIEST = ("", "9999-12-31", "\x00")
#: In place of an id, a day, a cursor.
BENT = ("0", "-1", "%00", "%FF%FE", "..%2F..", "x" * 300, "%F0%9F%97%93", "%3Cscript%3E", "9999-12-31", "0001-01-01")
#: What our addresses may be asked.
QUESTIONS = (
    "?view=list&d=", "?view=month&d=", "?view=", "changes?since=", "events/new?d=", "start?next=", "help?provider=",
    "connect/google?next=", "connect/google?repairs=", "connect/google?again=",
)  # fmt: skip


class Strict:
    """A second policy on every answer, as the strictest of hosts would have it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("Content-Security-Policy", STRICT)], exc_info)

        return self._app(environ, start)


@dataclass
class House:
    """A connected Mira, the administrator, somebody of another organisation, and somebody who is not signed in."""

    cast: Cast
    people: dict[str, Browser]
    mira: Walk = field(default_factory=Walk)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all of these tests: they may break doors, not the building."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")
        with (
            stage.stage(tmp_path_factory.mktemp("house")) as cast,
            stage.somebody(cast.demo) as nils,
            stage.somebody(cast.demo) as anybody,
        ):
            _furnish(cast, nils)
            made = House(cast, {"member": cast.mira, "admin": cast.ada, "outsider": nils, "nobody": anybody})
            made.mira = walk(cast.demo.app, cast.mira)
            yield made


def _furnish(cast: Cast, nils: Browser) -> None:
    """Something of everything: guests, a series, a private event, an appointment on both sides, one only here."""
    guests = {"attendees": [{"email": "guest@example.test"}]}
    cast.google("create", item={**google_event("With a guest", in_hours(26)), **guests})
    hostile = {"location": "javascript:alert(1)", "description": "<b onclick=x>bold</b> & <script>x</script>"}
    cast.google("create", item={**google_event("<img src=x onerror=y>", in_hours(27)), **hostile})
    stage.connected(cast)
    cast.sign_in(nils, "nils")
    make(cast, "On both sides", in_hours(30), in_hours(31), invite_guests=False)
    make(cast, "Of the past", in_hours(-24 * 800), in_hours(-24 * 800 + 1), invite_guests=False)
    until_shown(cast, "On both sides")
    cast.demo.app.wsgi_app = Strict(cast.demo.app.wsgi_app)


# ── Looking ────────────────────────────────────────────────────────────────────────────────────────────────────

#: What the walk must have come across, or it looked at too little.
KINDS = {
    "page", "settings", "event", "edit", "move", "delete", "new", "disconnect", "calendars", "help", "guide",
}  # fmt: skip


def test_the_walk_comes_to_every_kind_of_page(house: House) -> None:
    adapter = house.cast.demo.app.url_map.bind("")
    ours = [address.partition("?")[0] for address in house.mira.pages if address.startswith(PREFIX)]
    endpoints = {adapter.match(path)[0].removeprefix("calendar_ext.") for path in ours}
    assert endpoints >= KINDS


@pytest.mark.parametrize("who", ["member", "admin", "outsider", "nobody"])
def test_no_page_breaks_and_none_has_anything_inline(house: House, who: str) -> None:
    found = walk(house.cast.demo.app, house.people[who], also=tuple(house.mira.statuses))
    assert not found.broken()
    assert not [thing for page in found.pages.values() for thing in inline(page)]


@pytest.mark.parametrize("who", ["admin", "outsider", "nobody"])
def test_what_is_miras_is_not_there_for_anybody_else(house: House, who: str) -> None:
    hers = [address for address in house.mira.statuses if "/events/" in address or "/connections/" in address]
    hers = [address for address in hers if "/events/new" not in address]
    found = {house.people[who].status(address) for address in hers}
    assert hers and found == ({302} if who == "nobody" else {404})


@pytest.mark.parametrize("who", ["member", "outsider", "nobody"])
def test_bent_addresses_are_answered_not_broken(house: House, who: str) -> None:
    answers = {address: house.people[who].status(address) for address in bent_addresses(house)}
    assert not {address: status for address, status in answers.items() if status >= 500}


def bent_addresses(house: House) -> Iterator[str]:
    """Yield every address of ours with something else where an id stands, and bent questions behind it."""
    for rule in house.cast.demo.app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX) and "GET" in (rule.methods or ()):
            for bent in BENT if rule.arguments else ():
                yield rule.rule.replace("<path:filename>", bent).replace("<id>", bent).replace("<provider>", bent)
    event = next(address for address in house.mira.pages if "/events/" in address and "at=" in address)
    yield from (
        f"{event.partition('?')[0]}{page}?at={bent}" for page in ("", "/edit", "/move", "/delete") for bent in BENT
    )
    yield from (f"{PREFIX}{question}{bent}" for question in QUESTIONS for bent in BENT)
    yield from (f"{PREFIX}oauth/google/callback?state={bent}&code={bent}&error={bent}" for bent in BENT)


# ── In Chromium, under the strictest policy ────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_chromium_has_nothing_to_complain_about(house: House, windows: Windows, width: int) -> None:
    looked_at = {"member": main_pages(house.mira), "admin": ADMINS_PAGES}
    for who, addresses in looked_at.items():
        window = windows.open(width=width, cookies=house.people[who].session.cookies)
        for address in addresses:
            answer = window.goto(house.cast.demo.base_url + address)
            assert answer and STRICT in answer.headers["content-security-policy"]
            expect(window.locator(".cx" if address.startswith(PREFIX) else "main").first).to_be_visible()


ADMINS_PAGES = ["/calendar/admin/health", "/marketplace/calendar_ext", "/marketplace/calendar_ext/uninstall"]


def main_pages(found: Walk) -> list[str]:
    """Return one address of each kind of page that Mira has."""
    return list({tuple(part for part in path.split("/") if len(part) < 20): path for path in found.pages}.values())


@pytest.mark.browser
def test_an_inline_script_would_have_been_noticed(house: House, windows: Windows) -> None:
    window = windows.open()
    body = "<p style='color:red'>Styled</p><script>document.title = 'ran'</script>"
    headers = {"Content-Security-Policy": STRICT, "Content-Type": "text/html"}
    window.route("**/planted", lambda route: route.fulfill(body=body, headers=headers))
    window.goto(f"{house.cast.demo.base_url}/planted")
    expect(window.get_by_text("Styled")).to_be_visible()
    assert len(windows.troubles) >= 2
    windows.troubles.clear()


def test_something_inline_would_have_been_found(house: House) -> None:
    planted = "<style>b{}</style><b onclick='x' style='y'>z</b><script>1</script><a href=' JavaScript:x'>y</a>"
    answer: Any = SimpleNamespace(status_code=200, url="/planted", text=f"<html><body>{planted}</body></html>")
    assert len(inline(Page(house.cast.mira, answer))) == 5


# ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_form_breaks_whatever_is_sent(house: House) -> None:
    answers = [
        (address, body, send(house.cast.mira, address, page, body))
        for address, page, form in house.mira.forms(house.cast.demo.app)
        for body in bodies(house.cast.mira, form)
    ]
    assert not [answer for answer in answers if answer[-1] >= 500]
    assert {400, 303} <= {status for *_, status in answers} <= {200, 303, 400, 404, 409}
    assert len(answers) > 100


def send(person: Browser, address: str, page: Page, body: dict[str, Any]) -> int:
    """Post something to the address of a form; return the status."""
    answer = person.session.post(
        person.home + address, headers={"Referer": page.url}, allow_redirects=False, timeout=60, **body
    )
    return answer.status_code


def bodies(person: Browser, form: Any) -> Iterator[dict[str, Any]]:
    """Yield what is sent to one form: no token, no fields, rubbish in every field, and then in one at a time."""
    token = {"csrf_token": person.get(TAB).find("//input[@name='csrf_token']/@value")[0]}
    given = dict(form.form_values()) | token
    names = sorted({*given, "next", "notify"} - {*token})
    yield {"data": {}}
    yield {"data": dict.fromkeys(names, "1")}
    yield {"json": token}
    yield {"data": b"\xff\xfe%00"}
    yield {"data": [*token.items(), *((name, value) for name in names for value in ("a", "b"))]}
    yield from ({"data": dict.fromkeys(names, rubbish) | token} for rubbish in RUBBISH)
    yield from ({"data": given | {name: rubbish}} for name in names for rubbish in NASTIEST)


def test_the_house_still_stands(house: House) -> None:
    assert house.cast.mira.get(PREFIX).status == 200
    assert house.cast.mira.get(TAB).status == 200
    assert house.cast.ada.get("/calendar/admin/health").status == 200
