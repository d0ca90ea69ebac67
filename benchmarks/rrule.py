"""G7: a month of a ten-year-old rule, ten years of it, and random rules, against two libraries."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

from calendar_ext.domain.icswriter import write
from calendar_ext.domain.model import Event, Row
from calendar_ext.domain.recurrence import series, spans
from calendar_ext.domain.rows import row_of, rules_of, when_of
from calendar_ext.domain.rule import parse
from calendar_ext.domain.series import expand
from calendar_ext.domain.when import Span, When
from calendar_ext.limits import Limits
from tests.domain.oracle import random_rule, random_start, starts_by_dateutil
from tests.domain.oracle import when_of as when_starting

from .measuring import COLUMNS, Sample, contest, goal, medians, once, rows

#: Windows of a month asked for per series; years expanded in full; random rules compared.
MONTHS, YEARS, RANDOM = 24, 10, 10_000
QUICK_MONTHS, QUICK_YEARS, QUICK_RANDOM = 3, 2, 100
OURS, COLD, DATEUTIL, LIBRARY = "calendar_ext", "calendar_ext, nothing kept", "python-dateutil", "recurring-ical-events"
MONTH, FULL, EQUAL = "month", "full", "equal"

_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
_FIRST, _LAST = datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
_UNLIMITED = Limits(recurrence_instances=10**7)
#: Rules as people have them, with the day of January 2016 on which each begins.
_RULES = (
    (1, "FREQ=DAILY"),
    (4, "FREQ=DAILY;INTERVAL=2"),
    (4, "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"),
    (4, "FREQ=WEEKLY"),
    (4, "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
    (5, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"),
    (6, "FREQ=WEEKLY;COUNT=520"),
    (7, "FREQ=WEEKLY;UNTIL=20251218T235959Z;BYDAY=TH"),
    (12, "FREQ=MONTHLY;BYDAY=2TU"),
    (29, "FREQ=MONTHLY;BYDAY=-1FR"),
    (15, "FREQ=MONTHLY;BYMONTHDAY=15"),
    (31, "FREQ=MONTHLY;BYMONTHDAY=-1"),
    (29, "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    (21, "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=21"),
    (25, "FREQ=YEARLY"),
    (24, "FREQ=YEARLY;BYMONTH=1;BYDAY=4SU"),
)


def _rows() -> Iterator[Row]:
    for number, (day, rule) in enumerate(_RULES):
        for zone in _ZONES:
            wall = f"2016-01-{day:02}T09:00:00"
            when = When(wall, f"{wall[:11]}10:00:00", zone, zone)
            lines = (f"RRULE:{rule}",) if number % 4 else (f"RRULE:{rule}", f"EXDATE;TZID={zone}:20160229T090000")
            name = f"{rule} in {zone}"
            yield row_of(Event(when, name, rules=lines, uid=name)) | {"object_id": name}


def _months(count: int) -> list[Span]:
    begins = [datetime(2025 - number // 12, 12 - number % 12, 1, tzinfo=UTC) for number in range(count)]
    return [Span(int(begin.timestamp()), int(begin.timestamp()) + 28 * 86400) for begin in begins]


def _years(count: int) -> Span:
    return Span(int(_FIRST.timestamp()), int(_LAST.replace(year=2016 + count).timestamp()))


def _answer(found: Iterable[tuple[int, int]]) -> list[Any]:
    """How many and which, in a form that processes can compare and that costs next to nothing."""
    ordered = sorted(found)
    return [len(ordered), hash(tuple(ordered))]


def month(size: int) -> Callable[[], Any]:
    """Ours, as a page asks that looks outside the stored window."""
    asked = [(when_of(row), rules_of(row)) for row in _rows()]
    windows = _months(size)

    def go() -> Any:
        return [pair for when, rules in asked for window in windows for pair in spans(when, rules, window)]

    return lambda: _later(go)


def month_cold(size: int) -> Callable[[], Any]:
    """Ours, every rule read anew each time."""
    asked = [(when_of(row), rules_of(row)) for row in _rows()]
    windows = _months(size)

    def go() -> Any:
        found = []
        for when, rules in asked:
            for window in windows:
                series.cache_clear()
                parse.cache_clear()
                found += spans(when, rules, window)
        return found

    return lambda: _later(go)


def month_dateutil(size: int) -> Callable[[], Any]:
    """The rule read once, each month asked for by `between`."""
    asked = [_dateutil(row) for row in _rows()]
    windows = [tuple(datetime.fromtimestamp(at, UTC) for at in window) for window in _months(size)]

    def go() -> Any:
        found = (rules.between(low, high, inc=True) for rules in asked for low, high in windows)
        return [pair for moments in found for pair in _pairs(moments)]

    return lambda: _later(go)


def full(size: int) -> Callable[[], Any]:
    """Ours, as a pull fills the occurrence table: rows in, instances out."""
    masters, window = list(_rows()), _years(size)

    def go() -> Any:
        return [instance[:2] for master in masters for instance in expand(master, (), window, _UNLIMITED)]

    return lambda: _later(go)


def full_dateutil(size: int) -> Callable[[], Any]:
    """The rule walked from its start."""
    asked, window = [_dateutil(row) for row in _rows()], _years(size)
    low, high = (datetime.fromtimestamp(at, UTC) for at in window)

    def go() -> Any:
        return [pair for rules in asked for pair in _pairs(rules.between(low, high, inc=True))]

    return lambda: _later(go)


def full_library(size: int) -> Callable[[], Any]:
    """The same events from their iCalendar text, already parsed."""
    calendar, window = icalendar.Calendar.from_ical(write(_rows())), _years(size)
    low, high = (datetime.fromtimestamp(at, UTC) for at in window)

    def go() -> Any:
        found = recurring_ical_events.of(calendar).between(low, high)
        return [(int(event.start.timestamp()), int(event.end.timestamp())) for event in found]

    return lambda: _later(go)


def equal(size: int) -> Callable[[], Any]:
    """Compare random rules, plain and ordinal weekdays never mixed; `[compared, different]`."""

    def go() -> list[int]:
        different = 0
        for seed in range(size):
            rng = random.Random(seed)
            start = random_start(rng)
            rule = random_rule(rng, start)
            begin = int(start.timestamp()) + rng.choice((-400, 0, 0, 300, 1200)) * 86400
            window = Span(begin, begin + rng.choice((31, 366, 731)) * 86400)
            found = [at for at, _ in spans(when_starting(start, 0), (f"RRULE:{rule}",), window, _UNLIMITED)]
            different += found != starts_by_dateutil(rule, start, window)
        return [size, different]

    return go


def _later(go: Callable[[], list[tuple[int, int]]]) -> list[Any]:
    return _answer(go())


def _dateutil(row: Row) -> Any:
    start = datetime.fromisoformat(row["start_wall"]).replace(tzinfo=ZoneInfo(row["start_zone"]))
    return rrulestr(row["rules"], dtstart=start, forceset=True)


def _pairs(moments: Iterable[datetime]) -> Iterator[tuple[int, int]]:
    hour = timedelta(hours=1)
    return ((int(moment.timestamp()), int((moment + hour).timestamp())) for moment in moments)


CONTESTANTS = {
    f"{MONTH}: {DATEUTIL}": month_dateutil,
    f"{MONTH}: {OURS}": month,
    f"{MONTH}: {COLD}": month_cold,
    f"{FULL}: {DATEUTIL}": full_dateutil,
    f"{FULL}: {OURS}": full,
    f"{FULL}: {LIBRARY}": full_library,
    EQUAL: equal,
}


def run(*, sizes: Sequence[int] | None, rounds: int, quick: bool) -> dict[str, Any]:
    """Return tables and goals. `sizes`: months asked for per series, years in full, random rules."""
    asked = [*(sizes or ()), None, None, None][:3]
    usual = (QUICK_MONTHS, QUICK_YEARS, QUICK_RANDOM) if quick else (MONTHS, YEARS, RANDOM)
    months, years, compared = (given or default for given, default in zip(asked, usual, strict=True))
    by_month, in_full = _contest(MONTH, months, rounds), _contest(FULL, years, rounds)
    checked, different = once("rrule", EQUAL, {"size": compared}).answer
    answers = [{tuple(sample.answer) for sample in found.values()} for found in (by_month, in_full)]
    return {
        "name": "rrule",
        "goals": [*_goals(by_month, in_full), goal("G7 equal", different, f"0 of {checked} differ", different == 0)],
        "tables": [
            _table(f"{months} months of {len(_RULES) * len(_ZONES)} series that began in January 2016", by_month),
            _table(f"{years} years of the same", in_full),
        ],
        "wrong": any(len(found) != 1 for found in answers) or different > 0,
    }


def _contest(kind: str, size: int, rounds: int) -> dict[str, Sample]:
    names = [name for name in CONTESTANTS if name.startswith(f"{kind}: ")]
    return medians(contest("rrule", names, {"size": size}, rounds))


def _table(title: str, found: dict[str, Sample]) -> dict[str, Any]:
    shown = {name.partition(": ")[2]: sample for name, sample in found.items()}
    count = next(iter(found.values())).answer[0]
    return {"title": f"{title}: {count:,} instances", "columns": COLUMNS, "rows": rows(shown)}


def _goals(by_month: dict[str, Sample], in_full: dict[str, Sample]) -> list[dict[str, Any]]:
    month_ratio = by_month[f"{MONTH}: {DATEUTIL}"].cpu / by_month[f"{MONTH}: {OURS}"].cpu
    ours = in_full[f"{FULL}: {OURS}"].cpu
    full_ratio, library_ratio = in_full[f"{FULL}: {DATEUTIL}"].cpu / ours, in_full[f"{FULL}: {LIBRARY}"].cpu / ours
    return [
        goal("G7 month", month_ratio, f"≥ 50 × {DATEUTIL}", month_ratio >= 50),
        goal("G7 full", full_ratio, f"≥ 2.5 × {DATEUTIL}", full_ratio >= 2.5),
        goal("G7 library", library_ratio, f"≥ 20 × {LIBRARY}", library_ratio >= 20),
    ]
