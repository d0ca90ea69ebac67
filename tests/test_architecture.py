"""Who may import whom. A room not named here may not exist; an arrow not drawn here may not be drawn."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "calendar_ext"
MODULES = sorted(PACKAGE.rglob("*/*.py"))
EVERY_MODULE = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "domain": ("domain",),
    "contract": ("contract", "domain"),
    "providers": ("providers", "domain"),
    "sync": ("sync", "domain", "providers.base"),
    "persistence": ("persistence", "domain", "sync.ports", "_resources"),
    "services": ("services", "domain", "contract", "sync", "providers.base", "providers.registry"),
    "jobs": ("jobs", "services", "sync", "domain"),
    "host": ("host", "domain", "contract", "services", "sync.ports"),
    "web": ("web", "domain", "contract", "services", "host", "sync.ports", "_resources"),
    "locale": (),
}
EVERYWHERE = ("errors", "limits")
FLASK, SQL = {"flask", "flask_login", "flask_wtf", "wtforms"}, {"sqlalchemy", "flask_sqlalchemy", "alembic"}
WIRE, TIME = {"requests", "requests_oauthlib", "oauthlib", "msal", "urllib3"}, {"apscheduler"}
FOREIGN = {
    "web": FLASK,
    "host": FLASK,
    "persistence": SQL | {"cryptography"},
    "providers": WIRE,
    "jobs": TIME,
    "contract": {"pluggy"},
}
WATCHED = FLASK | SQL | WIRE | TIME | {"pluggy", "cryptography", "dateutil"}
#: The only modules that may open a connection to anywhere (trust.md section 0, rule 3).
DOOR = {"providers/http.py"}
SOCKETS = {"requests", "urllib3", "http", "socket", "urllib.request"}
#: The only modules that may ask what time it is; everybody else is handed a clock.
CLOCKS = {"bootstrap.py"}


def imported_names(path: Path) -> Iterator[str]:
    """Yield every dotted name a module imports, relative ones made absolute."""
    package = ("calendar_ext", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            yield from (".".join(filter(None, (*base, node.module, alias.name))) for alias in node.names)


def allowed(room: str, name: str) -> bool:
    """Return whether a module of `room` may import `name`."""
    top, _, inner = name.partition(".")
    if top == "calendar_ext":
        return any(f"{inner}.".startswith(f"{door}.") for door in MAY_IMPORT[room] + EVERYWHERE)
    return top not in WATCHED or top in FOREIGN.get(room, ())


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_inwards(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    for name in imported_names(path):
        assert allowed(room, name), f"{room} may not import {name}"


@pytest.mark.parametrize(
    ("room", "name"),
    [
        ("domain", "sqlalchemy"),
        ("sync", "calendar_ext.providers.google.api"),
        ("services", "flask.request"),
        ("web", "calendar_ext.persistence.base"),
        ("providers", "calendar_ext.sync.engine"),
    ],
)
def test_the_rule_catches_an_offender(room: str, name: str) -> None:
    assert not allowed(room, name)


def test_only_one_module_names_apscheduler() -> None:
    named = {p.name for p in MODULES if any(n.partition(".")[0] == "apscheduler" for n in imported_names(p))}
    assert named == {"apscheduler.py"}


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_provider_is_named_only_at_home(path: Path) -> None:
    inside = path.relative_to(PACKAGE)
    if inside.parts[:2] == ("providers", "google"):
        return
    lines = [line for line in path.read_text().splitlines() if re.search(r"google", line, re.I)]
    if inside.as_posix() in {"providers/registry.py", "providers/endpoints.py"}:
        assert len(lines) <= 3, f"{inside} knows more of a provider than where to find it: {lines}"
    elif inside.as_posix() == "config.py":
        assert all("GOOGLE_" in line or "google_" in line for line in lines), lines
    else:
        assert not lines, f"{inside}: {lines}"


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_knows_a_host_by_name(path: Path) -> None:
    assert not re.search(r"harbor|brightpath|northwind", path.read_text(), re.I)


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_door_opens_connections(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in DOOR:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            assert not (owner in SOCKETS and node.func.attr not in {"gethostname"}), f"{owner}.{node.func.attr}"


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_time_is_passed_in(path: Path) -> None:
    if path.name in CLOCKS:
        return
    calls = {ast.unparse(n.func) for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)}
    assert not calls & {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield every function of a module, nested ones included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_stay_small(path: Path) -> None:
    assert path.read_text().count("\n") <= 400, "split this module by thought"
    for node in functions(path):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert length <= 45, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_is_called_by_a_name_that_says_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not re.search(
        r"\b(TODO|FIXME|XXX)\b|NotImplementedError|# noqa|type: ignore|pragma: no cover", path.read_text()
    )


@pytest.mark.parametrize("path", EVERY_MODULE, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_public_functions_are_typed_and_every_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or not tree.body, "a module begins with what it is for"
    if path.name in {"hookspecs.py", "plugin.py"}:
        return  # pluggy reads argument names, not types; the types stand in the docstrings
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert node.returns is not None, f"{node.name} does not say what it returns"
