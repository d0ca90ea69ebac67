"""The first part of every command: an environment that has the project in it. Standard library only.

`python3 -m demo`, `python3 -m tests` and `python3 -m benchmarks` start here on whatever Python the machine has, make
`.venv` beside the checkout if the project is not installed, and restart themselves in it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
OLDEST = (3, 11)


def ensure(extra: str, *, module: str) -> None:
    """Return if the project and `extra` are installed here; otherwise install them and restart as `-m module`."""
    if sys.version_info < OLDEST:
        raise SystemExit(f"Python {'.'.join(map(str, OLDEST))} or newer is needed; this is {sys.version.split()[0]}.")
    if _inside() or _installed_elsewhere(extra):
        return
    _prepare(extra)
    python = _python()
    os.execv(python, [str(python), "-m", module, *sys.argv[1:]])


def _inside() -> bool:
    return Path(sys.prefix).resolve() == HOME.resolve() and _stamp().exists()


def _installed_elsewhere(extra: str) -> bool:
    """Return whether another environment (a continuous-integration one, a wheel's) already has what `extra` needs."""
    if sys.prefix == sys.base_prefix or Path(sys.prefix).resolve() == HOME.resolve():
        return False
    try:
        importlib.metadata.version("calendar-ext")
        return extra != "dev" or bool(importlib.metadata.version("pytest"))
    except importlib.metadata.PackageNotFoundError:
        return False


def _prepare(extra: str) -> None:
    if _python().exists() and _stamp().exists():
        return
    print(f"Preparing {HOME.name} (once; a minute or two) …", file=sys.stderr, flush=True)
    if not _python().exists():
        venv.create(HOME, with_pip=True, symlinks=os.name != "nt")
    pip = [str(_python()), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--editable", f"{ROOT}[dev]"], check=True)
    _stamp().write_text("installed\n")


def _python() -> Path:
    return HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _stamp() -> Path:
    """Return the mark of a finished installation of exactly these requirements."""
    wanted = hashlib.sha256((ROOT / "setup.cfg").read_bytes()).hexdigest()[:16]
    return HOME / f"calendar_ext-{wanted}"
