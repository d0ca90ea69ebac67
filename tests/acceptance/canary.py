"""Every secret a story brings into being, and a search for each of them in whatever form it might lie around."""

from __future__ import annotations

import base64
import gzip
import html
import json
import logging
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

#: What stands under one of these names on its way over the network is a secret.
NAMES = ("access_token", "refresh_token", "id_token", "code", "state", "code_verifier", "client_secret")
COOKIES = ("calendar_ext_oauth", "__Host-cal_oauth")
#: Characters of a secret that are looked for; a log that cuts long lines still has them.
PIECE = slice(8, 24)


@dataclass
class Secrets:
    """Secrets by kind, as they were seen."""

    found: dict[str, set[str]] = field(default_factory=dict)

    def add(self, kind: str, value: str | None) -> None:
        """Remember one."""
        if value:
            self.found.setdefault(kind, set()).add(value)

    def spy(self, send: Any) -> Any:
        """Return `HTTPAdapter.send` as it is, with what passes through it remembered."""

        def watched(adapter: HTTPAdapter, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            response = send(adapter, request, **how)
            self._read(urlsplit(request.url or "").query)
            self._read(request.body)
            self._read(urlsplit(response.headers.get("Location", "")).query)
            self._read_answer(response)
            return response

        return watched

    def _read(self, text: str | bytes | None) -> None:
        plain = text.decode("latin-1") if isinstance(text, bytes) else text or ""
        for name, value in parse_qsl(plain):
            if name in NAMES:
                self.add(name, value)

    def _read_answer(self, response: requests.Response) -> None:
        for name in COOKIES:
            if kept := re.search(rf"{name}=([^;]+)", response.headers.get("Set-Cookie", "")):
                self.add("binding", kept[1])
        if response.url.endswith("/token") and response.ok:
            for name, value in response.json().items():
                if name in NAMES:
                    self.add(name, value)

    def needles(self) -> dict[bytes, str]:
        """Return every form of every secret, and which kind it is."""
        return {form: kind for kind, values in self.found.items() for value in values for form in forms(kind, value)}


def forms(kind: str, secret: str) -> Iterator[bytes]:
    """Yield what betrays a secret: a piece of it as it is, URL-encoded, escaped, in base64 and in hexadecimals."""
    # Every id_token begins alike; what tells one from another is its end.
    piece = secret[-16:] if kind == "id_token" else secret[PIECE] or secret
    plain = piece.encode()
    quoted = quote(piece, safe="")
    texts = {piece, quoted, quote(quoted), json.dumps(piece)[1:-1], piece.replace("/", r"\/"), html.escape(piece)}
    yield from (text.encode() for text in texts)
    yield from (plain.hex().encode(), plain.hex().upper().encode())
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        for shift in range(3):
            # Within a longer text a piece is encoded at one of three offsets; the ends depend on the neighbours.
            yield encode(b"\0" * shift + plain)[(shift * 8 + 5) // 6 : -4]


# ── Where to look ──────────────────────────────────────────────────────────────────────────────────────────────


class Diary(logging.Handler):
    """Everything that is logged, fully written out."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, its traceback, and whatever else hangs on the record."""
        self.lines.append(f"{self.format(record)} {vars(record)!r}")


def loud() -> None:
    """Turn every logger that exists all the way up, whatever anybody pinned it to."""
    for name in [*logging.root.manager.loggerDict]:
        logging.getLogger(name).setLevel(logging.DEBUG)


@contextmanager
def everything_logged() -> Iterator[Diary]:
    """Yield what is logged from now on; afterwards every logger stands where it stood."""
    diary, levels = Diary(), {name: logging.getLogger(name).level for name in ["", *logging.root.manager.loggerDict]}
    logging.root.addHandler(diary)
    logging.root.setLevel(logging.DEBUG)
    try:
        yield diary
    finally:
        logging.root.removeHandler(diary)
        for name in ["", *logging.root.manager.loggerDict]:
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


class Press:
    """Every answer of the host, kept: body, headers, and what is in its session cookie."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.printed: list[bytes] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        leaves = environ["PATH_INFO"].startswith("/calendar/connect/")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            # Only a sign-in that starts has to send its state and its cookie along.
            self.printed += [] if leaves else [f"{name}: {value}".encode() for name, value in headers]
            self.printed += [unpacked(value) for name, value in headers if name == "Set-Cookie"]
            return start_response(status, headers, exc_info)

        chunks = self._app(environ, start)
        with closing(chunks) if hasattr(chunks, "close") else closing(iter(())):
            body = b"".join(chunks)
        self.printed += [] if leaves else [body]
        return [body]


def unpacked(cookie: str) -> bytes:
    """Return what a signed session cookie says, its names and values readable."""
    payload = cookie.partition("=")[2].partition(";")[0]
    packed, text = payload.startswith("."), payload.lstrip(".").partition(".")[0]
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return zlib.decompress(plain) if packed else plain
    except (ValueError, zlib.error):
        return payload.encode()


def database(path: Path) -> bytes:
    """Return every value of every table, and the file as it lies on the disk with what stands beside it."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
    values = (value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    return b"\n".join([*values, *(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))])


def exports(folder: Path) -> bytes:
    """Return what was exported, unpacked."""
    return b"\n".join(gzip.decompress(file.read_bytes()) for file in folder.rglob("*export*.gz"))


def hits(needles: dict[bytes, str], places: dict[str, bytes]) -> set[tuple[str, str]]:
    """Return (kind of secret, place) for everything that was found."""
    return {(kind, place) for place, text in places.items() for needle, kind in needles.items() if needle in text}
