"""`python3 -m tests [pytest arguments]`: makes `.venv` if needed, installs the test extra, runs the whole suite."""

from __future__ import annotations

import sys

from demo.environment import ROOT, ensure


def main() -> int:
    """Return pytest's exit status."""
    ensure("dev", module="tests")
    import pytest

    return int(pytest.main(["--rootdir", str(ROOT), *sys.argv[1:]]))


if __name__ == "__main__":
    raise SystemExit(main())
