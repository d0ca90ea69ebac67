"""Every route × every kind of person: own, foreign, unknown; without a token; while the extension is not active."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from calendar_ext import _resources
from calendar_ext.web.blueprint import routes
from calendar_ext.web.routes import Route

from .world import BASE, MIRA, Person, World, running

ROUTES = [route for route in routes() if route.endpoint != "static"]
WITH_ID = [route for route in ROUTES if "<id>" in route.rule]
UNSAFE = [(route, method) for route in ROUTES for method in route.methods if method != "GET"]
#: GETs that may change something: starting a sign-in (trust.md section 0, rule 2).
STARTS = {"connect", "start"}
UNKNOWN = "A" * 22


def named(value: Any) -> str:
    return value.endpoint if isinstance(value, Route) else str(value)


def address(route: Route, ids: dict[str, str]) -> str:
    """Return an address of a route, with the ids in it."""
    rule = f"/calendar{route.rule}".replace("<provider>", "google")
    for name, value in ids.items():
        rule = rule.replace(f"/{name}/<id>", f"/{name}/{value}")
    assert "<" not in rule, rule
    return rule


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_T16_nobody_who_is_signed_out_learns_anything(connected: World, ids: dict[str, str], route: Route) -> None:
    nobody = connected.person()
    for method in route.methods:
        answer = nobody.client.open(address(route, ids), method=method, base_url=BASE)
        if route.access == "monitor":
            assert answer.status_code == 200
        elif route.access == "public":
            assert answer.status_code == 200 and MIRA not in answer.get_data(as_text=True)
        elif method == "POST":
            assert answer.status_code == 400  # the host checks the token before anybody is asked for
        else:
            assert answer.status_code == 302 and answer.location.startswith("/login")
        assert MIRA not in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["joan", "nils"])
@pytest.mark.parametrize("route", WITH_ID, ids=named)
def test_T16_what_is_another_person_s_is_not_there(
    connected: World, ids: dict[str, str], route: Route, name: str
) -> None:
    other = connected.person(name)
    unknown = dict.fromkeys(ids, UNKNOWN)
    for method in route.methods:
        ask = other.get if method == "GET" else other.post
        theirs, nowhere = (ask(address(route, which)) for which in (ids, unknown))
        assert theirs.status_code == nowhere.status_code
        assert theirs.status_code in (400, 404), f"{method} {route.rule}: {theirs.status_code}"
        if theirs.status_code == 404:
            assert len(theirs.data) == len(nowhere.data)
        assert MIRA not in theirs.get_data(as_text=True)


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ("sources", {"shown": "0"}),
        ("connections", {"on": "0"}),
    ],
)
def test_T16_a_whole_form_to_another_person_s_thing_is_not_there_either(
    connected: World, ids: dict[str, str], route: str, fields: dict[str, str]
) -> None:
    rest = "/auto-sync" if route == "connections" else ""
    for name in ("joan", "nils"):
        answer = connected.person(name).post(f"/calendar/{route}/{ids[route]}{rest}", **fields)
        assert answer.status_code == 404


def test_T16_ids_in_bodies_go_through_the_same_scope(connected: World, ids: dict[str, str]) -> None:
    joan = connected.person("joan")
    fields = {"title": "x", "first": "2026-12-01", "start": "10:00", "calendar": ids["sources"]}
    assert joan.post("/calendar/events/new", **fields).status_code == 400
    theirs = connected.scalar("SELECT ref FROM calendar_ext_appointment")
    assert theirs
    assert joan.post("/calendar/unsynchronized/keep", ref=theirs).status_code == 404
    assert joan.post("/calendar/unsynchronized/send", ref=[theirs, "999"]).status_code == 404


@pytest.fixture
def only_viewing(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may look, nobody may connect."""
    answer = {"calendar.view": True}
    host = replace_permission(connected, lambda user_id, permission: answer.get(permission, False))
    monkeypatch.setattr(type(connected.parts.host), "has_permission", host)


def replace_permission(world: World, rule: Any) -> Any:
    return lambda self, user_id, permission: rule(user_id, permission)


@pytest.mark.usefixtures("only_viewing")
@pytest.mark.parametrize("route", [r for r in ROUTES if r.permission == "calendar.connect"], ids=named)
def test_T17_who_may_only_look_is_told_that_and_changes_nothing(
    mira: Person, ids: dict[str, str], route: Route
) -> None:
    for method in route.methods:
        answer = (mira.get if method == "GET" else mira.post)(address(route, ids))
        assert answer.status_code == 403
        assert "You can see this, but not change it." in answer.get_data(as_text=True)


@pytest.mark.usefixtures("only_viewing")
def test_D5_who_may_only_look_sees_no_button_that_does_nothing(mira: Person) -> None:
    page = mira.page("/calendar/settings")
    assert "Ask your administrator to let you connect calendars." in " ".join(page.text_content().split())
    assert not page.xpath("//*[@class='cx']//button")
    assert not page.xpath("//a[contains(@href,'/calendar/connect/') or contains(@href,'/disconnect')]")
    assert not mira.page("/calendar/").xpath("//a[contains(@href,'/events/new')]")


def test_T17_without_the_permission_to_look_nothing_is_there(
    connected: World, mira: Person, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = replace_permission(connected, lambda user_id, permission: False)
    monkeypatch.setattr(type(connected.parts.host), "has_permission", nothing)
    for route in ROUTES:
        if route.access == "user" and "GET" in route.methods:
            assert mira.get(address(route, ids)).status_code == 404, route.rule
    assert mira.get("/calendar/changes").status_code == 404
    assert "calendar_ext" not in mira.get("/contacts/").get_data(as_text=True)


def test_T17_only_administrators_see_the_health_of_everybody(connected: World, mira: Person) -> None:
    assert mira.get("/calendar/admin/health").status_code == 404
    seen = connected.person("ada").reads("/calendar/admin/health")
    assert "Calendar health" in seen
    assert MIRA not in seen
    titles = [row[0] for row in connected.execute("SELECT title FROM calendar_ext_event")]
    assert not [title for title in titles if title and title in seen]
    told = connected.person("ada").get("/calendar/admin/health", headers={"Accept": "application/json"})
    assert told.json["database"] == "ok" and MIRA not in told.get_data(as_text=True)


@pytest.mark.parametrize(("route", "method"), UNSAFE, ids=named)
def test_T18_nothing_happens_without_a_token(
    connected: World, mira: Person, ids: dict[str, str], route: Route, method: str
) -> None:
    before = everything(connected)
    answer = mira.client.open(address(route, ids), method=method, base_url=BASE, data={"on": "0", "shown": "0"})
    assert answer.status_code == 400
    for way in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        mira.client.open(address(route, ids), method=way, base_url=BASE, headers={"X-HTTP-Method-Override": "POST"})
    if "GET" not in route.methods:
        assert mira.get(address(route, ids)).status_code == 405
    assert everything(connected) == before


@pytest.mark.parametrize("route", [r for r in ROUTES if "GET" in r.methods and r.endpoint not in STARTS], ids=named)
def test_T18_opening_a_page_changes_nothing(connected: World, mira: Person, ids: dict[str, str], route: Route) -> None:
    mira.get(address(route, ids))
    before = everything(connected)
    for _ in range(2):
        assert mira.get(address(route, ids)).status_code in (200, 304, 400, 404)
        assert mira.client.head(address(route, ids), base_url=BASE).status_code in (200, 304, 400, 404)
    assert everything(connected) == before


def everything(world: World) -> dict[str, Any]:
    """Return every row of ours, but for what refusals note about themselves."""
    tables = world.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'calendar_ext_%' "
        "AND name NOT LIKE '%process' AND name NOT LIKE '%lease' AND name NOT LIKE '%audit'"
    )
    return {name: world.execute(f"SELECT * FROM {name}").all() for (name,) in tables.all()}


@pytest.fixture(scope="module")
def inactive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Installed, not activated."""
    with (
        pytest.MonkeyPatch.context() as patch,
        running(tmp_path_factory.mktemp("inactive"), patch, active=False) as made,
    ):
        yield made


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_the_gate_hides_every_address_while_inactive(inactive: World, route: Route) -> None:
    ids = dict.fromkeys(("connections", "events", "sources", "attempts"), UNKNOWN)
    for name in ("mira", "ada", ""):
        for method in ("GET", "POST", "DELETE"):
            answer = inactive.person(name).client.open(address(route, ids), method=method, base_url=BASE)
            if route.endpoint == "health" and method == "GET":
                assert answer.status_code == 200
            elif route.endpoint == "admin_health" and method == "GET":
                assert answer.status_code == {"ada": 200, "mira": 404, "": 302}[name]
            elif method == "GET" or route.when_inactive == "404":
                assert answer.status_code in (400, 404), (name, method, answer.status_code)
            assert answer.status_code != 405 or route.when_inactive == "200"


def test_a_get_on_an_address_that_takes_only_post_does_not_give_us_away(inactive: World) -> None:
    mira = inactive.person("mira")
    assert mira.get(f"/calendar/connections/{UNKNOWN}/sync").status_code == 404
    assert mira.get("/calendar/no-such-thing").status_code == 404
    assert mira.get("/calendarium").status_code == 404


def test_menus_and_panels_are_empty_while_inactive(inactive: World) -> None:
    text = inactive.person("mira").reads("/activities/")
    assert "Not synchronized" not in text and "Calendar" not in text


def test_the_gate_opens_and_closes_in_a_running_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, monkeypatch) as world:
        mira = world.person("mira")
        assert mira.get("/calendar/settings").status_code == 200
        with world.app.app_context():
            assert world.parts.lifecycle.deactivate(actor_id="1").ok
        assert mira.get("/calendar/settings").status_code == 404
        with world.app.app_context():
            assert world.parts.lifecycle.activate(actor_id="1", options={}).ok
        assert mira.get("/calendar/settings").status_code == 200


def test_a_database_that_does_not_answer_closes_the_gate_with_503(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, monkeypatch) as world:
        world.parts.activation.drop()
        monkeypatch.setattr(world.parts.activation, "_read", lambda: None)
        answer = world.person("mira").get("/calendar/settings")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert world.person("mira").get("/contacts/").status_code == 200


def test_T17_a_view_nobody_declared_is_not_served() -> None:
    from flask import Flask

    from calendar_ext.web.asking import checker

    app = Flask("tests")
    app.before_request(checker({}))
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert app.test_client().get("/forgotten").status_code == 404


def test_the_manifest_s_routes_are_the_url_map(connected: World) -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    mapped = {
        str(rule): sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        for rule in connected.app.url_map.iter_rules()
        if rule.endpoint.startswith("calendar_ext.")
    }
    assert {route["path"]: sorted(route["methods"]) for route in manifest["routes"]} == mapped


def test_the_manifest_says_what_each_route_declares() -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    stated = {r["path"]: (r["access"], r.get("when_inactive", "404")) for r in manifest["routes"]}
    assert stated == {f"/calendar{r.rule}": (r.access, r.when_inactive) for r in routes()}
    unchecked = {r["path"] for r in manifest["routes"] if r.get("csrf") is False}
    assert unchecked == {"/calendar/oauth/<provider>/callback"}


def test_every_endpoint_the_manifest_shows_exists(connected: World) -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    for items in manifest["ui"].values():
        for item in items:
            assert item["endpoint"] in connected.app.view_functions


def test_an_undeclared_permission_does_not_exist() -> None:
    manifest = yaml.safe_load(_resources.manifest_path().read_text())
    defined = {permission["id"] for permission in manifest["permissions"]["defines"]}
    assert {route.permission for route in routes()} - {""} <= defined
