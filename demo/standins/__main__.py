"""`python3 -m demo.standins google --port N [--ics FILE]`: serve one stand-in alone until Ctrl-C.

Prints `BASE_URL http://127.0.0.1:N` and `TOKEN …`, an access token of its first account that lasts a day, each on a
line of its own; then what of the file could not be understood, if anything.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from calendar_ext.errors import CalendarExtError

from . import google

_DAY = 86_400


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m demo.standins", description="Serve one stand-in on loopback.")
    parser.add_argument("name", choices=["google"], help="which provider to imitate")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--ics", metavar="FILE", help="fill the first account's calendar from this iCalendar file")
    given = parser.parse_args(arguments)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        with google.serve(given.port, ics=given.ics) as standin:
            _introduce(standin)
            ended.wait()
    except KeyboardInterrupt:
        return 0
    except (OSError, CalendarExtError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _introduce(standin: google.Standin) -> None:
    print(f"BASE_URL {standin.base_url}", flush=True)
    print(f"TOKEN {standin.token(expires_in=_DAY)}", flush=True)
    for name, reason in standin.state.refused:
        print(f"NOT UNDERSTOOD {name}: {reason}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
