"""`python3 -m demo --once` as anybody runs it: a process, an exit status, and a file that says what was seen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.environment import ROOT

from .stage import free_port

#: What the whole story has to show, by name.
CHECKS = {
    "installed", "activated", "tab_visible", "connected", "first_sync_complete", "first_sync_notified_nobody",
    "provider_create_seen", "provider_update_seen", "provider_delete_seen", "host_create_pushed", "host_update_pushed",
    "host_cancel_pushed", "occurrence_moved_both_ways", "second_pass_zero_writes", "token_expired_refreshed",
    "sync_token_410_recovered", "deactivated_404", "reactivated_catches_up", "uninstalled_clean",
    "background_job_synced", "activity_event_seen", "auto_sync_paused_resumed", "status_sentence_only_while_true",
    "calendar_switched", "unsynchronised_under_activities", "tab_after_new_login",
}  # fmt: skip
COUNTS = {"pulled", "pushed", "requests", "seconds"}
SPECIMENS = (
    "google_instants_and_a_named_series.ics",
    "outlook_windows_zone_and_busy_status.ics",
    "apple_cancelled_occurrence_and_duration.ics",
)
#: Good events among some that no calendar can hold, and the end is missing.
BROKEN = "one_bad_event_among_good.ics"
NOT_UNDERSTOOD = {
    "Without a start": "it has no start",
    "On 31 February": "is not a date",
    "File the taxes": "it is a task, not an event",
    "Cut off": "it is cut off",
}
PATIENCE = 240


@dataclass
class Told:
    """One story told by a process: how it ended, what it printed, what it wrote."""

    status: int
    said: str
    written: dict[str, Any]


def begin(json_file: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command on a port of its own."""
    command = [sys.executable, "-m", "demo", "--once", "--port", str(free_port()), "--json", str(json_file)]
    return subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def end(process: subprocess.Popen[str], json_file: Path) -> Told:
    """Wait for a story to end."""
    said, _ = process.communicate(timeout=PATIENCE)
    written = json.loads(json_file.read_text()) if json_file.exists() else {}
    return Told(process.returncode, said, written)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[subprocess.Popen[str], Path]]]:
    """The whole story and those of the files, all at once: they mostly wait."""
    folder = tmp_path_factory.mktemp("once")
    with ExitStack() as processes:
        begun = {}
        for name in ("", *SPECIMENS, BROKEN):
            written = folder / f"{name}.json"
            files = ["--ics", str(ROOT / "tests" / "specimens" / name)] if name else []
            begun[name] = (processes.enter_context(begin(written, *files)), written)
        yield begun
        for process, _ in begun.values():
            process.kill()


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_story_of_a_file_is_true(stories: dict[str, Any], name: str) -> None:
    told = end(*stories[name])
    assert told.status == 0, told.said
    assert told.written["ok"] is True
    equal = next(check for check in told.written["checks"] if check["name"] == "host_equals_file")
    assert equal["ok"], equal["detail"]


def test_what_cannot_be_understood_of_a_file_is_told_by_name_and_reason(stories: dict[str, Any]) -> None:
    told = end(*stories[BROKEN])
    assert "Traceback" not in told.said
    assert told.written, told.said
    read = next(check for check in told.written["checks"] if check["name"] == "first_sync_complete")
    assert read["ok"], read["detail"]
    for name, why in NOT_UNDERSTOOD.items():
        assert re.search(f"{name}: [^;]*{why}", read["detail"])


def test_the_whole_story_is_true_and_every_check_is_there(stories: dict[str, Any]) -> None:
    told = end(*stories[""])
    assert told.status == 0, told.said
    assert told.written["ok"] is True
    checks = told.written["checks"]
    assert {check["name"] for check in checks} >= CHECKS
    assert all(check.keys() == {"name", "ok", "detail"} and check["ok"] is True for check in checks)
    assert told.written["counts"].keys() >= COUNTS
    assert all(told.written["counts"][name] > 0 for name in COUNTS)


EVENT = "BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:20270101T090000Z\r\nSUMMARY:Filler {n}\r\nEND:VEVENT\r\n"


def too_large() -> bytes:
    """Return a proper calendar of 21 MB."""
    count = 21 * 2**20 // len(EVENT)
    events = "".join(EVENT.format(n=n) for n in range(count))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{events}END:VCALENDAR\r\n".encode().ljust(21 * 2**20)


MALFORMED = {
    "no calendar": b"<html><body>Sign in to download your calendar</body></html>",
    "empty": b"",
    "binary": bytes(range(256)) * 64,
    "too large": too_large(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_file_that_cannot_be_used_gets_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "calendar.ics").write_bytes(MALFORMED[name])
    told = tell(tmp_path)
    assert told.status > 0
    assert "Traceback" not in told.said
    assert len(told.said.strip().splitlines()) == 1
    assert told.said.strip().endswith(".")


def test_a_file_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    told = tell(tmp_path)
    assert told.status > 0
    assert len(told.said.strip().splitlines()) == 1
    assert "calendar.ics" in told.said


def tell(folder: Path) -> Told:
    """Tell the story of `calendar.ics` in a folder."""
    written = folder / "out.json"
    return end(begin(written, "--ics", str(folder / "calendar.ics")), written)
