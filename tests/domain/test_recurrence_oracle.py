"""Random rules against python-dateutil.

`CALENDAR_EXT_EXAMPLES=10000` takes as many rules as the goal names; the suite takes a few hundred.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendar_ext.domain.recurrence import spans
from calendar_ext.domain.rule import parse
from calendar_ext.domain.when import Span
from calendar_ext.limits import Limits

from .oracle import random_rule, random_start, starts_by_dateutil, when_of

EXAMPLES = int(os.environ.get("CALENDAR_EXT_EXAMPLES", "800"))
DAY = 86400
MANY = Limits(recurrence_instances=10**6)
SLOW = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@SLOW
@given(st.integers(0, 2**32))
def test_a_rule_gives_the_instants_python_dateutil_gives(seed):
    rng = random.Random(seed)
    start = random_start(rng)
    rule = random_rule(rng, start)
    first = int(start.timestamp())
    begin = first + rng.choice((-400, 0, 0, 300, 1200, 3000)) * DAY
    window = Span(begin, begin + rng.choice((31, 366, 731, 1500)) * DAY)

    assert parse((f"RRULE:{rule}",)).verdict.state == "ok", rule
    found = [at for at, _ in spans(when_of(start, 0), (f"RRULE:{rule}",), window, MANY)]

    assert found == starts_by_dateutil(rule, start, window), f"{rule} from {start}"


@SLOW
@given(st.integers(0, 2**32))
def test_a_window_shows_what_the_whole_series_holds_there(seed):
    """No other library: a jump to the window must land where a walk from the first occurrence arrives."""
    rng = random.Random(seed)
    start = random_start(rng)
    rule = (f"RRULE:{random_rule(rng, start)}",)
    first = int(start.timestamp())
    when = when_of(start, rng.choice((0, 30, 600, 3000)))
    whole = spans(when, rule, Span(first - DAY, first + 4000 * DAY), MANY)

    begin = first + rng.randint(-30, 3900) * DAY + rng.randint(0, DAY)
    window = Span(begin, begin + rng.choice((1, 3600, DAY, 40 * DAY)))
    expected = [(at, end) for at, end in whole if at < window.end and (end > window.start or at >= window.start)]

    assert spans(when, rule, window, MANY) == expected, f"{rule} from {start}"
