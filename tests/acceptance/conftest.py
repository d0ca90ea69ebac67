"""A running demo for each test, and Chromium for those marked `browser`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from demo.chapters.cast import Cast

from . import stage
from .windows import ARGUMENTS, Windows, executable


@pytest.fixture
def standins_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a running demo leaves in the environment ends with the test."""
    monkeypatch.setenv("CALENDAR_EXT_ALLOW_STANDINS", "1")


@pytest.fixture
def cast(tmp_path: Path, standins_allowed: None) -> Iterator[Cast]:
    """The people of a demo in which nothing has been installed yet."""
    with stage.stage(tmp_path) as people:
        yield people


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """This machine's Chromium, without a screen."""
    path = executable()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    """Windows to open; any complaint in one of them fails the test."""
    opened = Windows(chromium)
    yield opened
    opened.close()
    assert not opened.troubles
