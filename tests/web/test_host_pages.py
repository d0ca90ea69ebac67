"""What we put on the host's own pages and into its mail; and our pages in layouts of other hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader
from lxml import html

from calendar_ext._resources import templates_dir
from calendar_ext.persistence.vault import new_key
from calendar_ext.plugin import Plugin
from calendar_ext.web.blueprint import POLICY
from calendar_ext.web.frame import ALONE, INSIDE, FrameLoader

from ..minihost import MiniHost
from .test_pages import words_of
from .world import AGREED, TAB, World, running

ACTIVITIES = "/activities/"


def appointment(world: World, name: str, title: str, days: int = 3) -> None:
    """Save an appointment through the host's own form."""
    person = world.person(name)
    start = datetime.now(UTC) + timedelta(days=days)
    times = {"starts": start.strftime("%Y-%m-%dT10:00"), "ends": start.strftime("%Y-%m-%dT11:00")}
    answer = person.post("/appointments/new", title=title, zone="Europe/Amsterdam", **times)
    assert answer.status_code == 302, words_of(html.document_fromstring(answer.get_data(as_text=True)))


def test_E5_what_is_not_synchronized_stays_under_activities_with_its_reason(world: World) -> None:
    appointment(world, "joan", "Joan's own <b>")
    world.runs()
    page = world.person("joan").page(ACTIVITIES)
    text = words_of(page)
    assert "1 appointment is only in Harbor." in text
    assert "Joan's own <b>" in text and "Calendar not connected" in text
    assert page.xpath("//section//a[text()='Start Synchronization']/@href") == ["/calendar/start"]
    assert "1 appointment in Harbor is not synchronized. It stays under Activities." in world.person("joan").reads(TAB)
    assert "Joan's own" not in world.person("mira").reads(ACTIVITIES)
    joan = world.person("joan")
    joan.connects("joan@example.test")
    world.runs()
    assert "Every appointment is synchronized." in joan.reads(ACTIVITIES)


def test_an_appointment_can_be_sent_or_kept_by_hand(world: World) -> None:
    appointment(world, "mira", "From long ago", days=-400)
    mira = world.person("mira")
    mira.connects()
    world.runs()
    world.execute("UPDATE calendar_ext_appointment SET end_at = 4000000000 WHERE content LIKE '%From long ago%'")
    page = mira.page(ACTIVITIES)
    assert "Before your sync start" in words_of(page)
    (ref,) = page.xpath("//input[@name='ref']/@value")
    assert mira.post("/calendar/unsynchronized/keep", ref=ref, next=ACTIVITIES).location == ACTIVITIES
    assert "Kept only in Harbor" in mira.reads(ACTIVITIES)
    assert mira.post("/calendar/unsynchronized/send", ref=ref, next="//evil").location == "/calendar/"
    world.runs()
    titles = [event.get("summary") for event in world.standin.control("dump")["calendars"]["mira@example.test"]]
    assert "From long ago" in titles
    assert world.standin.state.mails == []


@pytest.mark.parametrize("ref", ["", "x", "999999", "1" * 70, "\x00", "<script>"])
def test_a_reference_that_makes_no_sense_is_not_there(world: World, ref: str) -> None:
    mira = world.person("mira")
    assert mira.post("/calendar/unsynchronized/send", ref=ref).status_code in (303, 400, 404)
    assert mira.post("/calendar/unsynchronized/keep").status_code == 303


def test_a_planned_activity_with_a_time_stands_in_the_panel(world: World) -> None:
    mira = world.person("mira")
    form = mira.page("/activities/new")
    known = {name: value for name, value in form.xpath("//main//form")[0].form_values() if name != "csrf_token"}
    known |= {"title": "Call Noor", "starts": "2030-01-02T10:00", "ends": "2030-01-02T10:30"}
    assert mira.post("/activities/new", **known).status_code == 302
    world.runs()
    page = mira.page(ACTIVITIES)
    (section,) = [s for s in page.xpath("//section") if "Planned activities" in words_of(s)[:30]]
    assert "Call Noor" in words_of(section)


def test_an_appointment_s_page_says_where_it_stands(world: World) -> None:
    mira = world.person("mira")
    assert "Calendar not connected" in mira.reads("/appointments/1")
    mira.connects()
    world.runs()
    assert "In step with mira@example.test." in mira.reads("/appointments/1")


def test_the_tab_and_the_menu_entry_lead_to_us_and_the_tab_warns(world: World) -> None:
    mira = world.person("mira")
    page = mira.page(TAB)
    assert page.xpath("//nav[@class='tabs']/a[@aria-current='page']")[0].text.strip() == "Calendar sync settings"
    assert page.xpath("//nav[@class='menu']/a[contains(.,'Calendar')]/@href") == ["/calendar/"]
    mira.connects()
    world.execute("UPDATE calendar_ext_account SET status = 'reconnect_needed'")
    assert "!" in words_of(mira.page(TAB).xpath("//nav[@class='tabs']")[0])
    assert "Calendar health" in world.person("ada").reads("/contacts/")
    assert "Calendar health" not in mira.reads("/contacts/")


def test_places_have_the_host_s_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"settings_tab": "Calendar Connection", "activities_tab": "To do"}
    with running(tmp_path, monkeypatch, HOST_PLACES=places) as world:
        mira = world.person("mira")
        assert "Calendar Connection" in mira.page(TAB).findtext(".//title")
        assert "Start again from Calendar Connection." in mira.reads("/calendar/help")


def test_E13_colleagues_are_told_by_mail_once_with_the_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch, active=False) as world:
        world.execute("UPDATE \"user\" SET locale = 'de' WHERE id = 3")
        with world.app.test_request_context(base_url="http://127.0.0.1:5999"):
            result = world.parts.lifecycle.activate(actor_id="1", options={"tell_colleagues": True})
        assert result.ok and "2 invitations sent." in result.notes
        mails = world.execute('SELECT "to", subject, text, html FROM mail ORDER BY id').all()
        assert [mail[0] for mail in mails] == ["mira@harbor.example", "joan@harbor.example"]
        assert mails[0][1] == "Your calendar in Harbor" and mails[1][1] == "Ihr Kalender in Harbor"
        for _, _, text, body in mails:
            assert "http://127.0.0.1:5999/calendar/start" in text
            assert html.document_fromstring(body).xpath("//a/@href") == ["http://127.0.0.1:5999/calendar/start"]
        assert "Start Synchronization" in mails[0][2] and "not your Harbor password" in mails[0][2]
        joan = world.person("joan")
        assert joan.get("/calendar/start").status_code == 302


def environment(**templates: str) -> Environment:
    loaders = [DictLoader(templates), FileSystemLoader(templates_dir()), FrameLoader("host.html", "body")]
    made = Environment(loader=ChoiceLoader(loaders), autoescape=True)
    made.globals["url_for"] = lambda endpoint, **values: f"/{values['filename']}"
    return made


def test_a_host_without_a_head_block_gets_the_stylesheet_in_the_content() -> None:
    base = "<html><head></head><body>{% block body %}{% endblock %}</body></html>"
    page = environment(
        **{"host.html": base, "page.html": f"{{% extends '{INSIDE}' %}}{{% block cx_page %}}hi{{% endblock %}}"}
    )
    drawn = page.get_template("page.html").render()
    assert drawn.index("<body>") < drawn.index("cx.css") < drawn.index("hi") < drawn.index("cx.js")


def test_a_host_with_all_blocks_keeps_what_it_had_in_them() -> None:
    blocks = {"head": "<meta>", "body": "", "scripts": "<script src=h></script>"}
    frame = "".join(f"{{% block {name} %}}{text}{{% endblock %}}" for name, text in blocks.items())
    page = f"{{% extends '{INSIDE}' %}}{{% block cx_page %}}hi{{% endblock %}}"
    base = {"host.html": "{% extends 'frame.html' %}", "frame.html": frame, "page.html": page}
    drawn = environment(**base).get_template("page.html").render()
    assert (
        drawn.index("<meta>") < drawn.index("cx.css") < drawn.index("hi") < drawn.index("src=h") < drawn.index("cx.js")
    )


def test_a_block_name_that_is_none_is_not_written_into_a_template() -> None:
    loader = FrameLoader("host.html", "x %}{{ 7*7 }}{% block y")
    made = Environment(loader=ChoiceLoader([DictLoader({"host.html": "{% block content %}{% endblock %}"}), loader]))
    made.globals["url_for"] = lambda endpoint, **values: ""
    assert "49" not in made.get_template(INSIDE).render()
    with pytest.raises(Exception, match="other"):
        loader.get_source(made, "other.html")
    assert ALONE != INSIDE


def test_a_host_without_a_layout_gets_pages_that_stand_alone(tmp_path: Path) -> None:
    host = MiniHost(f"sqlite:///{tmp_path / 'mini.db'}", tmp_path, CALENDAR_EXT_ENCRYPTION_KEYS=new_key())
    parts = host.start(Plugin())
    with host.app.app_context():
        assert parts.lifecycle.install(actor_id="1", accepted_permissions=AGREED).ok
        assert parts.lifecycle.activate(actor_id="1", options={}).ok
    client = host.app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1", True
    answer = client.get("/calendar/settings")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == POLICY
    page = html.document_fromstring(answer.get_data(as_text=True))
    assert page.xpath("//h1")[0].text == "Calendar sync settings"
    assert client.get("/calendar/").status_code == 200
    with host.app.app_context():
        host.db.engine.dispose()
