"""G3: a poll without news, and one with one change, against a bare request and a client library."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import requests
from sqlalchemy import event

from . import ours, peers, world
from .measuring import COLUMNS, Sample, contest, goal, medians, once, rows

#: Accounts that are due together, as they are claimed; and how often all of them are polled.
ACCOUNTS, TIMES = 50, 6
QUICK_ACCOUNTS, QUICK_TIMES = 5, 2
BARE, API, API_BUILD = "bare Session.get", "google-api-python-client", "google-api-python-client, with build()"
QUIET, DELTA = "calendar_ext, no change", "calendar_ext, one change"
MAKING, STATEMENTS = "making the changes", "statements"


def bare(base_url: str, tokens: list[str], times: int) -> Callable[[], int]:
    """One kept session, one request with a sync token, the answer decoded."""
    session = requests.Session()
    session.headers.update(peers.GZIP)
    address, params = f"{base_url}/calendar/v3/calendars/primary/events", {"maxResults": 2_500, "showDeleted": "true"}
    people = [{"Authorization": f"Bearer {token}"} for token in tokens]
    cursors = [session.get(address, params=params, headers=me).json()["nextSyncToken"] for me in people]

    def go() -> int:
        for _ in range(times):
            for me, cursor in zip(people, cursors, strict=True):
                answer = session.get(address, params={**params, "syncToken": cursor}, headers=me)
                assert orjson.loads(answer.content)["nextSyncToken"]
        return times * len(people)

    return go


def client(base_url: str, tokens: list[str], times: int, build: bool = False) -> Callable[[], int]:
    """The same poll through Google's own client."""
    services = [peers.client(base_url, token) for token in tokens]
    params: dict[str, Any] = {"calendarId": "primary", "maxResults": 2_500, "showDeleted": True}
    cursors = [service.events().list(**params).execute()["nextSyncToken"] for service in services]

    def go() -> int:
        for _ in range(times):
            for token, service, cursor in zip(tokens, services, cursors, strict=True):
                polled = peers.client(base_url, token) if build else service
                assert polled.events().list(**params, syncToken=cursor).execute()["nextSyncToken"]
        return times * len(tokens)

    return go


def client_with_build(base_url: str, tokens: list[str], times: int) -> Callable[[], int]:
    """The same, the client built for each poll."""
    return client(base_url, tokens, times, build=True)


def quiet(base_url: str, tokens: list[str], times: int) -> Callable[[], int]:
    """Due accounts without news, from claim to release."""
    installed = _warm(ours.connected(base_url, *tokens, person=ours.NEWCOMER))

    def go() -> int:
        polled = 0
        for _ in range(times):
            installed.due()
            polled += installed.poll()
        return polled

    return go


def delta(base_url: str, tokens: list[str], times: int) -> Callable[[], int]:
    """Due accounts, each with one changed event without guests or link; the change itself is counted apart."""
    installed, names = _with_events(base_url, tokens)

    def go() -> int:
        polled = 0
        for number in range(times):
            _change(base_url, names, number)
            installed.due()
            polled += installed.poll()
        return polled

    return go


def making(base_url: str, tokens: list[str], times: int) -> Callable[[], int]:
    """Only what `delta` does besides the runs: its CPU is taken off."""
    installed, names = _with_events(base_url, tokens)

    def go() -> int:
        for number in range(times):
            _change(base_url, names, number)
            installed.due()
        return times * len(tokens)

    return go


def statements(base_url: str, tokens: list[str], times: int) -> Callable[[], dict[str, float]]:
    """Count SQL statements (BEGIN and COMMIT left out) of polls without news and with one change, per account."""
    installed, names = _with_events(base_url, tokens)

    def go() -> dict[str, float]:
        installed.due()
        silent = _counted(installed)
        _change(base_url, names, 0)
        installed.due()
        return {"quiet": silent, "delta": _counted(installed)}

    return go


CONTESTANTS = {
    BARE: bare,
    QUIET: quiet,
    DELTA: delta,
    API: client,
    API_BUILD: client_with_build,
    MAKING: making,
    STATEMENTS: statements,
}


def run(*, sizes: Sequence[int] | None, rounds: int, quick: bool) -> dict[str, Any]:
    """Return the table and goals. `sizes`: how many accounts are due together."""
    accounts = (sizes or [QUICK_ACCOUNTS if quick else ACCOUNTS])[0]
    times = QUICK_TIMES if quick else TIMES
    with world.google(0) as google:
        facts = {"base_url": google.base_url, "tokens": google.people(accounts), "times": times}
        names = [name for name in CONTESTANTS if name != STATEMENTS]
        found = medians(contest("poll", names, facts, rounds))
        counted = once("poll", STATEMENTS, facts).answer
        listed = _lists(google, facts) / (times * accounts)
    result: dict[str, Any] = {"name": "poll", "tables": [], "goals": _goals(found, counted, listed)}
    result["wrong"] = {sample.answer for sample in found.values()} != {times * accounts}
    result["tables"].append(
        {"title": f"{accounts} accounts, {times} polls each", "columns": COLUMNS, "rows": rows(found)}
    )
    return result


def _lists(google: world.World, facts: dict[str, Any]) -> int:
    """Return the list requests of the polls alone: visible weeks, everything and the warm-up come before."""
    google.control("reset_stats")
    once("poll", QUIET, facts)
    return int(google.control("stats")["by_method"]["events.list"]) - 3 * len(facts["tokens"])


def _goals(found: dict[str, Sample], counted: dict[str, float], per_poll: float) -> list[dict[str, Any]]:
    bare_cpu, silent = found[BARE].cpu, found[QUIET].cpu
    changed = max(found[DELTA].cpu - found[MAKING].cpu, 1e-9)
    return [
        goal("G3 no change", silent / bare_cpu, "≤ 2.0 × a bare request", silent <= 2.0 * bare_cpu),
        goal("G3 one change", changed / bare_cpu, "≤ 2.5 × a bare request", changed <= 2.5 * bare_cpu),
        # Built for each poll, as its documentation shows it; one kept built for every account is in the table.
        goal(
            "G3 client",
            found[API_BUILD].cpu / silent,
            "≥ 2 times cheaper than with build()",
            found[API_BUILD].cpu >= 2 * silent,
        ),
        goal("G3 requests", per_poll, "1 a poll", per_poll == 1),
        goal("G3 statements, no change", counted["quiet"], "≤ 2 an account", counted["quiet"] <= 2),
        goal("G3 statements, one change", counted["delta"], "≤ 6 an account", counted["delta"] <= 6),
    ]


def _with_events(base_url: str, tokens: list[str]) -> tuple[ours.Installed, list[tuple[str, str]]]:
    """Return connected accounts in step, and one event of each: (its calendar, its id)."""
    installed = ours.connected(base_url, *tokens, person=ours.NEWCOMER)
    names = []
    for number in range(len(tokens)):
        calendar = f"person-{number}@example.test"
        names.append((calendar, _post(base_url, "create", calendar=calendar, item=_item("Before"))["id"]))
    return _warm(installed), names


def _warm(installed: ours.Installed) -> ours.Installed:
    """Finish what connecting began and poll once: a process that polls has polled before."""
    installed.run()
    installed.due()
    installed.poll()
    return installed


def _change(base_url: str, names: list[tuple[str, str]], number: int) -> None:
    for calendar, name in names:
        _post(base_url, "patch", calendar=calendar, event=name, changes={"summary": f"Change {number} {time.time()}"})


def _item(title: str) -> dict[str, Any]:
    at = {"timeZone": "Europe/Amsterdam"}
    return {
        "summary": title,
        "start": {"dateTime": "2026-11-23T09:00:00+01:00", **at},
        "end": {"dateTime": "2026-11-23T10:00:00+01:00", **at},
    }


def _post(base_url: str, name: str, **facts: Any) -> dict[str, Any]:
    asked = urllib.request.Request(f"{base_url}/_control/{name}", data=json.dumps(facts).encode())
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read() or b"{}")


def _counted(installed: ours.Installed) -> float:
    seen: list[str] = []
    with installed.parts.store.read() as unit:
        engine = unit.connection.engine

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.upper().startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    polled = installed.poll()
    event.remove(engine, "before_cursor_execute", note)
    return len(seen) / polled
