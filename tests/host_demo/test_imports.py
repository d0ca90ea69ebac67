"""What the reference host may know of the extension."""

from __future__ import annotations

import ast
from pathlib import Path

import demo.host

ALLOWED = {"calendar_ext.hookspecs", "calendar_ext.contract"}
SOURCES = sorted(Path(demo.host.__file__).parent.rglob("*.py"))


def imported(source: Path) -> set[str]:
    """Return every module of the extension that a file imports, however it says it."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "calendar_ext":
            names |= {f"calendar_ext.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return {name for name in names if name.partition(".")[0] == "calendar_ext"}


def test_the_host_imports_the_specs_and_the_contract_and_nothing_else() -> None:
    assert SOURCES
    assert set().union(*map(imported, SOURCES)) == ALLOWED


def test_every_part_says_what_to_copy() -> None:
    parts = ["__init__", "extensions", "firing", "layout", "models", "payloads", "registry", "services"]
    root = Path(demo.host.__file__).parent
    assert [name for name in parts if "Copy this" not in (root / f"{name}.py").read_text()] == []
