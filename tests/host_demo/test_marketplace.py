"""Maintenance > Marketplace: cards from manifests, one operation at a time, and what happens when things fail."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from demo.host.registry import as_of

Sign = Callable[[Flask, str], Any]
Make = Callable[..., Flask]
CARD = "/marketplace/sample_ext"


@pytest.fixture
def app(make: Make, sample: EntryPoint) -> Flask:
    return make(sample)


@pytest.fixture
def shop(database: str, make: Make) -> Flask:
    """A host of which only the registry is of interest, on SQLite and on PostgreSQL."""
    return make(SQLALCHEMY_DATABASE_URI=database)


def seen(app: Flask) -> list[Any]:
    return app.extensions["harbor"].extensions["sample_ext"].plugin.seen


def test_only_administrators_get_in(app: Flask, person: Sign) -> None:
    assert person(app, "mira").client.get("/marketplace/").status_code == 403
    assert "Sample" in person(app, "ada").page("/maintenance")


def test_installing_shows_what_is_asked_and_accepts_it(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    page = ada.page(f"{CARD}/install")
    assert all(
        text in page for text in ("Show whose it is", "host.activities.write", "http://127.0.0.1:5000/sample/callback")
    )
    assert "Sample is installed." in ada.press(f"{CARD}/install").text
    assert seen(app) == [("install", ("host.users.read",))]
    assert "install started" in ada.page(CARD)


def test_activating_offers_the_scheduler_off_with_its_fee_note(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    page = ada.page(f"{CARD}/activate")
    assert "Additional monthly fees may apply." in page
    assert 'name="scheduler_active" value="1">' in page
    ada.press(f"{CARD}/activate")
    assert seen(app)[-1] == ("activate", {"scheduler_active": False, "accept_fees": False, "tell_colleagues": False})
    assert "Calendar sync settings" in person(app, "mira").page("/account")


def test_ticking_the_scheduler_accepts_the_fee(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    ada.press(f"{CARD}/activate", scheduler_active="1", tell_colleagues="1")
    assert seen(app)[-1] == ("activate", {"scheduler_active": True, "accept_fees": True, "tell_colleagues": True})


def test_an_active_card_leads_to_settings_where_an_option_is_switched_on_later(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    ada.press(f"{CARD}/activate")
    assert "Settings of Sample" in ada.page(f"{CARD}/activate")
    answer = ada.press(f"{CARD}/activate", scheduler_active="1")
    assert answer.status_code == 200
    assert seen(app)[-1] == ("activate", {"scheduler_active": True, "accept_fees": True, "tell_colleagues": False})
    assert 'value="1" checked' in ada.page(f"{CARD}/activate")


def test_a_stale_form_is_refused_with_a_message(app: Flask, person: Sign) -> None:
    ada, late = person(app, "ada"), person(app, "ada")
    ada.press(f"{CARD}/install")
    stale = late.page(f"{CARD}/activate")
    assert "Activate Sample" in stale
    ada.press(f"{CARD}/activate")
    answer = late.press(f"{CARD}/activate", generation="1")
    assert "The page was out of date" in answer.text
    assert len(seen(app)) == 2


def test_uninstalling_an_active_one_deactivates_it_first(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    ada.press(f"{CARD}/activate")
    assert "Keep for 30 days" in ada.page(f"{CARD}/uninstall")
    assert "Sample is uninstalled." in ada.press(f"{CARD}/uninstall", data="delete").text
    assert seen(app)[-1] == ("uninstall", "delete")
    assert "deactivate started" in ada.page(CARD)
    assert "not in a state for that" in ada.press(f"{CARD}/uninstall", data="delete").text


def test_what_was_kept_can_be_deleted_later_or_used_again(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    assert "stored is kept until Fri 1 Jan 2100" in ada.press(f"{CARD}/uninstall", data="keep").text
    assert "Reinstall with old data" in ada.page(CARD)
    assert "Delete what Sample stored?" in ada.page(f"{CARD}/uninstall")
    ada.press(f"{CARD}/uninstall", data="delete")
    assert seen(app)[-1] == ("uninstall", "delete")
    assert "kept until" not in ada.page(CARD)


def test_a_choice_that_is_not_offered_is_refused(app: Flask, person: Sign) -> None:
    ada = person(app, "ada")
    ada.press(f"{CARD}/install")
    assert ada.press(f"{CARD}/uninstall", data="rubbish").status_code == 400


def test_a_missing_secret_is_named_and_blocks_the_install(make: Make, sample: EntryPoint, person: Sign) -> None:
    ada = person(make(sample, SAMPLE_KEY=""), "ada")
    assert "Missing configuration" in ada.page("/marketplace/")
    assert "Set SAMPLE_KEY and restart" in ada.page(f"{CARD}/install")
    assert '<button class="button main">Install</button>' not in ada.page(f"{CARD}/install")


def test_menus_read_at_sign_in_ask_to_log_in_again(make: Make, sample: EntryPoint, person: Sign) -> None:
    ada = person(make(sample, HOST_MENUS_AT_SIGN_IN=True), "ada")
    ada.press(f"{CARD}/install")
    assert "Refresh the page to log in again." in ada.press(f"{CARD}/activate").text
    assert "Log in again to see it in your menu." in ada.page(f"{CARD}/activated")
    ada.press("/login", email="ada@harbor.example", password="demo")
    assert "Calendar sync settings" in ada.page("/account")


def test_a_panel_that_cannot_be_drawn_costs_only_itself(app: Flask, person: Sign) -> None:
    page = person(app, "mira").page("/activities/")
    assert "A panel" in page
    assert "This part cannot be shown now." in page


def test_an_operation_that_raises_changes_nothing_and_says_so(app: Flask, person: Sign, monkeypatch: Any) -> None:
    plugin = app.extensions["harbor"].extensions["sample_ext"].plugin
    monkeypatch.setattr(type(plugin), "run", lambda *a, **k: 1 / 0)
    answer = person(app, "ada").press(f"{CARD}/install")
    assert answer.status_code == 200
    assert "Nothing was changed" in answer.text


@pytest.mark.parametrize("fault", ["raise RuntimeError('no')", "plugin = 3", "import nowhere_at_all"])
def test_an_extension_that_cannot_start_is_shown_and_the_host_runs(
    make: Make, sample: EntryPoint, person: Sign, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "site" / "sample_ext" / "plugin.py").write_text(fault)
    ada = person(make(sample), "ada")
    for page in ("", "/install", "/activate", "/uninstall"):
        assert "Sample could not be started." in ada.page(CARD + page)
    assert "Needs attention" in ada.page("/marketplace/")
    ada.page("/appointments/")


def test_a_misspelt_hook_is_an_error_at_start(make: Make, sample: EntryPoint, person: Sign, tmp_path: Path) -> None:
    code = tmp_path / "site" / "sample_ext" / "plugin.py"
    code.write_text(code.read_text().replace("def activity_panels", "def activity_pannels"))
    assert "activity_pannels" in person(make(sample), "ada").page(CARD)


def test_a_refused_manifest_is_told_without_importing_the_package(
    make: Make, sample: EntryPoint, person: Sign, tmp_path: Path
) -> None:
    manifest = tmp_path / "site" / "sample_ext" / "manifest" / "manifest.yaml"
    manifest.write_text(json.dumps({"id": "sample_ext"}))
    page = person(make(sample), "ada").page(CARD)
    assert "ValidationError" in page
    assert "sample_ext.plugin" not in sys.modules


def test_of_many_who_claim_at_once_one_gets_it(shop: Flask) -> None:
    registry, won = shop.extensions["harbor"].registry, []
    together = threading.Barrier(6)

    def claim() -> None:
        with shop.app_context():
            together.wait()
            won.append(registry.claim("sample_ext", "install", 0, 60, "1"))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([op_id for op_id in won if op_id]) == 1


def test_a_claim_is_bound_to_the_generation_the_form_showed(shop: Flask) -> None:
    registry = shop.extensions["harbor"].registry
    with shop.app_context():
        first = registry.claim("sample_ext", "install", None, 60, "1")
        registry.finish(first, "installed", version="1.0.0")
        with as_of(0):
            assert registry.claim("sample_ext", "activate", None, 60, "1") is None
        with as_of(1):
            assert registry.claim("sample_ext", "activate", None, 60, "1")


def test_a_dead_operation_frees_the_slot_by_time_and_cannot_finish_afterwards(shop: Flask) -> None:
    registry = shop.extensions["harbor"].registry
    with shop.app_context():
        dead = registry.claim("sample_ext", "install", None, -1, "1")
        alive = registry.claim("sample_ext", "install", None, 60, "2")
        registry.finish(dead, "failed")
        assert alive
        assert registry.read("sample_ext").state == "available"
        registry.finish(alive, "installed")
        assert registry.read("sample_ext").state == "installed"
