"""What the demo keeps between two starts: a folder with database and keys, and the host's settings made from them."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .environment import ROOT


def folder(fresh: bool) -> Path:
    """Return this checkout's folder, `instance/demo`, or one under the system's temp where that is read-only.

    :param fresh: forget what was there.
    """
    home = ROOT / "instance" / "demo"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        home = Path(tempfile.gettempdir()) / f"calendar-ext-demo-{os.getuid() if hasattr(os, 'getuid') else 'me'}"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if fresh:
        shutil.rmtree(home)
        home.mkdir(parents=True)
    return home


def keys(home: Path) -> dict[str, str]:
    """Return the host's session key and the extension's encryption key, made at the first start."""
    kept = home / "keys.json"
    if not kept.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CALENDAR_EXT_ENCRYPTION_KEYS": "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
    return json.loads(kept.read_text())


def settings(home: Path, base_url: str, database: str | None) -> dict[str, Any]:
    """Return the host's configuration: its own keys and, as a real host would, those the extension reads."""
    return {
        **keys(home),
        "HOST_BASE_URL": base_url,
        "HOST_FOLDER": str(home),
        "SQLALCHEMY_DATABASE_URI": database or f"sqlite:///{home / 'harbor.sqlite'}",
    }
