"""Whatever enters the host begins with `calendar_ext`; nothing of the host is changed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from calendar_ext.persistence import tables
from calendar_ext.persistence.base import PREFIX, Base

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "calendar_ext"


def test_every_table_and_constraint_carries_the_prefix_and_fits_postgresql() -> None:
    assert tables.__all__
    for table in Base.metadata.tables.values():
        assert table.name.startswith(PREFIX)
        for item in (*table.constraints, *table.indexes):
            name = str(item.name or "")
            assert len(name) <= 63, name
            assert not name or PREFIX in name, name


def test_every_template_lies_below_our_own_folder() -> None:
    outside = [p for p in (ROOT / "templates").rglob("*.*") if p.suffix != ".py" and p.suffix != ".pyc"]
    assert outside
    assert all(p.relative_to(ROOT / "templates").parts[0] == "calendar_ext" for p in outside)


def test_every_job_of_ours_is_named_after_us() -> None:
    text = "".join(p.read_text() for p in (PACKAGE / "jobs").glob("*.py"))
    ids = set(re.findall(r'"(calendar_ext_[a-z]+)"', text))
    assert {"calendar_ext_tick", "calendar_ext_sweep", "calendar_ext_housekeeping"} <= ids


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_we_read_only_our_own_configuration(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("app.config"):
            key = ast.unparse(node.slice).strip("'\"")
            assert key.startswith("CALENDAR_EXT_") or not key.isupper(), key


def test_nothing_is_installed_into_the_host_jinja_environment() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert not re.search(r"jinja_env\.(globals|filters|tests|install|add_extension)", path.read_text()), path
        assert not re.search(
            r"app_template_(filter|global|test)|app_context_processor|template_filter", path.read_text()
        )


def test_the_stylesheet_reaches_nothing_outside_our_root() -> None:
    css = (PACKAGE / "web" / "static" / "cx.css").read_text()
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    for selector in _selectors(css):
        assert ".cx" in selector or selector.startswith(":host"), selector


def _selectors(css: str) -> list[str]:
    found, depth, start = [], [], 0
    for at, char in enumerate(css):
        if char == "{":
            head = css[start:at].strip()
            if not head.startswith("@") and not any(h.startswith("@keyframes") for h in depth):
                found += [part.strip() for part in _split(head) if part.strip()]
            depth.append(head)
            start = at + 1
        elif char == "}":
            depth.pop()
            start = at + 1
        elif char == ";":
            start = at + 1
    return found


def _split(head: str) -> list[str]:
    parts, level, current = [], 0, ""
    for char in head:
        level += (char == "(") - (char == ")")
        if char == "," and not level:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]
