"""Error class and number of failures into "when again", with full jitter (trust.md R-09, R-10). Chance comes in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ..errors import (
    AuthorizationExpired,
    BreakerTripped,
    CalendarExtError,
    KeyMissing,
    NeedsPerson,
    PermissionDenied,
    RateLimited,
    Retryable,
    SuspiciouslyEmpty,
)
from ..limits import Limits

#: Statuses of an account that wait for a person, by what led there; the first class that fits counts.
STATUSES: tuple[tuple[type[CalendarExtError], str], ...] = (
    (AuthorizationExpired, "reconnect_needed"),
    (PermissionDenied, "consent_needed"),
    (KeyMissing, "credential_error"),
    (BreakerTripped, "needs_review"),
    (NeedsPerson, "needs_review"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failed run leads to.

    :param delay: seconds until the account is due again.
    :param hold: seconds during which not even a person's hint starts a run.
    :param status: the status the account gets, or ''.
    """

    delay: int
    hold: int = 0
    status: str = ""
    reason: str = ""


def backoff(attempt: int, limits: Limits, rng: Random) -> float:
    """Return seconds before attempt number `attempt + 1`: anything up to a bound that doubles."""
    bound = limits.backoff_base_seconds * 2 ** min(attempt, 30)
    return rng.uniform(0.0, min(limits.backoff_cap_seconds, bound))


def after(error: Exception, attempt: int, limits: Limits, rng: Random) -> int:
    """Return whole seconds, at least one, before what failed for the `attempt`-th time is tried again.

    What the other side asked for counts, up to its cap, with a little jitter on top.
    """
    asked = error.retry_after if isinstance(error, Retryable) else None
    if asked is None:
        return max(1, round(backoff(attempt, limits, rng)))
    return max(1, round(min(asked, limits.retry_after_cap_seconds) + rng.uniform(0.0, 1.0 + asked / 10)))


def verdict(error: Exception, failures: int, limits: Limits, rng: Random) -> Verdict:
    """Return what a run that failed for the `failures`-th time in a row leads to."""
    if isinstance(error, NeedsPerson):
        return Verdict(limits.poll_seconds, status=_status(error), reason=reason_of(error))
    if isinstance(error, SuspiciouslyEmpty):
        return Verdict(limits.missing_confirm_seconds)
    delay = after(error, failures, limits, rng)
    hold = delay if isinstance(error, RateLimited) and error.retry_after else 0
    hold = max(hold, breaker(failures, limits, rng))
    return Verdict(max(delay, hold), hold)


def breaker(failures: int, limits: Limits, rng: Random) -> int:
    """Return how long an account is left alone: nothing at first, then a minute that doubles; one run probes it."""
    beyond = failures - limits.breaker_failures
    if beyond < 0:
        return 0
    bound = min(limits.breaker_open_cap_seconds, limits.breaker_open_seconds * 2 ** min(beyond, 20))
    return round(bound * rng.uniform(0.75, 1.25))


def reason_of(error: CalendarExtError) -> str:
    """Return one word for an account's `status_reason`."""
    return str(error.facts.get("reason") or error.code.rpartition(".")[2])


def _status(error: NeedsPerson) -> str:
    return next(status for kind, status in STATUSES if isinstance(error, kind))
