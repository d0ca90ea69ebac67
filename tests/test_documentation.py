"""What can be enumerated is documented: hooks, settings, routes, error codes, limits, tables."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from calendar_ext import config, errors, hookspecs
from calendar_ext.limits import Limits
from calendar_ext.persistence.base import Base

DOCS = Path(__file__).parents[1] / "docs"


def specs() -> list[tuple[str, list[str]]]:
    """Return every hook with its argument names."""
    found = []
    for name, thing in vars(hookspecs).items():
        if hasattr(thing, f"{hookspecs.PROJECT}_spec"):
            found.append((name, list(inspect.signature(thing).parameters)))
    return found


def errors_we_raise() -> list[type[errors.CalendarExtError]]:
    """Return the whole tree of errors."""
    return [
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, errors.CalendarExtError)
    ]


@pytest.mark.parametrize(("name", "arguments"), specs(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_hook_has_a_heading(name: str, arguments: list[str]) -> None:
    assert f"### `{name}({', '.join(arguments)})`" in (DOCS / "hooks.md").read_text()


@pytest.mark.parametrize(("name", "arguments"), specs(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_hook_the_host_meets_is_used_in_the_reference_host(name: str, arguments: list[str]) -> None:
    later = {"calendar_booking_confirmed", "calendar_booking_cancelled", "host_portal_users", "host_portal_login"}
    if name in later:
        return  # the booking and sharing rooms bring their callers
    host = "".join(p.read_text() for p in (DOCS.parent / "demo").rglob("*.py"))
    assert re.search(rf"\b{name}\b", host), f"demo/host neither calls nor implements {name}"


@pytest.mark.parametrize("error", errors_we_raise(), ids=lambda e: e.__name__)
def test_every_error_code_is_explained(error: type[errors.CalendarExtError]) -> None:
    assert f"`{error.code}`" in (DOCS / "errors.md").read_text()


@pytest.mark.parametrize("key", sorted(config.KEYS))
def test_every_setting_is_explained(key: str) -> None:
    assert f"`{key}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("field", [f.name for f in fields(Limits)])
def test_every_limit_is_listed_with_its_default(field: str) -> None:
    default = getattr(Limits(), field)
    assert f"| `{field}` | {default} |" in (DOCS / "limits.md").read_text()


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_every_table_is_described(table: str) -> None:
    assert f"`{table}`" in (DOCS / "schema.md").read_text()


def test_every_route_of_the_manifest_is_listed() -> None:
    manifest = yaml.safe_load((DOCS.parent / "manifest.yaml").read_text())
    text = (DOCS / "routes.md").read_text()
    missing = [route["path"] for route in manifest["routes"] if f"`{route['path']}`" not in text]
    assert not missing


def test_the_changelog_speaks_of_the_released_version() -> None:
    from calendar_ext import __version__

    assert f"## {__version__}" in (DOCS.parent / "CHANGELOG.md").read_text()
