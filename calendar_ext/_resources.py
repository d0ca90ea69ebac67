"""Where the files that are not Python live: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _first(*candidates: Path) -> Path:
    for path in candidates:
        if path.exists():
            return path
    raise FileNotFoundError(" or ".join(map(str, candidates)))


def templates_dir() -> Path:
    """Return the absolute folder that holds `calendar_ext/…` templates."""
    return _first(_PACKAGE / "templates", _PACKAGE.parent / "templates")


def migrations_dir() -> Path:
    """Return the absolute folder of Alembic's environment."""
    return _first(_PACKAGE / "migrations", _PACKAGE.parent / "migrations")


def manifest_path() -> Path:
    """Return the manifest this code was released with."""
    return _first(_PACKAGE / "manifest" / "manifest.yaml", _PACKAGE.parent / "manifest.yaml")


def static_dir() -> Path:
    """Return the absolute folder of our stylesheet, scripts and icons."""
    return _PACKAGE / "web" / "static"


def locale_dir() -> Path:
    """Return the absolute folder of the message catalogues."""
    return _PACKAGE / "locale"
