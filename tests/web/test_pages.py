"""What pages say, what they never contain, and what they cost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import html

from calendar_ext.web.blueprint import POLICY, routes

from .test_access import ROUTES, address
from .world import MIRA, PAGE, TAB, Person, World, words

TODAY = datetime.now(UTC).date()
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "<svg onload=alert(1)>",
    "<svg><animate onrepeat=alert(1) attributeName=x>",
    "javascript:alert(1)",
    "{{ config }}{% raw %}",
    "</title></textarea><script>alert(1)</script>",
    "\u202eevil\u0000 <b>",
    "{0.__class__}{email}%(x)s",
]


def item(title: str, *, days: int = 1, hour: int = 9, **more: Any) -> dict[str, Any]:
    """Return an event as its owner would make it at the provider."""
    start = datetime.combine(TODAY + timedelta(days=days), datetime.min.time(), UTC).replace(hour=hour)
    times = {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": (start + timedelta(hours=1)).isoformat()}}
    return {"summary": title, **times, **more}


def made(world: World, title: str, **more: Any) -> Any:
    """Make an event at the provider and let it come in."""
    made = world.standin.control("create", item=item(title, **more))
    world.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    world.runs(1)
    return made


def event_address(world: World, mira: Person, title: str) -> str:
    """Return the address of the first event of that title on the list."""
    page = mira.page(f"{PAGE}?view=list")
    links = page.xpath("//a[contains(@class,'cx-event')]")
    return next(a.get("href") for a in links if title in a.text_content())


def test_the_tab_says_the_status_sentence_with_badge_last_sync_and_counts(mira: Person) -> None:
    text = mira.reads(TAB)
    assert f"Your Harbor Agenda is synchronized with {MIRA}" in text
    assert re.search(r"Connected Last sync \d+ \w+ ago \d+ events? in step", text)
    assert "Syncing" in text


def test_a_card_has_the_switch_beside_disconnect(mira: Person) -> None:
    page = mira.page(TAB)
    (switch,) = page.xpath("//button[@role='switch']")
    assert switch.get("aria-checked") == "true"
    assert switch.get("aria-label") == f"Auto-sync, Google Calendar, {MIRA}"
    row = switch.xpath("ancestor::li")[0]
    assert "Disconnect" in words_of(row)


def words_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_the_calendar_page_is_a_month_as_a_table_and_a_list(mira: Person) -> None:
    page = mira.page(PAGE)
    assert len(page.xpath("//table[contains(@class,'cx-month')]//thead//th")) == 7
    assert page.xpath("//td[contains(@class,'cx-today')]//a[@aria-current='date']")
    assert "Dentist" in words(page) or "Dentist" in mira.reads(f"{PAGE}?view=list")
    listed = mira.page(f"{PAGE}?view=list")
    (name,) = {
        a.get("aria-label") for a in listed.xpath("//a[contains(@class,'cx-event')]") if "Dentist" in words_of(a)
    }
    assert re.match(rf"Dentist, \w+day.*, calendar {MIRA}, in step$", name)


@pytest.mark.parametrize("d", ["2026-02-30", "x", "99999-01-01", "0001-01-01", "2199-12-31", "1970-01-01", "%00"])
@pytest.mark.parametrize("view", ["month", "list", "nonsense"])
def test_no_day_anybody_asks_for_breaks_the_page(mira: Person, d: str, view: str) -> None:
    assert mira.get(f"{PAGE}?view={view}&d={d}").status_code == 200


def test_the_month_view_asks_two_questions(connected: World, mira: Person) -> None:
    mira.get(PAGE)
    user = connected.profile("2")
    with connected.statements() as said:
        agenda = connected.parts.reading.agenda(user, TODAY.replace(day=1), 42)
    assert len(said) == 2, said
    assert agenda.items


def test_events_outside_the_stored_window_are_expanded_on_read(connected: World, mira: Person) -> None:
    user = connected.profile("2")
    far = (TODAY + timedelta(days=3 * 365)).replace(day=1)
    found = connected.parts.reading.agenda(user, far, 42)
    assert {item.title for item in found.items} == {"Team meeting"}
    assert len(found.items) == 6
    first = found.items[0]
    assert mira.get(f"/calendar/events/{first.event}?at={first.at}").status_code == 200


def test_changes_answer_304_with_one_question_until_something_changes(connected: World, mira: Person) -> None:
    page = mira.page(PAGE)
    since = page.xpath("//*[@data-cx-since]")[0].get("data-cx-since")
    first = mira.get("/calendar/changes", query_string={"since": since})
    assert first.status_code == 200 and first.json == {"cursor": since, "events": [], "reload": False}
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = first.headers["ETag"]
    with connected.statements() as said:
        again = mira.get("/calendar/changes", query_string={"since": since}, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert len([s for s in said if "installation" not in s]) == 1, said
    assert not any("FROM calendar_ext_event" in s for s in said)
    made(connected, "Something new", days=2)
    third = mira.get("/calendar/changes", query_string={"since": since}, headers={"If-None-Match": tag})
    assert third.status_code == 200
    assert [event["title"] for event in third.json["events"]] == ["Something new"]
    assert "Something new" in mira.reads(f"{PAGE}?view=list")
    fresh = mira.get("/calendar/changes", query_string={"since": third.json["cursor"]})
    assert fresh.json["events"] == []


@pytest.mark.parametrize("since", ["", ",,,", "x:y", "a:1,b", "A" * 9000, ":" * 50, "x:99999999999999999999999"])
def test_rubbish_as_a_cursor_is_answered(mira: Person, since: str) -> None:
    assert mira.get("/calendar/changes", query_string={"since": since}).status_code == 200


def test_T47_changes_are_each_person_s_own(connected: World) -> None:
    for name in ("joan", "nils"):
        assert connected.person(name).get("/calendar/changes").json == {"cursor": "", "events": [], "reload": False}


def test_an_open_page_wakes_its_account_at_most_every_half_minute(connected: World, mira: Person) -> None:
    connected.execute("UPDATE calendar_ext_sync_state SET read_ok_at = 1")
    connected.execute("DELETE FROM calendar_ext_wake")
    for _ in range(3):
        assert mira.post("/calendar/wake").status_code == 204
    assert connected.scalar("SELECT count(*) FROM calendar_ext_wake") == 1
    connected.runs()


@pytest.fixture(scope="module")
def hostile(connected: World) -> list[str]:
    """Events whose every text is hostile; their titles."""
    for number, payload in enumerate(PAYLOADS):
        clean = payload.replace("\0", "")
        connected.standin.control(
            "create",
            item=item(
                f"{number} {clean}",
                days=1 + number % 3,
                hour=8 + number,
                location=clean,
                description=clean,
                attendees=[{"email": f"guest{number}@example.test", "displayName": clean}],
            ),
        )
    connected.execute('UPDATE calendar_ext_calendar SET name = :name WHERE "primary"', name=PAYLOADS[0])
    connected.execute("UPDATE calendar_ext_sync_state SET next_at = 0")
    connected.runs(1)
    connected.execute('UPDATE calendar_ext_calendar SET name = :name WHERE "primary"', name=PAYLOADS[0])
    return [f"{number} {payload}" for number, payload in enumerate(PAYLOADS)]


def surfaces(world: World, mira: Person) -> list[str]:
    """Return every page on which texts of events appear."""
    listed = mira.page(f"{PAGE}?view=list")
    events = {a.get("href") for a in listed.xpath("//a[contains(@class,'cx-event')]") if words_of(a)[:1].isalnum()}
    pages = [PAGE, f"{PAGE}?view=list", TAB, "/activities/", "/calendar/events/new"]
    pages.append(f"/calendar/connections/{mira.connection()}/calendars")
    pages.append(f"/calendar/connections/{mira.connection()}/problems")
    for event in sorted(events):
        plain = event.partition("?")[0]
        pages += [event, f"{plain}/edit", f"{plain}/move", f"{plain}/delete"]
    return pages


def test_T32_nothing_an_event_says_becomes_markup(connected: World, mira: Person, hostile: list[str]) -> None:
    seen = ""
    for page in surfaces(connected, mira):
        answer = mira.get(page)
        assert answer.status_code == 200, page
        text = answer.get_data(as_text=True)
        tree = html.document_fromstring(text)
        assert not tree.xpath("//*[@class='cx']//script | //*[@class='cx']//img | //svg//animate"), page
        assert not [a for element in tree.iter() for a in element.attrib if str(a).startswith("on")], page
        assert not tree.xpath("//a[starts-with(normalize-space(@href), 'javascript')]"), page
        assert "{0.__class__}" not in text or "&lt;class" not in text
        seen += words(tree)
    for title in hostile:
        assert title.partition(" ")[0] in seen
    assert "<script>alert(1)</script>" in seen, "shown as text, not lost"


@pytest.mark.parametrize(
    ("link", "becomes_a_link"),
    [("https://meet.example/abc", True), ("javascript:alert(1)", False), ("https://a@b", False), ("//evil", False)],
)
def test_T33_only_a_web_address_becomes_a_link(connected: World, mira: Person, link: str, becomes_a_link: bool) -> None:
    made(connected, f"Meeting at {link}", location=link, days=4)
    page = mira.page(event_address(connected, mira, f"Meeting at {link}"))
    found = [a for a in page.xpath("//a[@href]") if a.get("href") == link]
    assert bool(found) == becomes_a_link
    assert link in words(page)
    assert all("noopener" in a.get("rel", "") for a in found)


def every_page(world: World, mira: Person, ids: dict[str, str]) -> list[str]:
    return [address(r, ids) for r in ROUTES if "GET" in r.methods and r.endpoint not in ("connect", "start")]


def test_no_page_has_a_script_a_style_or_a_handler_in_it(connected: World, mira: Person, ids: dict[str, str]) -> None:
    for page in every_page(connected, mira, ids):
        text = mira.get(page).get_data(as_text=True)
        if not text.lstrip().startswith("<"):
            continue
        tree = html.document_fromstring(text)
        assert not tree.xpath("//style | //*[@style]"), page
        assert not [s for s in tree.xpath("//script") if not s.get("src") or (s.text or "").strip()], page
        assert not [a for element in tree.iter() for a in element.attrib if str(a).startswith("on")], page


def test_T43_headers_are_on_every_answer(connected: World, mira: Person, ids: dict[str, str]) -> None:
    for page in [*every_page(connected, mira, ids), "/calendar/connect/google"]:
        answer = mira.get(page)
        wanted = "private, no-cache" if page.endswith("/changes") else "no-store"
        assert answer.headers["Cache-Control"] == wanted, page
        assert "Cookie" in answer.headers["Vary"], page
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with mira.get("/calendar/static/cx.css") as static:
        assert static.status_code == 200 and "no-store" not in str(static.headers.get("Cache-Control"))


def test_pages_for_nobody_stand_alone_under_a_strict_policy(connected: World) -> None:
    answer = connected.person().get("/calendar/oauth/google/callback?continued=1&state=x")
    assert answer.status_code == 401
    assert "Harbor Home" not in answer.get_data(as_text=True)
    assert answer.headers["Content-Security-Policy"] in (POLICY, answer.headers["Content-Security-Policy"])


def test_ids_of_rows_stand_in_no_address(connected: World, mira: Person, ids: dict[str, str]) -> None:
    for page in every_page(connected, mira, ids):
        text = mira.get(page).get_data(as_text=True)
        links = re.findall(r'(?:href|action)="(/calendar/[^"]*)"', text)
        assert not [link for link in links if re.search(r"/\d+(/|\?|$)", link)], page


def test_every_form_carries_a_token(connected: World, mira: Person, ids: dict[str, str]) -> None:
    forms = 0
    for page in every_page(connected, mira, ids):
        text = mira.get(page).get_data(as_text=True)
        if text.lstrip().startswith("<"):
            for form in html.document_fromstring(text).xpath("//form[translate(@method,'POST','post')='post']"):
                assert form.xpath(".//input[@name='csrf_token'][@value!='']"), (page, form.get("action"))
                forms += 1
    assert forms > 10


def test_the_page_of_a_person_s_language_and_zone_is_theirs(connected: World, mira: Person) -> None:
    connected.execute("UPDATE \"user\" SET locale = 'de', zone = 'America/New_York' WHERE id = 2")
    try:
        page = mira.page(TAB)
        assert page.xpath("//*[@data-cx-theme]")[0].get("lang") == "de"
        assert f"Ihre Agenda in Harbor ist mit {MIRA} synchronisiert" in words(page)
        assert "Mo" in words(mira.page(PAGE))
    finally:
        connected.execute("UPDATE \"user\" SET locale = 'en-GB', zone = 'Europe/Amsterdam' WHERE id = 2")


def test_static_files_and_every_route_lie_below_the_prefix(connected: World) -> None:
    for rule in connected.app.url_map.iter_rules():
        if rule.endpoint.startswith("calendar_ext."):
            assert str(rule).startswith("/calendar/")
    assert len(routes()) == len({(r.endpoint) for r in routes()})
