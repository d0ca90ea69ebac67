from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from calendar_ext.domain.freebusy import ALL_DAY, AWAY, DECLINED, FREE, PRIVATE, TENTATIVE, busy_spans, merged, widened
from calendar_ext.domain.when import Span, instant
from calendar_ext.persistence.tables import content

WINDOW = Span(0, 1000)


def test_overlapping_and_touching_times_are_one():
    found = busy_spans([(100, 200, 0), (150, 300, 0), (300, 400, 0), (500, 600, 0)], WINDOW)
    assert found == [Span(100, 400), Span(500, 600)]


def test_free_and_declined_time_is_not_busy():
    found = busy_spans([(1, 2, FREE), (3, 4, DECLINED), (5, 6, TENTATIVE), (7, 8, AWAY | PRIVATE)], WINDOW)
    assert found == [Span(5, 6), Span(7, 8)]


def test_tentative_time_blocks_as_its_owner_likes():
    assert busy_spans([(5, 6, TENTATIVE)], WINDOW, tentative_blocks=False) == []


def test_busy_time_is_cut_to_what_was_asked_for():
    assert busy_spans([(-50, 10, 0), (990, 2000, 0), (1000, 1001, 0), (5, 5, 0)], WINDOW) == [
        Span(0, 10),
        Span(990, 1000),
    ]


def test_a_day_is_a_day_where_its_owner_is():
    start, end = instant("2026-11-23", ""), instant("2026-11-24", "")
    window = widened(Span(start, end))
    found = busy_spans([(start, end, ALL_DAY)], window, zone="Pacific/Kiritimati")
    assert found == [Span(start - 14 * 3600, end - 14 * 3600)]
    assert busy_spans([(start, end, ALL_DAY)], window, all_day_blocks=False) == []


def test_the_bits_are_those_of_the_table():
    ours = (ALL_DAY, FREE, PRIVATE, DECLINED, TENTATIVE, AWAY)
    assert ours == tuple(
        getattr(content, name) for name in ("ALL_DAY", "FREE", "PRIVATE", "DECLINED", "TENTATIVE", "AWAY")
    )


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_merging_covers_the_same_seconds(spans):
    covered = {second for start, end in spans for second in range(start, end)}
    found = merged(spans)
    assert {second for start, end in found for second in range(start, end)} == covered
    assert all(end < start for (_, end), (start, _) in pairwise(found))
