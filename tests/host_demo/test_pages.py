"""Every page of the host, without an extension and with one, as a person without scripts sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from calendar_ext import hookspecs
from calendar_ext.hookspecs import hookimpl
from demo.host import db
from demo.host.models import Appointment

Sign = Callable[[Flask, str], Any]
PAGES = (
    "/ /contacts/ /contacts/1 /contacts/new /contacts/1/edit /appointments/ /appointments/new /activities/ "
    "/activities/new /account /mail/ /colleagues/ /colleagues/1"
)
FORM = {"title": "Interview", "starts": "2027-03-01T09:00", "ends": "2027-03-01T10:00", "zone": "Europe/Amsterdam"}


@pytest.mark.parametrize("address", PAGES.split())
def test_every_page_opens_without_any_extension(app: Flask, person: Sign, address: str) -> None:
    page = person(app, "mira").page(address)
    assert "style=" not in page
    assert page.count("<script") == page.count("<script src=")


@pytest.mark.parametrize("address", [*PAGES.split(), "/marketplace/"])
def test_strangers_are_sent_to_the_sign_in(app: Flask, address: str) -> None:
    answer = app.test_client().get(address)
    assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/login")


def test_a_wrong_password_is_told_beside_the_field(app: Flask, person: Sign) -> None:
    nobody = person(app, "nobody")
    assert "do not belong together" in nobody.press("/login", email="mira@harbor.example", password="x").text


@pytest.mark.parametrize("trap", ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example"])
def test_signing_in_never_leads_to_another_site(app: Flask, trap: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    form = {"email": "mira@harbor.example", "password": "demo"}
    assert app.test_client().post("/login", query_string={"next": trap}, data=form).location == "/"


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    assert (
        app.test_client().post("/login", data={"email": "mira@harbor.example", "password": "demo"}).status_code == 400
    )


def test_an_appointment_is_made_in_its_zone_edited_and_cancelled(app: Flask, person: Sign) -> None:
    mira = person(app, "mira")
    made = mira.press(
        "/appointments/new", **FORM, guests="Noor <noor@veldhoven.example>\njo@x.example", invite_guests="y"
    )
    assert "1 Mar 2027, 09:00 – 10:00" in made.text
    with app.app_context():
        row = db.session.query(Appointment).filter_by(title="Interview").one()
        assert row.starts_at.hour == 8
        assert [guest["contact_ref"] for guest in row.guests] == ["1", None]
        assert row.invite_guests
    assert (
        "Interview, moved" in mira.press(f"/appointments/{row.id}/edit", **{**FORM, "title": "Interview, moved"}).text
    )
    gone = mira.press(f"/appointments/{row.id}", f"/appointments/{row.id}/cancel", reason="Ill")
    assert "The appointment is cancelled." in gone.text


def test_whole_days_include_the_last_one(app: Flask, person: Sign) -> None:
    form = {**FORM, "all_day": "y", "starts": "2027-03-01T00:00", "ends": "2027-03-02T00:00"}
    assert "Mon 1 Mar 2027 – Tue 2 Mar 2027" in person(app, "mira").press("/appointments/new", **form).text


def test_a_past_appointment_never_invites(app: Flask, person: Sign) -> None:
    past = {**FORM, "starts": "2020-03-01T09:00", "ends": "2020-03-01T10:00", "invite_guests": "y"}
    person(app, "mira").press("/appointments/new", **past)
    with app.app_context():
        assert not db.session.query(Appointment).filter_by(title="Interview").one().invite_guests


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ends": "2027-03-01T09:00"}, "The end is not after the start."),
        ({"guests": "not an address"}, "is not an e-mail address"),
        ({"title": ""}, "This field is required."),
        ({"starts": "rubbish"}, "Not a valid datetime value."),
    ],
)
def test_a_wrong_field_is_told_and_nothing_is_saved(app: Flask, person: Sign, wrong: Any, sentence: str) -> None:
    assert sentence in person(app, "mira").press("/appointments/new", **{**FORM, **wrong}).text
    with app.app_context():
        assert not db.session.query(Appointment).filter_by(title="Interview").all()


def test_two_who_edit_at_once_do_not_overwrite_each_other(app: Flask, person: Sign) -> None:
    mira = person(app, "mira")
    mira.press("/appointments/1/edit", **{**FORM, "title": "First"})
    late = mira.press("/appointments/1/edit", **{**FORM, "title": "Second", "version": "1"})
    assert "changed while you were editing" in late.text
    assert "First" in mira.page("/appointments/1")


def test_another_organisation_sees_nothing(app: Flask, person: Sign) -> None:
    nils = person(app, "nils")
    assert "Noor" not in nils.page("/contacts/")
    assert "Mira" not in nils.page("/colleagues/")
    for address in ("/contacts/1", "/appointments/1", "/colleagues/2"):
        assert nils.client.get(address).status_code == 404


def test_the_places_answer_under_every_name(make: Callable[..., Flask], person: Sign) -> None:
    app = make(HOST_PLACES={"my_account": "My Workspace", "settings_tab": "Harbor Sync Settings"})
    ada = person(app, "ada")
    for address in (
        "/my-account",
        "/my-data",
        "/my-workspace",
        "/settings",
        "/workspace-settings",
        "/calendar-connection",
    ):
        assert "<h1>My Workspace</h1>" in ada.page(address)
    assert "harbor-sync-settings" in str(app.url_map)
    assert "Marketplace" in ada.page("/maintenance")


def test_an_activity_is_planned_with_a_contact_and_removed(app: Flask, person: Sign) -> None:
    mira = person(app, "mira")
    form = {**FORM, "title": "Call about the offer", "kind": "call"}
    assert "no such contact" in mira.press("/activities/new", **form, contact="Nobody Known").text
    assert "Call about the offer" in mira.press("/activities/new", **form, contact="noor haddad").text
    assert "Call about the offer" in mira.page("/contacts/1")
    assert "Call about the offer" not in mira.press("/activities/", "/activities/2/delete").text.split("Yours")[1]


def test_only_an_administrator_removes_a_colleague(app: Flask, person: Sign) -> None:
    assert person(app, "mira").press("/colleagues/3", "/colleagues/3/remove").status_code == 403
    assert "Joan Ferrer is removed." in person(app, "ada").press("/colleagues/3", "/colleagues/3/remove").text


def test_mail_is_kept_once_and_shown_to_whom_it_is_for(app: Flask, person: Sign) -> None:
    from calendar_ext.contract import MailMessage

    with app.app_context():
        for _ in range(2):
            message = MailMessage(
                "mira@harbor.example", "Hello <b>", "Open https://harbor.example/x", dedupe_key="once"
            )
            assert app.extensions["harbor"].pm.hook.host_send_mail(message=message)
    assert person(app, "mira").page("/mail/").count("Hello &lt;b&gt;") == 1
    assert 'href="https://harbor.example/x"' in person(app, "mira").page("/mail/1")
    assert "Hello" not in person(app, "joan").page("/mail/")


def test_a_listener_that_raises_in_every_hook_costs_no_save_and_no_page(app: Flask, person: Sign) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("broken on purpose")

    fired = [name for name, spec in vars(hookspecs).items() if hasattr(spec, "calendar_ext_spec")]
    ours = [name for name in fired if not name.startswith("host_")]
    hooks = {name: hookimpl(lambda self: broken(self)) for name in ours}
    app.extensions["harbor"].pm.register(type("Broken", (), hooks)())
    mira = person(app, "mira")
    form = {"title": "Kept", "starts": "2027-03-01T09:00", "ends": "2027-03-01T10:00", "zone": "Europe/Berlin"}
    assert "Kept" in mira.press("/appointments/new", **form).text
    for address in ("/", "/account", "/activities/", "/colleagues/1"):
        mira.page(address)
