"""What several acceptance tests stand on: a running demo of their own, and the way there for those who only pass by."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from demo.browser import Browser
from demo.chapters import marketplace, plot
from demo.chapters.calendar import MIRA, PAGE, sign_in_at_google, until_in_step
from demo.chapters.cast import Cast
from demo.run import Demo, running

#: Below those that systems hand out by themselves, so that nobody takes one between its choice and its use.
PORTS = range(20_000, 30_000)


def free_port() -> int:
    """Return a port nobody listens on: the demo's usual one belongs to whoever sits at this machine."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def stage(home: Path, **config: Any) -> Iterator[Cast]:
    """Start host and stand-in in `home`, with the story's quick settings, and yield its people."""
    with running(home, port=free_port(), **(plot.SETTINGS | config)) as demo:
        cast = Cast(demo)
        try:
            yield cast
        finally:
            for person in (cast.ada, cast.mira, cast.joan):
                person.session.close()


def switched_on(cast: Cast) -> None:
    """Let Ada install and activate Calendar, and everybody read menus anew at each page."""
    cast.demo.app.config["HOST_MENUS_AT_SIGN_IN"] = False
    marketplace.install(cast)
    marketplace.activate(cast)


def connect(cast: Cast, person: Browser, name: str, account: str = MIRA) -> None:
    """Sign somebody in to the host and connect one account of the stand-in."""
    cast.sign_in(person, name)
    page = sign_in_at_google(person.get(PAGE).follow("Start Synchronization"), account)
    assert page.url.startswith(cast.demo.base_url), page.text


def connected(cast: Cast) -> None:
    """Switch Calendar on, connect Mira, and see her first synchronization through."""
    switched_on(cast)
    connect(cast, cast.mira, "mira")
    until_in_step(cast, MIRA)


@contextmanager
def somebody(demo: Demo) -> Iterator[Browser]:
    """Yield one more person's browser."""
    browser = Browser(demo.base_url)
    with closing(browser.session):
        yield browser
