"""What `python3 -m demo` is made of: the folder, the keys, the browser without a screen, the frame of a story."""

from __future__ import annotations

import argparse
import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, redirect, request
from werkzeug.serving import make_server

from demo import once, run, state
from demo.__main__ import arguments
from demo.browser import Browser, NotThere
from demo.chapters import Step
from demo.chapters.plot import ESSENTIAL, MAIN

PROMISED = """installed activated tab_visible connected first_sync_complete first_sync_notified_nobody
provider_create_seen provider_update_seen provider_delete_seen host_create_pushed host_update_pushed host_cancel_pushed
occurrence_moved_both_ways second_pass_zero_writes token_expired_refreshed sync_token_410_recovered deactivated_404
reactivated_catches_up uninstalled_clean background_job_synced activity_event_seen auto_sync_paused_resumed
status_sentence_only_while_true calendar_switched unsynchronised_under_activities tab_after_new_login"""

PAGE = """<html><title> A  page </title><body><p>Hello <b>there</b></p><script>unseen()</script>
<a href="/next" aria-label="Go on">Next</a>
<form method="post" action="/echo"><input name="a" value="1"><input type="checkbox" name="t" value="yes" checked>
<input type="checkbox" name="u"><select name="s"><option>x<option selected>y</select><textarea name="w">text</textarea>
<button name="do" value="save">Save</button><button formaction="/other" name="do" value="else">Or else</button></form>
<ul><li>One <form action="/echo" method="post"><input name="a" value="one"><button>Remove</button></form></li>
<li>Two <form action="/echo" method="post"><input name="a" value="two"><button>Remove</button></form></li></ul>"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    app = Flask(__name__)
    app.add_url_rule("/", "page", lambda: PAGE)
    app.add_url_rule("/next", "next", lambda: redirect("/echo?a=followed"))
    for rule in ("/echo", "/other"):
        app.add_url_rule(
            rule, rule, lambda: f"<p>{request.path} {sorted(request.values.items())}</p>", methods=["GET", "POST"]
        )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    browser = Browser(f"http://127.0.0.1:{server.server_port}")
    yield browser
    browser.session.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_reads_as_a_person_reads_it(browser: Browser) -> None:
    page = browser.get("/")
    assert page.title == "A page"
    assert page.has("Hello there", "Or else")
    assert not page.has("unseen")
    assert page.follow("Go on").has("followed")


def test_a_form_sends_what_a_browser_would(browser: Browser) -> None:
    sent = browser.get("/").press("Save")
    assert sent.text == "/echo [('a', '1'), ('do', 'save'), ('s', 'y'), ('t', 'yes'), ('w', 'text')]"
    other = browser.get("/").press("Or else", a="2", t=False, u=True)
    assert other.text == "/other [('a', '2'), ('do', 'else'), ('s', 'y'), ('u', '1'), ('w', 'text')]"


def test_of_several_alike_the_one_beside_a_text_is_pressed(browser: Browser) -> None:
    assert browser.get("/").press("Remove", within="Two").has("two")


@pytest.mark.parametrize(
    "act", [lambda p: p.press("Nowhere"), lambda p: p.follow("Nowhere"), lambda p: p.press("Save", no=1)]
)
def test_what_is_not_there_is_told_with_what_is(browser: Browser, act: Any) -> None:
    with pytest.raises(NotThere, match=r"It has: .+"):
        act(browser.get("/"))


def test_the_keys_are_made_once_and_are_for_nobody_else(tmp_path: Path) -> None:
    first = state.keys(tmp_path)
    assert state.keys(tmp_path) == first
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    name, _, key = first["CALENDAR_EXT_ENCRYPTION_KEYS"].partition(":")
    assert name
    assert len(base64.b64decode(key)) == 32


@pytest.mark.parametrize("mode", [[], ["--once"]])
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(
    mode: list[str], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "folder", lambda fresh: tmp_path)
    heavy = tmp_path / "heavy.ics"
    with heavy.open("wb") as file:
        file.truncate(21 * 2**20)
    for path in (tmp_path / "missing.ics", heavy):
        asked = arguments([*mode, "--ics", str(path), "--host-db", f"sqlite:///{tmp_path / 'host.sqlite'}"])
        assert (once.main if asked.once else run.main)(asked) == 2
        assert "The demo cannot start: " in capsys.readouterr().err


def test_the_story_has_every_check_that_was_promised() -> None:
    assert set(PROMISED.split()) <= set(MAIN)
    assert set(MAIN) >= ESSENTIAL


class FakeCast:
    """A cast that only counts."""

    def counts(self) -> dict[str, Any]:
        return {"pulled": 3}


def test_a_step_that_fails_is_noted_and_what_stands_on_it_is_not_reached(tmp_path: Path, capsys: Any) -> None:
    story = once.Story(FakeCast())
    reached = []
    story.tell(
        [Step("a", lambda: "fine"), Step("b", lambda: 1 / 0, essential=True), Step("c", lambda: reached.append(1))]
    )
    result = story.result()
    assert [check["ok"] for check in result["checks"]] == [True, False, False]
    assert result["checks"][2]["detail"] == "not reached: b failed"
    assert reached == []
    assert result["counts"]["pulled"] == 3
    asked = argparse.Namespace(json=str(tmp_path / "out.json"))
    assert once._say(result, asked) == 1
    assert json.loads((tmp_path / "out.json").read_text())["ok"] is False


def test_a_story_without_any_check_is_not_true() -> None:
    assert once.Story(FakeCast()).result()["ok"] is False


@pytest.mark.parametrize(
    "given", [["--provider", "nobody"], ["--once", "--provider", "nobody"], ["--once", "--story", "no"]]
)
def test_what_there_is_not_is_refused_with_a_sentence(given: list[str], capsys: Any) -> None:
    asked = arguments(given)
    assert (once.main if asked.once else run.main)(asked) == 2
    assert "There is no" in capsys.readouterr().err
