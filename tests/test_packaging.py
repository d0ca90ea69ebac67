"""Wheel, sdist, editable, bare checkout: the same files are found, and only ours are shipped."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from calendar_ext import _resources

ROOT = Path(__file__).parents[1]
FILES = (
    "calendar_ext/manifest/manifest.yaml",
    "calendar_ext/manifest.schema.json",
    "calendar_ext/migrations/env.py",
    "calendar_ext/migrations/script.py.mako",
    "calendar_ext/templates/calendar_ext/base.html",
    "calendar_ext/web/static/cx.css",
    "calendar_ext/web/static/cx.js",
)
ASK = """
from calendar_ext import _resources as r
import calendar_ext, json
print(json.dumps([str(calendar_ext.__file__), *(str(f()) for f in
      (r.templates_dir, r.migrations_dir, r.manifest_path, r.static_dir, r.locale_dir))]))
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel and the sdist of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    copy = tmp_path_factory.mktemp("source") / "checkout"
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in listing.stdout.split("\n"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)],
        check=True,
        capture_output=True,
    )
    return out


def names(built: Path) -> list[str]:
    """Return the listing of the wheel."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        return wheel.namelist()


def test_the_wheel_holds_every_file_that_is_not_python(built: Path) -> None:
    assert set(FILES) <= set(names(built))
    assert any(n.startswith("calendar_ext/migrations/versions/0001") for n in names(built))
    assert any(n.startswith("calendar_ext/locale/") and n.endswith(".mo") for n in names(built))


def test_the_wheel_holds_nothing_but_the_package(built: Path) -> None:
    tops = {name.split("/")[0] for name in names(built)}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"calendar_ext"}
    assert not [n for n in names(built) if "/tests/" in n or "conftest" in n or "demo" in n.split("/")]


def test_the_wheel_holds_every_template_and_module_of_the_checkout(built: Path) -> None:
    listed = set(names(built))
    package = {f"calendar_ext/{p.relative_to(ROOT / 'calendar_ext')}" for p in (ROOT / "calendar_ext").rglob("*.py")}
    pages = {
        f"calendar_ext/templates/{p.relative_to(ROOT / 'templates')}" for p in (ROOT / "templates").rglob("*.html")
    }
    assert not (package | pages) - listed


def test_the_sdist_can_be_built_from(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        listed = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"setup.cfg", "pyproject.toml", "manifest.yaml", "templates/calendar_ext/base.html"} <= listed


def test_setup_cfg_lists_every_package() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = set(parser["options"]["packages"].split())
    walked = {
        ".".join(p.parent.relative_to(ROOT).parts)
        for p in (ROOT / "calendar_ext").rglob("__init__.py")
        if "assets-src" not in p.parts
    }
    mapped = {"calendar_ext.manifest", "calendar_ext.templates", "calendar_ext.migrations"}
    assert listed == walked | mapped | {"calendar_ext.migrations.versions"}


def test_the_root_holds_no_python_file() -> None:
    assert not list(ROOT.glob("*.py"))


def asked(python: Path, folder: Path) -> list[str]:
    """Return where an environment finds our files, asked from a folder outside the checkout."""
    import json

    # -I: neither the folder it runs in nor PYTHONPATH may help it to find the checkout.
    done = subprocess.run([str(python), "-I", "-c", ASK], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_an_empty_environment_finds_every_file(built: Path, tmp_path: Path, how: str) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    what = [str(next(built.glob("*.whl")))] if how == "wheel" else ["--no-build-isolation", "-e", str(ROOT)]
    if how == "editable":
        subprocess.run([str(python), "-I", "-m", "pip", "-q", "install", "setuptools>=77", "wheel"], check=True)
    subprocess.run(
        [str(python), "-I", "-m", "pip", "-q", "install", "--no-deps", *what], check=True, capture_output=True
    )
    where = asked(python, tmp_path)
    assert all(Path(path).exists() for path in where)
    assert where[0].startswith(str(home) if how == "wheel" else str(ROOT))


def test_a_bare_checkout_finds_them_too() -> None:
    for find in (_resources.templates_dir, _resources.migrations_dir, _resources.manifest_path, _resources.static_dir):
        assert find().exists()
