from __future__ import annotations

import pytest

from calendar_ext.domain.breakers import deletions_allowed, notifications_allowed, ping_pong, suspicious_listing
from calendar_ext.limits import Limits


@pytest.mark.parametrize(
    ("count", "total", "allowed"),
    [
        (0, 0, True), (1, 1, True), (5, 5, True), (6, 6, False), (6, 29, False), (6, 30, True),
        (20, 100, True), (21, 100, False), (50, 1000, True), (51, 1000, False),
    ],
)  # fmt: skip
def test_a_run_may_delete_a_few(count, total, allowed):
    assert deletions_allowed(count, total, from_listing=False) is allowed


@pytest.mark.parametrize(("count", "total", "allowed"), [(1, 1, False), (3, 3, False), (2, 3, True), (0, 0, True)])
def test_a_listing_may_not_end_everything(count, total, allowed):
    assert deletions_allowed(count, total, from_listing=True) is allowed


def test_the_bounds_are_settings():
    limits = Limits(deletions_floor=0, deletions_share=0.5, deletions_most=2, notified_per_run=1)
    assert deletions_allowed(2, 4, from_listing=False, limits=limits)
    assert not deletions_allowed(3, 100, from_listing=False, limits=limits)
    assert notifications_allowed(1, limits) and not notifications_allowed(2, limits)


def test_twenty_people_may_be_told_in_a_run():
    assert notifications_allowed(20) and not notifications_allowed(21)


def test_a_calendar_that_is_suddenly_empty_is_suspected():
    assert suspicious_listing(0, 1)
    assert not suspicious_listing(0, 0)
    assert not suspicious_listing(1, 500)


def test_six_writes_in_ten_minutes_are_work_and_a_seventh_is_a_quarrel():
    assert not ping_pong([0, 100, 200, 300, 400, 500])
    assert ping_pong([600, 0, 100, 200, 300, 400, 500])
    assert not ping_pong([0, 100, 200, 300, 400, 500, 601])


def test_writes_up_to_a_persons_edit_do_not_count():
    assert not ping_pong([0, 100, 200, 300, 400, 500, 600], edited_at=0)
    assert ping_pong([0, *range(1, 8)], edited_at=0)
