"""No secret that ever existed lies anywhere in clear: not in logs, database, pages, mails, exports (trust.md T-09)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from requests.adapters import HTTPAdapter

from calendar_ext.providers import redaction
from demo.chapters import marketplace, syncing
from demo.chapters.calendar import MIRA, PAGE, TAB, until_in_step, until_shown
from demo.chapters.cast import Cast, in_hours, true, until
from demo.standins import google

from . import stage
from .canary import Diary, Press, Secrets, database, everything_logged, exports, forms, hits, loud

CLIENT_SECRET = "GOCSPX-canary/of+the~client-secret"


@dataclass
class Watched:
    """A demo whose every secret is remembered and whose every word is kept."""

    cast: Cast
    home: Path
    secrets: Secrets
    diary: Diary
    press: Press
    standin: Any
    dumps: list[bytes] = field(default_factory=list)

    def dump(self) -> None:
        """Keep the database as it is now, and turn up loggers that came into being meanwhile."""
        self.dumps.append(database(self.home / "harbor.sqlite"))
        loud()

    def places(self) -> dict[str, bytes]:
        """Return every place by name with all that is in it."""
        return {
            "logs": "\n".join(self.diary.lines).encode("utf-8", "replace"),
            "database": b"\n".join(self.dumps),
            "pages": b"\n".join(self.press.printed),
            "exports": exports(self.home),
        }

    def needles(self) -> dict[bytes, str]:
        """Return every form of every secret: those that travelled, those the stand-in gave, those of the settings."""
        state, config = self.standin.state, self.cast.demo.app.config
        given = {"access_token": state.access, "refresh_token": state.refresh, "code": state.codes}
        for kind, values in given.items():
            for value in values:
                self.secrets.add(kind, value)
        key = config["CALENDAR_EXT_ENCRYPTION_KEYS"].partition(":")[2]
        self.secrets.add("encryption key", key)
        raw = base64.b64decode(key)[8:24]
        return self.secrets.needles() | dict.fromkeys([raw, raw.hex().encode()], "encryption key")


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standins_allowed: None) -> Iterator[Callable[[], Watched]]:
    """Return what begins to watch a demo."""
    secrets, held, serve = Secrets(), [], google.serve
    monkeypatch.setattr(HTTPAdapter, "send", secrets.spy(HTTPAdapter.send))
    monkeypatch.setattr("demo.providers.google.serve", lambda **how: held.append(serve(**how)) or held[-1])
    with everything_logged() as diary, stage.stage(tmp_path, CALENDAR_EXT_GOOGLE_CLIENT_SECRET=CLIENT_SECRET) as cast:
        loud()
        held[0].state.clients["demo-client"].secret = CLIENT_SECRET
        cast.demo.app.wsgi_app = press = Press(cast.demo.app.wsgi_app)

        def begin() -> Watched:
            # The runner of the tests keeps what is logged as well, and would print all of it where one fails.
            for other in logging.root.handlers:
                if other is not diary:
                    monkeypatch.setattr(other, "level", logging.CRITICAL)
            return Watched(cast, tmp_path, secrets, diary, press, held[0])

        yield begin


# ── The story ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_secret_of_a_whole_story_lies_anywhere(watch: Callable[[], Watched]) -> None:
    seen = watch()
    for chapter in (connecting, both_ways, renewing, failing, leaving, coming_back, uninstalling):
        chapter(seen.cast)
        seen.dump()
    needles, places = seen.needles(), seen.places()
    everything_was_there(seen, places)
    assert hits(needles, places) == set()


def everything_was_there(seen: Watched, places: dict[str, bytes]) -> None:
    """Every kind of secret existed, and every place had something to say."""
    kinds = {"access_token", "refresh_token", "id_token", "code", "state", "code_verifier", "client_secret", "binding"}
    assert kinds | {"encryption key"} == seen.secrets.found.keys()
    assert len(seen.secrets.found["access_token"]) > 3
    assert b"Made at Google" in places["database"]
    assert b"Made at Google" in places["pages"]
    assert b"calendar_ext" in places["logs"]
    assert b'"table"' in places["exports"]


def connecting(cast: Cast) -> None:
    """Install, activate with mails to colleagues, a sign-in that is refused, one that is left open, one that works."""
    stage.switched_on(cast)
    cast.sign_in(cast.mira, "mira")
    syncing.only_in_the_host(cast)
    refused = cast.mira.get(PAGE).follow("Start Synchronization").press(MIRA).press("Next").press("Cancel")
    true(refused.has("Sign-in was not finished"), refused.text)
    stage.connect(cast, cast.mira, "mira")
    until_in_step(cast, MIRA)
    cast.mira.get("/calendar/connect/google")
    true(cast.ada.get("/mail/").has("joan@harbor.example"), "no mail went out")


def both_ways(cast: Cast) -> None:
    """An event comes in, an appointment goes out, and every page is looked at."""
    cast.google("create", item=syncing.google_event("Made at Google", in_hours(26)))
    until_shown(cast, "Made at Google")
    syncing.host_create(cast)
    for address in (TAB, PAGE, "/activities/", "/calendar/help", "/calendar/changes", "/account", "/mail/"):
        cast.mira.get(address)
    for address in ("/calendar/admin/health", "/mail/1", "/marketplace/calendar_ext"):
        cast.ada.get(address)


def renewing(cast: Cast) -> None:
    """The access token runs out."""
    syncing.token_expired(cast)


def failing(cast: Cast) -> None:
    """The provider breaks down, cuts answers, and says no; then the grant is taken away."""
    for trouble in ({"status": 503}, {"status": 403, "reason": "rateLimitExceeded"}, {"status": 400}):
        cast.google("fail", times=1, **trouble)
        syncing.sync_now(cast)
    cast.google("expire_access_tokens")
    cast.google("fail", times=2, status=500, matching="token")
    cast.google("lose_answer", times=1, matching="events")
    asked = cast.google("stats")["requests"]
    syncing.sync_now(cast)
    until(lambda: cast.google("stats")["requests"] > asked + 1, "nothing was tried again")
    cast.google("clear_faults")
    cast.mira.get("/calendar/oauth/google/callback?state=forged-state-of-somebody&code=4/0forged-code-of-somebody")
    syncing.sentence_only_while_true(cast)


def leaving(cast: Cast) -> None:
    """Disconnect."""
    cast.mira.get(TAB).follow("Disconnect").press("Disconnect")
    until(lambda: not cast.mira.get(TAB).has(MIRA), "the account is still on the tab")


def coming_back(cast: Cast) -> None:
    """Connect the same account again."""
    stage.connect(cast, cast.mira, "mira")
    until_in_step(cast, MIRA)


def uninstalling(cast: Cast) -> None:
    """Uninstall; what was stored is exported, then deleted."""
    page = cast.ada.get(marketplace.CARD).follow("Uninstall").press("Uninstall", data="export_then_delete")
    true(page.has("Not installed"), page.text)


# ── The search itself ──────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_filter_the_search_goes_red(watch: Callable[[], Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction.RedactionFilter, "filter", lambda self, record: True)
    seen = watch()
    connecting(seen.cast)
    found = hits(seen.needles(), seen.places())
    assert {("access_token", "logs"), ("refresh_token", "logs"), ("code_verifier", "logs")} <= found


def test_a_secret_in_a_log_of_ours_is_masked_and_in_another_one_found() -> None:
    secret = "ya29.canary-of-an-access-token-that-is-long"
    needles = dict.fromkeys(forms("access_token", secret), "access_token")
    redaction.install()
    with everything_logged() as diary:
        for name, found in (("calendar_ext", set()), ("somebody.else", {("access_token", "logs")})):
            logging.getLogger(name).error("Sent %s", secret, extra={"token": secret})
            assert hits(needles, {"logs": "\n".join(diary.lines).encode()}) == found


@pytest.mark.parametrize(
    "hide",
    [
        lambda secret: secret,
        lambda secret: f"x{secret}".encode().hex(),
        lambda secret: quote(secret, safe=""),
        lambda secret: quote(quote(secret, safe=""), safe=""),
        lambda secret: secret[:24],
        *(lambda secret, n=n: base64.b64encode(b"x" * n + secret.encode() + b"tail").decode() for n in range(3)),
        lambda secret: base64.urlsafe_b64encode(f"{{'token': '{secret}'}}".encode()).decode(),
    ],
)
def test_a_secret_is_found_in_whatever_form_it_lies_there(hide: Callable[[str], str]) -> None:
    secret = "1//0canary_of-a/refresh+token=that is long"
    needles = dict.fromkeys(forms("refresh_token", secret), "refresh_token")
    assert hits(needles, {"place": f"before {hide(secret)} after".encode()})
    assert not hits(needles, {"place": f"before {hide(secret[::-1])} after".encode()})
