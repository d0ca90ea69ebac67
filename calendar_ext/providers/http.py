"""The one door for outgoing HTTP, and the only place where a status becomes an error class.

`Transport` makes sessions that cannot be misused: a fixed list of hosts, https only, no redirects, no proxies or
`.netrc` from the environment, no cookies, bounded time and bytes (trust.md T-26, T-28). `Client` puts an account's
token on a request, renews it once, and turns what comes back into decoded JSON or one error of `errors.py`.

Secrets, addresses and bodies never enter an exception: of a refusal only its status and its one-word reason are kept.
"""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ReadTimeout, RequestException
from urllib3 import Retry
from urllib3.exceptions import NewConnectionError

from ..errors import (
    AuthorizationExpired,
    CalendarExtError,
    CursorExpired,
    EtagMismatch,
    Gone,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from ..limits import Limits
from . import redaction
from .base import TokenSource
from .undisturbed import undisturbed

#: Compressed answers are sent only to agents whose name says so.
USER_AGENT = "calendar_ext (gzip)"
_CHUNK = 256 * 1024
_RATIO_FLOOR = 2**20

#: Reasons of a 403 that mean "slower", not "no".
RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "ApplicationThrottled", "TooManyRequests"})
#: Reasons whose end is hours away.
QUOTA_REASONS = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
QUOTA_SECONDS = 3_600.0
#: Reasons of a 403 that concern one event; the account as a whole is fine.
EVENT_REASONS = frozenset(
    {
        "forbiddenForNonOrganizer", "cannotChangeOrganizer", "cannotChangeOrganizerOfInstance", "eventTypeRestriction",
        "calendarAccessRestricted", "invalidEventType", "participantIsNeitherOrganizerNorAttendee",
    }
)  # fmt: skip
_REASON = re.compile(r"[A-Za-z][\w.-]{0,63}\Z")

AnySession = TypeVar("AnySession", bound=requests.Session)


class Kind(StrEnum):
    """What a request is for: decides what a 410, a 5xx and a lost answer mean."""

    LISTING = "listing"
    READ = "read"
    WRITE = "write"


class _Unauthorized(Exception):
    """A 401: the token is renewed once before this becomes `AuthorizationExpired`."""


class _CountedBody:
    """The raw body of an answer, counted while it is read; too big or too slow ends the connection."""

    def __init__(self, raw: Any, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._ends_at = time.monotonic() + limits.total_seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the decoded body piece by piece, each after at most one read of the socket."""
        size = 0
        while piece := self._raw.read1(_CHUNK, decode_content=True):
            size += len(piece)
            self._check(size)
            yield piece

    def _check(self, size: int) -> None:
        ratio = size / max(self._raw.tell(), 1)
        if size > self._limits.page_bytes or (size > _RATIO_FLOOR and ratio > self._limits.gzip_ratio):
            self._raw.close()
            raise Refused("The answer is larger than Calendar accepts.", reason="too_large")
        if time.monotonic() > self._ends_at:
            self._raw.close()
            raise ReadTimeout("the answer took too long")


class _Adapter(HTTPAdapter):
    """Sends for one transport: checks the address, sets the timeouts, refuses redirects, counts the body."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        limits = transport.limits
        self._timeout = (limits.connect_seconds, limits.read_seconds)
        super().__init__(max_retries=_quick_retries(limits.quick_retries))

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send, unless the address is not one of ours."""
        self._transport.check(request.url or "")
        request = self._routed(request)
        response = super().send(request, stream=stream, timeout=timeout or self._timeout, verify=verify, cert=cert)
        response.raw = _CountedBody(response.raw, self._transport.limits)
        if response.is_redirect:
            response.close()
            raise Refused("The provider answered with a redirect.", reason="redirect", status=response.status_code)
        return response

    def _routed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        where = self._transport.route(request.url or "")
        if where == request.url:
            return request
        request = request.copy()
        request.url = where
        return request


def _quick_retries(count: int) -> Retry:
    # Only GETs: what may have changed something is looked up before it is sent again (trust.md R-09).
    return Retry(
        total=count, connect=count, read=count, redirect=False, status=count, other=0, backoff_factor=0.1,
        allowed_methods={"GET"}, status_forcelist=(500, 502, 503, 504), raise_on_status=False,
        respect_retry_after_header=False,
    )  # fmt: skip


class Transport:
    """Makes the sessions everything leaves through: one kept per thread.

    Stand-ins are reached by a subclass that is passed in code: it sets `standin` and overrides `route` (where a request
    really goes) and `browser_url` (where a person's browser is sent). Nothing in the configuration can do that.
    """

    standin: bool = False

    def __init__(self, hosts: Iterable[str] = (), *, limits: Limits | None = None) -> None:
        self.hosts = frozenset(hosts)
        self.limits = limits or Limits()
        self._kept = threading.local()
        redaction.install()

    def only(self, hosts: Iterable[str]) -> Self:
        """Return a transport like this one that reaches `hosts` and nothing else."""
        twin = copy.copy(self)
        twin.hosts = frozenset(hosts)
        twin._kept = threading.local()
        return twin

    def session(self) -> requests.Session:
        """Return this thread's session; the same one every time."""
        session = getattr(self._kept, "session", None)
        if session is None:
            session = self._kept.session = self.prepare(requests.Session())
        return session

    def prepare(self, session: AnySession) -> AnySession:
        """Put the door into a session made by somebody else's class, and return it."""
        session.trust_env = False
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
        # Sessions outlive accounts: a cookie would tell one account's requests about another's.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        adapter = _Adapter(self)
        session.adapters.clear()
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def check(self, url: str) -> None:
        """Return if `url` is https on one of the hosts; the address itself is never quoted.

        :raises Refused: it is not.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc not in self.hosts:
            raise Refused("Calendar does not send requests to this address.", reason="foreign_host")

    def route(self, url: str) -> str:
        """Return where a checked request really goes: to itself."""
        return url

    def browser_url(self, url: str) -> str:
        """Return the address a person's browser is to open for `url`: itself."""
        return url


class Client:
    """One account's way to its provider.

    :param now: UTC seconds, for `Retry-After` dates.
    """

    def __init__(self, transport: Transport, tokens: TokenSource, *, now: Callable[[], float]) -> None:
        self.requests = 0
        self._transport = transport
        self._tokens = tokens
        self._now = now

    def call(
        self,
        method: str,
        url: str,
        *,
        kind: Kind,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return its decoded answer, `{}` where there is none.

        A 401 renews the token and asks once more; whatever else goes wrong is one error of `errors.py`.
        """
        data = None if body is None else orjson.dumps(body)
        token = self._tokens.current()
        try:
            return self._once(method, url, params, data, headers, kind, token.access)
        except _Unauthorized:
            token = self._tokens.renew(token)
        try:
            return self._once(method, url, params, data, headers, kind, token.access)
        except _Unauthorized:
            raise AuthorizationExpired(status=401) from None

    def _once(
        self, method: str, url: str, params: Any, data: bytes | None, headers: Any, kind: Kind, access: str
    ) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {access}", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        self.requests += 1
        try:
            response = self._transport.session().request(method, url, params=params, data=data, headers=sent)
        except RequestException as error:
            # The library's text quotes the address, with sync tokens and mail addresses in it.
            raise lost(error, kind) from None
        return decoded(response, kind, now=self._now(), limits=self._transport.limits)


def decoded(response: requests.Response, kind: Kind, *, now: float, limits: Limits) -> dict[str, Any]:
    """Return the JSON object of a good answer.

    :raises CalendarExtError: the class its status stands for.
    """
    if response.status_code >= 300:
        if response.status_code == 401:
            raise _Unauthorized
        wait = retry_after(response.headers.get("Retry-After", ""), now, limits.retry_after_cap_seconds)
        raise error_for(response.status_code, reason_of(response.content), kind, wait)
    if not response.content:
        return {}
    try:
        with undisturbed():
            answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise _unanswered(kind, cause="not a JSON object")
    return answer


def error_for(status: int, reason: str, kind: Kind, wait: float | None = None) -> CalendarExtError:
    """Return the error that a status and the provider's one-word reason stand for. 401 is the caller's."""
    facts: dict[str, Any] = {"status": status, "reason": reason}
    if status == 429 or (status == 403 and reason in RATE_REASONS | QUOTA_REASONS):
        return RateLimited(retry_after=QUOTA_SECONDS if reason in QUOTA_REASONS else wait, **facts)
    if status == 403:
        return Refused(**facts) if reason in EVENT_REASONS else PermissionDenied(**facts)
    if status == 410 and kind is Kind.LISTING:
        return CursorExpired(**facts)
    if status in (404, 410):
        return Gone(**facts)
    if status == 412:
        return EtagMismatch(**facts)
    if status in (408, 500, 502, 503, 504) or status > 504:
        return _unanswered(kind, retry_after=wait, **facts)
    return Refused(**facts)


def lost(error: RequestException, kind: Kind) -> CalendarExtError:
    """Return what a broken connection means: a write that may have arrived has an unknown outcome."""
    cause = type(error).__name__
    return ProviderUnavailable(cause=cause) if _never_left(error) else _unanswered(kind, cause=cause)


def _never_left(error: RequestException) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)


def _unanswered(kind: Kind, *, retry_after: float | None = None, **facts: Any) -> CalendarExtError:
    failure = UnknownOutcome if kind is Kind.WRITE else ProviderUnavailable
    return failure(retry_after=retry_after, **facts)


def reason_of(content: bytes) -> str:
    """Return the one-word reason of an error body, or ''; the message, which quotes people's data, is dropped.

    Understands `{"error": {"errors": [{"reason"}]}}`, `{"error": {"code"}}` and `{"error": "word"}`.
    """
    try:
        error = orjson.loads(content)["error"]
        if isinstance(error, dict):
            error = error["errors"][0]["reason"] if error.get("errors") else error["code"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return ""
    return error if isinstance(error, str) and _REASON.match(error) else ""


def retry_after(header: str, now: float, cap: float) -> float | None:
    """Return the seconds a `Retry-After` asks for, at most `cap`; None without one (RFC 9110 section 10.2.3)."""
    if header.strip().isdecimal():
        return min(float(header), cap)
    try:
        return min(max(parsedate_to_datetime(header).timestamp() - now, 0.0), cap)
    except ValueError:
        return None
