"""Connecting: the seven bindings of T-01, what a person may do wrong, and what stays when they sign in again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .world import BASE, JOAN, MIRA, PAGE, TAB, Person, World, query_of

M8 = "This sign-in link is no longer valid."


def audited(world: World, action: str = "connect") -> list[Any]:
    """Return the audit's lines of one action, newest first."""
    with world.parts.store.read() as unit:
        return [line for line in unit.audit.newest(50) if line.action == action]


def test_a_sign_in_ends_on_the_page_it_was_started_from_with_an_active_connection(world: World) -> None:
    mira = world.person("mira")
    back = mira.get(mira.agrees(mira.leaves(next=PAGE)))
    assert (back.status_code, back.location) == (303, PAGE)
    assert f"Connected as {MIRA}." in mira.reads(PAGE)
    assert "Connected as" not in mira.reads(PAGE), "said once"
    world.runs()
    assert f"Your Harbor Agenda is synchronized with {MIRA}" in mira.reads(TAB)
    assert audited(world)[0].after["outcome"] == "connected"


def test_the_browser_takes_neither_state_nor_verifier_anywhere_but_to_the_provider(world: World) -> None:
    answer = world.person("mira").get("/calendar/connect/google")
    sent = query_of(answer.location)
    assert sent["code_challenge_method"] == "S256"
    assert sent["redirect_uri"] == f"{BASE}/calendar/oauth/google/callback"
    assert len(sent["state"]) >= 43
    assert sent["state"] not in str(answer.headers["Set-Cookie"])
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if "calendar_ext_oauth" in line)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=600" in cookie
    stored = world.execute("SELECT * FROM calendar_ext_oauth_attempt").one()
    assert not any(sent["state"] in str(value) for value in stored)


def other_browser(world: World, mira: Person) -> Person:
    return world.person("mira")


def other_user(world: World, mira: Person) -> Person:
    joan = world.person("joan")
    joan.client._cookies.update(  # the binding cookie comes along, only the person differs
        {key: cookie for key, cookie in mira.client._cookies.items() if key[2] == "calendar_ext_oauth"}
    )
    return joan


def changed(**columns: Any) -> Callable[[World, Person], Person]:
    """Return a step that changes what the attempt is bound to, and nothing else."""

    def change(world: World, mira: Person) -> Person:
        for name, value in columns.items():
            world.execute(f"UPDATE calendar_ext_oauth_attempt SET {name} = :value", value=value)
        return mira

    return change


def moved_to_another_organisation(world: World, mira: Person) -> Person:
    world.execute('UPDATE "user" SET organisation_id = 2 WHERE id = 2')
    return mira


BINDINGS = {
    "state": changed(state_hash="0" * 64),
    "user": other_user,
    "tenant": moved_to_another_organisation,
    "browser": other_browser,
    "provider": changed(provider="other"),
    "redirect_uri": changed(redirect_uri=f"{BASE}/calendar/oauth/other/callback"),
    "expiry": changed(expires_at=1),
}


@pytest.mark.parametrize("binding", BINDINGS)
def test_T01_each_binding_alone_ends_a_sign_in_before_any_token_is_asked_for(world: World, binding: str) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    who = BINDINGS[binding](world, mira)
    answer = who.get(callback)
    assert answer.status_code == 400
    assert M8 in answer.get_data(as_text=True)
    assert world.asked_for_tokens() == 0
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 0
    (line,) = audited(world)
    assert line.after["outcome"] == "refused"


def test_T01_a_link_used_twice_is_refused(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    assert mira.get(callback).status_code == 303
    again = mira.get(callback)
    assert (again.status_code, M8 in again.get_data(as_text=True)) == (400, True)
    assert world.asked_for_tokens() == 1


def test_T01_fifty_replays_at_once_ask_for_one_token(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    cookies = "; ".join(f"{key[2]}={cookie.value}" for key, cookie in mira.client._cookies.items())

    def replay(number: int) -> int:
        asking = world.app.test_client(use_cookies=False)
        return asking.get(callback, base_url=BASE, headers={"Cookie": cookies}).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(replay, range(50)))
    assert sorted(set(answers)) == [303, 400]
    assert answers.count(303) == 1
    assert world.asked_for_tokens() == 1


def test_T03_an_answer_of_another_issuer_is_refused_before_any_token_is_asked_for(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    answer = mira.get(f"{callback}&iss=https://evil.example")
    assert answer.status_code == 303 and M8 in mira.reads(TAB)
    assert world.asked_for_tokens() == 0


@pytest.mark.parametrize("rubbish", ["", "?state=", "?code=x", "?state=%00&code=%ff", "?state=" + "x" * 5000])
def test_rubbish_at_the_callback_is_answered_with_a_sentence(world: World, rubbish: str) -> None:
    answer = world.person("mira").get(f"/calendar/oauth/google/callback{rubbish}")
    assert (answer.status_code, M8 in answer.get_data(as_text=True)) == (400, True)


def test_T07_a_strict_host_cookie_costs_one_page_of_our_own(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    key = next(key for key in mira.client._cookies if key[2] == "harbor_session")
    session = mira.client._cookies.pop(key)
    unseen = mira.get(callback)
    assert unseen.status_code == 200
    assert unseen.headers["Referrer-Policy"] == "no-referrer"
    onward = str(unseen.get_data(as_text=True).split("url=")[1].split('"')[0]).replace("&amp;", "&")
    assert onward.startswith("/calendar/oauth/google/callback?")
    assert world.asked_for_tokens() == 0
    mira.client._cookies[key] = session
    assert mira.get(onward).status_code == 303
    assert mira.connection(MIRA)


def test_somebody_who_is_really_signed_out_is_told_so(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    answer = world.person().get(f"{callback}&continued=1")
    assert answer.status_code == 401
    assert "You were signed out of Harbor." in answer.get_data(as_text=True)


def test_M2_a_refused_consent_changes_nothing_and_offers_to_try_again(world: World) -> None:
    mira = world.person("mira")
    state = query_of(mira.leaves())["state"]
    answer = mira.get(f"/calendar/oauth/google/callback?state={state}&error=access_denied")
    assert (answer.status_code, answer.location) == (303, TAB)
    page = mira.page(TAB)
    text = " ".join(page.text_content().split())
    assert "Sign-in was not finished. Nothing was changed." in text
    links = {a.text: a.get("href") for a in page.xpath("//div[contains(@class,'cx-notice')]//a")}
    assert links["Try again"].startswith("/calendar/connect/google")
    assert links["Help with connecting"] == "/calendar/help?provider=google"
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 0


@pytest.mark.parametrize("left_out", ["calendar.events", "calendar.calendarlist.readonly"])
def test_M3_an_unticked_permission_makes_a_limited_connection_that_says_so(world: World, left_out: str) -> None:
    mira = world.person("mira")
    assert mira.get(mira.agrees(mira.leaves(), without=left_out)).status_code == 303
    m3 = "Google did not give access to your calendar. Tick the calendar permission on the next screen."
    assert m3 in mira.reads(TAB)
    assert world.scalar("SELECT status FROM calendar_ext_account") == "limited"
    assert world.scalar("SELECT count(*) FROM calendar_ext_calendar WHERE reads = 'mirror'") == 0
    world.runs()
    text = mira.reads(TAB)
    assert m3 in text and "is synchronized with" not in text
    mira.connects(repairs=mira.connection())
    world.runs()
    assert f"Your Harbor Agenda is synchronized with {MIRA}" in mira.reads(TAB)


def test_M7_another_account_never_takes_over_a_connection(world: World) -> None:
    mira = world.person("mira")
    connection = mira.connects()
    world.runs()
    before = world.execute("SELECT id, remote_id, reads FROM calendar_ext_calendar ORDER BY id").all()
    answer = mira.get(mira.agrees(mira.leaves(repairs=connection), JOAN))
    assert answer.status_code == 303
    page = mira.page(TAB)
    assert f"You signed in as {JOAN}, but this connection is for {MIRA}." in " ".join(page.text_content().split())
    offered = {a.text: a.get("href") for a in page.xpath("//div[contains(@class,'cx-notice')]//a")}
    assert f"repairs={connection}" in offered[f"Use {MIRA}"]
    assert "repairs" not in offered[f"Connect {JOAN} as another calendar"]
    assert world.execute("SELECT id, remote_id, reads FROM calendar_ext_calendar ORDER BY id").all() == before
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 1


def test_T04_signing_in_again_keeps_ids_cursors_choices_and_events(world: World) -> None:
    mira = world.person("mira")
    connection = mira.connects()
    world.runs()

    def kept() -> list[Any]:
        tables = ("account", "connection", "calendar", "calendar_person", "cursor", "event")
        return [world.execute(f"SELECT * FROM calendar_ext_{table} ORDER BY 1, 2").all() for table in tables]

    world.execute("UPDATE calendar_ext_account SET status = 'reconnect_needed', status_at = 1")
    before = kept()
    assert "Sign in to Google again to continue." in mira.reads(TAB)
    assert mira.connects(repairs=connection) == connection
    assert "Connected again as mira@example.test. Nothing was lost." in mira.reads(TAB)
    world.execute("UPDATE calendar_ext_account SET status = 'reconnect_needed', status_at = 1")
    assert kept() == before


def test_the_same_account_for_two_people_is_one_account_with_two_connections(world: World) -> None:
    world.person("mira").connects()
    world.person("joan").connects(MIRA)
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 1
    assert world.scalar("SELECT count(*) FROM calendar_ext_connection") == 2
    assert world.scalar("SELECT count(*) FROM calendar_ext_calendar_person WHERE writes") == 2


def test_another_organisation_has_an_account_of_its_own(world: World) -> None:
    world.person("mira").connects()
    nils = world.person("nils")
    nils.connects(MIRA, again="1")
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 2
    assert "Okafor" not in nils.reads(TAB)


def test_a_grant_without_a_lasting_token_asks_for_consent_once_more(world: World) -> None:
    world.person("mira").connects()
    nils = world.person("nils")
    assert nils.get(nils.agrees(nils.leaves(), MIRA)).status_code == 303
    page = nils.page(TAB)
    assert "Google gave access only for an hour." in " ".join(page.text_content().split())
    assert "again=1" in page.xpath("//div[contains(@class,'cx-notice')]//a")[0].get("href")
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 1


def test_the_waiting_page_learns_how_a_sign_in_ended_from_the_server_alone(world: World) -> None:
    mira, joan = world.person("mira"), world.person("joan")
    address = mira.leaves()
    attempt = world.scalar("SELECT public_id FROM calendar_ext_oauth_attempt")
    assert mira.get(f"/calendar/connect/attempts/{attempt}").json == {"outcome": "waiting", "connection": ""}
    assert joan.get(f"/calendar/connect/attempts/{attempt}").status_code == 404
    mira.get(mira.agrees(address))
    ended = mira.get(f"/calendar/connect/attempts/{attempt}").json
    assert ended == {"outcome": "connected", "connection": mira.connection()}


def test_the_provider_failing_at_the_last_step_leaves_nothing_behind(world: World) -> None:
    mira = world.person("mira")
    callback = mira.agrees(mira.leaves())
    world.standin.control("fail", status=503, times=9, matching="calendarList")
    assert mira.get(callback).status_code == 303
    assert "Google is not answering. Nothing was changed." in mira.reads(TAB)
    assert world.scalar("SELECT count(*) FROM calendar_ext_account") == 0
    world.standin.control("clear_faults")
    mira.connects(again="1")


def test_a_code_the_provider_does_not_know_is_no_connection(world: World) -> None:
    mira = world.person("mira")
    state = query_of(mira.leaves())["state"]
    assert mira.get(f"/calendar/oauth/google/callback?state={state}&code=made-up").status_code == 303
    assert "Sign-in was not finished. Nothing was changed." in mira.reads(TAB)
