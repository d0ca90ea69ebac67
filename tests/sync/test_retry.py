"""When again: by class of error, number of failures, and chance (trust.md R-09, R-10)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from calendar_ext import errors
from calendar_ext.limits import Limits
from calendar_ext.sync.retry import after, backoff, breaker, verdict

LIMITS = Limits()


class Highest(Random):
    """Chance at its upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Lowest(Random):
    """Chance at its lower end."""

    def uniform(self, a: float, b: float) -> float:
        return a


def test_the_bound_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [backoff(attempt, LIMITS, Highest()) for attempt in (1, 2, 3, 8, 9, 400)] == [4, 8, 16, 512, 900, 900]


def test_chance_spreads_the_whole_way_down() -> None:
    assert backoff(8, LIMITS, Lowest()) == 0
    spread = [backoff(6, LIMITS, Random(seed)) for seed in range(200)]
    assert min(spread) < 10 and max(spread) > 118


def test_nothing_is_tried_again_within_a_second() -> None:
    assert after(errors.ProviderUnavailable(), 1, LIMITS, Lowest()) == 1


def test_what_the_other_side_asked_for_counts_up_to_an_hour() -> None:
    assert after(errors.RateLimited(retry_after=30), 1, LIMITS, Lowest()) == 30
    assert after(errors.RateLimited(retry_after=30), 1, LIMITS, Highest()) == 34
    assert after(errors.ProviderUnavailable(retry_after=86_400), 1, LIMITS, Lowest()) == 3_600


def test_the_breaker_opens_after_five_failures_for_a_minute_that_doubles_to_half_an_hour() -> None:
    middle = type("Middle", (Random,), {"uniform": lambda self, a, b: (a + b) / 2})()
    assert [breaker(failures, LIMITS, middle) for failures in (1, 4, 5, 6, 7, 10, 50)] == [
        0,
        0,
        60,
        120,
        240,
        1800,
        1800,
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuthorizationExpired(), "reconnect_needed"),
        (errors.PermissionDenied(), "consent_needed"),
        (errors.KeyMissing(), "credential_error"),
        (errors.BreakerTripped(reason="deletions"), "needs_review"),
        (errors.UnsupportedAccount(), "needs_review"),
        (errors.SignInFailed(), "needs_review"),
        (errors.ProviderUnavailable(), ""),
        (errors.RateLimited(), ""),
        (errors.StoreUnavailable(), ""),
        (errors.UnknownOutcome(), ""),
        (errors.CursorExpired(), ""),
        (errors.EtagMismatch(), ""),
        (errors.SuspiciouslyEmpty(), ""),
        (errors.Gone(), ""),
        (errors.Refused(), ""),
        (errors.Defect(), ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_class_of_error_has_one_consequence(error: Exception, status: str) -> None:
    found = verdict(error, 1, LIMITS, Random(3))
    assert found.status == status and found.delay >= 1


def test_only_a_wish_for_quiet_or_the_breaker_holds_off_a_persons_hint() -> None:
    assert verdict(errors.ProviderUnavailable(), 1, LIMITS, Random(1)).hold == 0
    assert verdict(errors.RateLimited(), 1, LIMITS, Random(1)).hold == 0
    assert verdict(errors.RateLimited(retry_after=60), 1, LIMITS, Random(1)).hold >= 60
    opened = verdict(errors.ProviderUnavailable(), 5, LIMITS, Random(1))
    assert 45 <= opened.hold <= 75 and opened.delay >= opened.hold


def test_an_empty_listing_is_repeated_when_a_second_one_counts() -> None:
    limits = replace(LIMITS, missing_confirm_seconds=77)
    assert verdict(errors.SuspiciouslyEmpty(), 9, limits, Random(1)).delay == 77


def test_a_thousand_accounts_do_not_come_back_at_the_same_moment() -> None:
    delays = [verdict(errors.ProviderUnavailable(), 8, LIMITS, Random(seed)).delay for seed in range(1_000)]
    busiest = max(delays.count(delay) for delay in set(delays))
    assert busiest < 20
