"""Trouble on demand: what `/_control` can make the next requests suffer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .errors import ApiError

#: Reasons by status, where a test names only the status (guide "Handle API errors").
REASONS = {
    400: "badRequest",
    401: "authError",
    403: "rateLimitExceeded",
    404: "notFound",
    409: "conflict",
    410: "fullSyncRequired",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "backendError",
    503: "backendError",
}

_DOMAINS = {
    "rateLimitExceeded": "usageLimits",
    "userRateLimitExceeded": "usageLimits",
    "quotaExceeded": "usageLimits",
    "dailyLimitExceeded": "usageLimits",
    "fullSyncRequired": "calendar",
}


@dataclass
class Fault:
    """The next `times` requests whose method name or path contains `matching` go wrong in one way.

    `kind`: `status` refuses before anything is done; `lost` does it and cuts the connection before the answer;
    `cut` does it and cuts the connection in the middle of the answer; `dropped` cuts it before anything is done.
    """

    kind: str = "status"
    times: int = 1
    matching: str = ""
    status: int = 503
    reason: str = ""
    retry_after: int | None = None

    def error(self) -> ApiError:
        """Return the refusal."""
        reason = self.reason or REASONS.get(self.status, "backendError")
        headers = {} if self.retry_after is None else {"Retry_After": str(self.retry_after)}
        return ApiError(self.status, reason, f"Fault by control: {reason}", domain=_domain(reason), **headers)


def _domain(reason: str) -> str:
    return _DOMAINS.get(reason, "global")


@dataclass
class Quota:
    """At most `requests` per `seconds`, as a sliding window (guide "Manage quotas")."""

    requests: int
    seconds: float = 60.0
    reason: str = "rateLimitExceeded"
    seen: deque[float] = field(default_factory=deque)

    def spend(self, now: float) -> None:
        """Count one request.

        :raises ApiError: 403 when the window is full.
        """
        while self.seen and self.seen[0] <= now - self.seconds:
            self.seen.popleft()
        if len(self.seen) >= self.requests:
            raise ApiError(403, self.reason, "Rate Limit Exceeded", domain="usageLimits")
        self.seen.append(now)


@dataclass
class Faults:
    """What is set up to go wrong. The counts of listings fall by one with each listing they spoil."""

    queue: list[Fault] = field(default_factory=list)
    latency: float = 0.0
    quota: Quota | None = None
    #: The next listings answer 200 with no events at all, and a fresh sync token.
    empty_listings: int = 0
    #: The next pages leave out the second half of their events without a word.
    half_pages: int = 0
    #: The next pages hold half of what was asked for and go on with a page token, as Google's may.
    short_pages: int = 0

    def take(self, *names: str) -> Fault | None:
        """Return the next fault that matches one of the request's names, and use it up."""
        for fault in self.queue:
            if any(fault.matching in name for name in names):
                fault.times -= 1
                if fault.times <= 0:
                    self.queue.remove(fault)
                return fault
        return None

    def spend(self, name: str) -> bool:
        """Use up one of a count; return whether there was one."""
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left)
