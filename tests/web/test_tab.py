"""The tab and the pages behind it: pause, sync, choose, disconnect, switch, and every state a connection can be in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calendar_ext.persistence.vault import Secret

from .test_pages import PAYLOADS, item, words_of
from .world import JOAN, MIRA, PAGE, TAB, Person, World

TRUE = "is synchronized with"


@pytest.fixture
def there(world: World) -> Person:
    """Mira, connected and in step, in a world of her own."""
    mira = world.person("mira")
    mira.connects()
    world.runs()
    assert TRUE in mira.reads(TAB)
    return mira


def badge(person: Person) -> str:
    """Return what the badge on the card says."""
    return words_of(person.page(TAB).xpath("//li[contains(@id,'cx-card')]//*[contains(@class,'cx-badge')]")[0])


def test_D13_the_switch_pauses_at_once_and_undo_takes_it_back(world: World, there: Person) -> None:
    address = f"/calendar/connections/{there.connection()}/auto-sync"
    assert there.post(address, on="0").status_code == 303
    page = there.page(TAB)
    text = words_of(page)
    assert "Paused. 0 changes waiting." in text
    assert f"Synchronization with {MIRA} is paused." in text and TRUE not in text
    assert badge(there) == "Paused"
    (switch,) = page.xpath("//button[@role='switch']")
    assert switch.get("aria-checked") == "false"
    assert page.xpath("//form[button='Undo']/@action") == [address]
    world.standin.control("create", item=item("Made while paused"))
    world.runs()
    assert "Made while paused" not in there.reads(f"{PAGE}?view=list")
    there.post(address, on="0")
    assert there.post(address, on="1").status_code == 303
    assert "Resumed. 0 changes are on their way." in there.reads(TAB)
    world.runs()
    assert TRUE in there.reads(TAB)
    assert "Made while paused" in there.reads(f"{PAGE}?view=list")


@pytest.mark.parametrize("on", ["", "2", "<script>"])
def test_a_switch_knows_two_positions(there: Person, on: str) -> None:
    assert there.post(f"/calendar/connections/{there.connection()}/auto-sync", on=on).status_code == 400
    assert badge(there) == "Syncing"


def test_sync_now_reads_the_calendar(world: World, there: Person) -> None:
    world.standin.control("create", item=item("Just made"))
    assert there.post(f"/calendar/connections/{there.connection()}/sync").status_code == 303
    assert f"Synchronization with {MIRA} has been started." in there.reads(TAB)
    world.runs(1)
    assert "Just made" in there.reads(f"{PAGE}?view=list")


def test_choosing_calendars_reads_new_ones_and_ends_old_ones(world: World, there: Person) -> None:
    address = f"/calendar/connections/{there.connection()}/calendars"
    page = there.page(address)
    rows = {words_of(row.xpath("./th")[0]): row for row in page.xpath("//tbody/tr")}
    main = rows[f"{MIRA} Main calendar"]
    assert main.xpath(".//input[@name='mirrored']/@checked") and main.xpath(".//input[@name='destination']/@checked")
    assert not rows["Holidays Read only"].xpath(".//input[@type='radio'] | .//input[@checked]")
    interviews = rows["Interviews"].xpath(".//input[@name='mirrored']/@value")[0]
    primary = main.xpath(".//input[@name='mirrored']/@value")[0]
    world.standin.control("create", item=item("An interview"), calendar=calendar_named(world, "Interviews"))
    answer = there.post(address, mirrored=[primary, interviews], checked=[primary], destination=interviews)
    assert answer.status_code == 303
    world.runs()
    assert "An interview" in there.reads(f"{PAGE}?view=list")
    there.post(address, mirrored=[primary], checked=[primary], destination=primary, removed="keep")
    world.runs()
    assert "An interview" in there.reads(f"{PAGE}?view=list")
    there.post(address, mirrored=[primary, interviews], destination=primary)
    there.post(address, mirrored=[primary], destination=primary, removed="remove")
    world.runs()
    assert "An interview" not in there.reads(f"{PAGE}?view=list")


def calendar_named(world: World, name: str) -> str:
    return str(world.scalar("SELECT remote_id FROM calendar_ext_calendar WHERE name = :name", name=name))


def test_M15_a_calendar_that_can_only_be_read_takes_no_new_events(world: World, there: Person) -> None:
    address = f"/calendar/connections/{there.connection()}/calendars"
    holidays = world.scalar("SELECT public_id FROM calendar_ext_calendar WHERE name = 'Holidays'")
    before = world.execute("SELECT * FROM calendar_ext_calendar_person").all()
    answer = there.post(address, mirrored=[holidays], destination=holidays)
    assert answer.status_code == 400
    assert "This calendar can only be read. New events cannot go there." in answer.get_data(as_text=True)
    assert there.post(address, mirrored=["unknown"], destination="").status_code == 400
    assert there.post(address, mirrored=[], direction="sideways").status_code == 400
    assert world.execute("SELECT * FROM calendar_ext_calendar_person").all() == before


def test_the_list_of_calendars_can_be_asked_for_again(world: World, there: Person) -> None:
    world.standin.control("add_calendar", summary="Brand new")
    address = f"/calendar/connections/{there.connection()}/calendars"
    assert "Brand new" not in there.reads(address)
    assert there.post(f"{address}/refresh").status_code == 303
    assert "Brand new" in there.reads(address)


def test_only_what_goes_out_is_shown_of_a_connection_that_only_goes_out(world: World, there: Person) -> None:
    address = f"/calendar/connections/{there.connection()}/calendars"
    assert "Dentist" in there.reads(f"{PAGE}?view=list")
    primary = world.scalar('SELECT public_id FROM calendar_ext_calendar WHERE "primary"')
    fields = {"mirrored": primary, "checked": primary, "destination": primary}
    assert there.post(address, **fields, direction="to_provider").status_code == 303
    assert "Dentist" not in there.reads(f"{PAGE}?view=list")


def test_a_calendar_can_be_hidden_and_shown(world: World, there: Person) -> None:
    primary = world.scalar('SELECT public_id FROM calendar_ext_calendar WHERE "primary"')
    back = f"{PAGE}?view=list"
    assert there.post(f"/calendar/sources/{primary}", shown="0", next=back).location == back
    assert "Dentist" not in there.reads(back)
    assert there.post(f"/calendar/sources/{primary}", shown="1", next="//evil.com").location == PAGE
    assert "Dentist" in there.reads(back)


def test_D14_disconnecting_asks_first_and_the_question_changes_nothing(world: World, there: Person) -> None:
    text = there.reads(f"/calendar/connections/{there.connection()}/disconnect")
    assert "Disconnect Google Calendar?" in text
    assert f"{MIRA} stops synchronizing now and Harbor's access is revoked at Google." in text
    assert "Keep connected" in text
    assert TRUE in there.reads(TAB)


def test_A22_another_calendar_is_disconnect_then_connect_without_duplicates(world: World, there: Person) -> None:
    before = world.standin.state.mails[:]
    there.post(f"/calendar/connections/{there.connection()}/disconnect", here="keep", there="keep")
    text = there.reads(TAB)
    assert f"Disconnecting {MIRA}…" in text and TRUE not in text
    world.runs()
    assert "Your Harbor Agenda is not synchronized yet." in there.reads(TAB)
    assert all(grant.ended for grant in world.standin.state.grants)
    assert world.scalar("SELECT count(*) FROM calendar_ext_credential") == 0
    there.connects(JOAN)
    world.runs()
    assert f"Your Harbor Agenda is synchronized with {JOAN}" in there.reads(TAB)
    titles = [words_of(a) for a in there.page(f"{PAGE}?view=list").xpath("//a[contains(@class,'cx-event')]")]
    assert len([title for title in titles if "Second interview" in title]) == 1
    assert world.standin.state.mails == before


def test_disconnecting_twice_is_disconnecting_once(world: World, there: Person) -> None:
    address = f"/calendar/connections/{there.connection()}/disconnect"
    for _ in range(2):
        assert there.post(address, here="remove", there="keep").status_code == 303
    assert world.scalar("SELECT count(*) FROM calendar_ext_audit WHERE action = 'disconnect'") == 1


def test_signing_in_while_it_is_still_being_disconnected_waits(world: World, there: Person) -> None:
    there.post(f"/calendar/connections/{there.connection()}/disconnect")
    there.get(there.agrees(there.leaves(again="1")))
    assert f"{MIRA} is still being disconnected. Try again in a minute." in there.reads(TAB)


STATES: list[tuple[str, dict[str, Any], str, str]] = [
    ("account", {"status": "reconnect_needed"}, "Sign in to Google again to continue.", "Sign in again"),
    ("account", {"status": "credential_error"}, "Sign in to Google again to continue.", "Sign in again"),
    (
        "account",
        {"status": "consent_needed"},
        "Google asks your administrator to approve Harbor once.",
        "Waiting for your administrator",
    ),
    ("account", {"status": "limited", "status_reason": "missing_permission"}, "did not give access", "Sign in again"),
    ("account", {"status": "limited", "status_reason": "calendar_closed"}, "can no longer be read", "Attention"),
    ("account", {"status": "needs_review"}, "waits for you", "Waiting for you"),
    ("account", {"status": "disconnecting"}, f"Disconnecting {MIRA}…", "Disconnecting"),
    ("connection", {"paused_by": "owner"}, f"Synchronization with {MIRA} is paused.", "Paused"),
    ("connection", {"paused_by": "admin"}, "Your administrator paused synchronization.", "Paused"),
    (
        "sync_state",
        {"failures": 3, "error_class": "ProviderUnavailable", "failing_since": 1},
        "Google is not answering. We keep trying.",
        "Retrying",
    ),
    (
        "sync_state",
        {"failures": 1, "error_class": "RateLimited"},
        "Google asks us to slow down. Next try",
        "Retrying",
    ),
    ("sync_state", {"read_ok_at": 1}, "Google has not been read for a while. We keep trying.", "Retrying"),
    (
        "connection",
        {"first_sync": json.dumps({"started_at": 1})},
        f"Bringing in {MIRA}",
        "First sync",
    ),
]


@pytest.mark.parametrize(("table", "values", "sentence", "text"), STATES)
def test_E30_each_state_has_its_sentence_and_the_status_line_is_gone(
    world: World, there: Person, table: str, values: dict[str, Any], sentence: str, text: str
) -> None:
    for name, value in values.items():
        world.execute(f"UPDATE calendar_ext_{table} SET {name} = :value", value=value)
    page = words_of(there.page(TAB))
    assert sentence in page
    assert TRUE not in page
    assert badge(there) == text
    if "disconnecting" not in values.values():
        assert sentence in there.reads(PAGE)
    assert "Live ·" not in there.reads(PAGE)


def test_a_short_outage_is_only_a_badge(world: World, there: Person) -> None:
    world.execute(
        "UPDATE calendar_ext_sync_state SET failures = 1, error_class = 'ProviderUnavailable', "
        "failing_since = CAST(strftime('%s','now') AS INTEGER) - 60"
    )
    assert TRUE in there.reads(TAB)
    assert badge(there) == "Retrying"


def test_M14_a_calendar_that_is_gone_is_named(world: World, there: Person) -> None:
    world.execute('UPDATE calendar_ext_calendar SET removed_at = 5 WHERE "primary"')
    page = there.page(TAB)
    assert f'The calendar "{MIRA}" no longer exists at Google.' in words_of(page)
    assert page.xpath("//div[@id='cx-hero']//a[text()='Choose calendars']")


def test_E19_a_first_synchronization_counts_up_and_alarms_after_thirty_minutes(world: World) -> None:
    mira = world.person("mira")
    mira.connects()
    page = mira.page(TAB)
    text = words_of(page)
    assert f"Bringing in {MIRA}" in text
    assert "Usually done within a minute, at most 30. You can leave this page; it continues." in text
    assert "0 events so far" in text and "longer than 30 minutes" not in text
    assert page.xpath("//*[@data-cx-refresh='2']")
    assert page.xpath("//a[@data-cx-noscript]")[0].text == "Refresh"
    progress = {"phase": "all", "started_at": 1, "pulled": 796, "total": None, "calendars": [], "steps": []}
    progress["calendars"] = [{"id": "x", "name": PAYLOADS[0], "pulled": 796, "done": False}]
    progress["steps"] = [{"at": 1, "code": "started", "count": 0, "calendar": ""}]
    world.execute("UPDATE calendar_ext_sync_state SET progress = :facts", facts=json.dumps(progress))
    world.execute("UPDATE calendar_ext_connection SET first_sync = :facts", facts=json.dumps({"started_at": 1}))
    late = words_of(mira.page(TAB))
    assert "796 events so far" in late and "Signed in with Google" in late and PAYLOADS[0] in late
    assert "This takes longer than 30 minutes." in late


def test_the_worst_of_two_connections_speaks(world: World, there: Person) -> None:
    there.connects(JOAN)
    world.runs()
    assert f"Your Harbor Agenda is synchronized with {MIRA} and 1 more" in there.reads(TAB)
    world.execute("UPDATE calendar_ext_account SET status = 'reconnect_needed' WHERE email = :email", email=JOAN)
    text = there.reads(TAB)
    assert "Sign in to Google again to continue." in text and TRUE not in text
    tabs = world.app.extensions["harbor"].pm.hook.account_tabs
    assert tabs is not None


def test_M16_what_could_not_be_synchronized_is_listed_by_name_and_reason(world: World, there: Person) -> None:
    world.execute(
        "UPDATE calendar_ext_event SET quarantine = 'Its start or end could not be read.' WHERE title = 'Dentist'"
    )
    operation = world.execute("SELECT id FROM calendar_ext_operation ORDER BY id DESC LIMIT 1").scalar()
    world.execute(
        "UPDATE calendar_ext_operation SET state = 'failed', error_text = :text WHERE id = :id",
        text="The time is forbidden <b>",
        id=operation,
    )
    assert "1 event could not be synchronized." in there.reads(TAB)
    text = there.reads(f"/calendar/connections/{there.connection()}/problems")
    assert "Dentist" in text and "Its start or end could not be read." in text
    assert "Google refused" in text and "The time is forbidden <b>. It stays in Harbor." in text


def test_a_stopped_run_waits_for_a_person_and_is_released_by_one(world: World, there: Person) -> None:
    connection = there.connection()
    assert there.post(f"/calendar/connections/{connection}/release").status_code == 303
    assert "This could not be done. Nothing was changed." in there.reads(f"/calendar/connections/{connection}/problems")


def test_M9_a_provider_without_a_client_is_named_with_its_reason(world: World) -> None:
    object.__setattr__(world.parts.config, "google_client_id", "")
    mira = world.person("mira")
    page = mira.page(TAB)
    (tile,) = page.xpath("//button[contains(@class,'cx-tile')]")
    assert tile.get("disabled") is not None
    reason = page.xpath(f"//*[@id='{tile.get('aria-describedby')}']")[0].text
    assert reason == "Google sign-in is not set up. Administrators can add a client ID."
    assert not page.xpath("//a[text()='Start Synchronization']")
    answer = mira.get("/calendar/connect/google")
    assert answer.status_code == 303
    said = "Google sign-in is not set up for your organisation. Ask your administrator."
    assert said in mira.reads(TAB)


def test_M27_without_a_key_the_tab_explains_what_to_set(world: World) -> None:
    world.parts.vault._text, world.parts.vault._keys = Secret(""), ()
    mira = world.person("mira")
    text = mira.reads(TAB)
    assert "CALENDAR_EXT_ENCRYPTION_KEYS" in text
    assert "Nothing can be connected until this is set up." in text
    assert mira.get("/calendar/connect/google").status_code == 303
    assert world.scalar("SELECT count(*) FROM calendar_ext_oauth_attempt") == 0


def test_an_insecure_environment_stops_sign_ins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    answer = world.person("mira").get("/calendar/connect/google")
    said = "Sign-ins are switched off, because this server is not set up safely."
    assert answer.status_code == 503 and said in answer.get_data(as_text=True)
    tab = world.person("mira").reads(TAB)
    assert said in tab and "Nothing can be connected until this is set up." in tab


def test_an_unknown_provider_is_not_there(world: World) -> None:
    mira = world.person("mira")
    for address in ("/calendar/connect/nobody", "/calendar/help/nobody", "/calendar/oauth/nobody/callback?state=x"):
        assert mira.get(address).status_code == 404


def test_A24_help_tells_what_to_do_and_whom_to_ask(world: World) -> None:
    mira = world.person("mira")
    page = mira.page("/calendar/help?provider=google")
    assert "not your Harbor password" in words_of(page)
    assert page.xpath("//a[@href='mailto:help@harbor.example']")
    guide = mira.reads("/calendar/help/google")
    assert "Connect Google Calendar" in guide
    assert "http://127.0.0.1:5999/calendar/oauth/google/callback" in guide
