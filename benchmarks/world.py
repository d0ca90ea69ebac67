"""A stand-in provider in a process of its own, so that its work is not counted as ours."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demo.environment import ROOT


@dataclass(frozen=True, slots=True)
class World:
    """A running stand-in: where it answers, and an access token of its seeded account."""

    base_url: str
    token: str

    def control(self, name: str, **facts: Any) -> dict[str, Any]:
        """Do what `POST /_control/<name>` does."""
        asked = urllib.request.Request(f"{self.base_url}/_control/{name}", data=json.dumps(facts).encode())
        with urllib.request.urlopen(asked) as answer:
            return json.loads(answer.read() or b"{}")

    def people(self, count: int) -> list[str]:
        """Make so many accounts, `person-0@example.test` and on, and return an access token of each."""
        names = [f"person-{number}@example.test" for number in range(count)]
        for name in names:
            self.control("add_account", email=name)
        return [self.control("token", email=name)["access_token"] for name in names]


@contextmanager
def google(events: int) -> Iterator[World]:
    """Yield a stand-in whose primary calendar holds exactly `events` invented events."""
    command = [sys.executable, "-m", "demo.standins", "google", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        base_url = server.stdout.readline().split()[1]
        world = World(base_url, server.stdout.readline().split()[1])
        world.control("empty")
        if events:
            world.control("seed", count=events, series=0.0)
        world.control("reset_stats")
        yield world
    finally:
        server.terminate()
        server.wait(10)
        if server.stdout:
            server.stdout.close()
