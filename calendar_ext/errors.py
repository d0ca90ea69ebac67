"""Every error we raise on purpose. The docstring of a class is its message; facts are attributes.

CalendarExtError
├── Retryable                    try again later; `retry_after` seconds if known
│   ├── ProviderUnavailable        timeouts, 5xx, reset connections
│   ├── UnknownOutcome             a write left us and no answer came back: look before sending again
│   ├── RateLimited                429, 403 with a rate reason
│   ├── StoreUnavailable           the host's database is down, locked or failing over
│   └── LeaseLost                  another process is at work, or the extension was deactivated
├── NeedsPerson                  stop, tell the owner; `remedy` is a sentence
│   ├── AuthorizationExpired       sign in again
│   ├── PermissionDenied           ask for access, or tick the permission
│   ├── UnsupportedAccount         what this kind of account cannot do
│   ├── KeyMissing                 the vault has no usable key
│   ├── SignInFailed               a sign-in that did not end in a connection
│   └── BreakerTripped             a run that would notify or delete too much
├── Stale                        re-read, decide again
│   ├── EtagMismatch
│   ├── CursorExpired
│   └── SuspiciouslyEmpty          a listing without events where there were many
├── Gone                         the thing is not there: event, calendar, connection
│   └── NotInstalled               our tables are not there
├── Refused                      the request is wrong; sending it again changes nothing
└── Defect                       ours; log with a reference the user can quote
"""

from __future__ import annotations

from typing import Any, ClassVar


class CalendarExtError(Exception):
    """Calendar could not do this."""

    code: ClassVar[str] = "calendar_ext.error"
    #: May the same call succeed later without anybody doing anything?
    retry: ClassVar[bool] = False
    #: Must a person act before it can succeed?
    person: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))
        self.facts = facts

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")
        cls.code = f"calendar_ext.{words}"


class Retryable(CalendarExtError):
    """This did not work now. It is tried again by itself."""

    retry = True

    def __init__(self, message: str | None = None, *, retry_after: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        #: Seconds the other side asked us to wait, or None.
        self.retry_after = retry_after


class ProviderUnavailable(Retryable):
    """The provider is not answering. It is tried again by itself."""


class UnknownOutcome(Retryable):
    """A change was sent and no answer came back. It is looked up before anything is sent again."""


class RateLimited(Retryable):
    """The provider asks us to slow down. It is tried again by itself."""


class StoreUnavailable(Retryable):
    """The database is not answering. It is tried again by itself."""


class LeaseLost(Retryable):
    """Another process has taken over this account, or Calendar was deactivated."""


class NeedsPerson(CalendarExtError):
    """Somebody has to do something before this can go on."""

    person = True

    def __init__(self, message: str | None = None, *, remedy: str = "", **facts: Any) -> None:
        super().__init__(message, **facts)
        #: One sentence: what to do.
        self.remedy = remedy


class AuthorizationExpired(NeedsPerson):
    """The sign-in is no longer valid. Sign in again; nothing is lost."""


class PermissionDenied(NeedsPerson):
    """The provider did not give access."""


class UnsupportedAccount(NeedsPerson):
    """This kind of account cannot do that."""


class KeyMissing(NeedsPerson):
    """Calendar has no key to keep sign-ins safe.

    Set CALENDAR_EXT_ENCRYPTION_KEYS; `flask calendar keys new` prints one.
    """


class SignInFailed(NeedsPerson):
    """Sign-in was not finished. Nothing was changed."""

    def __init__(self, message: str | None = None, *, reason: str = "failed", **facts: Any) -> None:
        super().__init__(message, **facts)
        #: One of the reasons `services/connecting.py` has a sentence for.
        self.reason = reason


class BreakerTripped(NeedsPerson):
    """This run would notify or delete more than is usual. It waits for a person."""


class Stale(CalendarExtError):
    """What we knew is out of date."""


class EtagMismatch(Stale):
    """Somebody changed this event since we last read it. Nothing was written."""


class CursorExpired(Stale):
    """The provider has forgotten our place in the calendar. It is read again from the start; nothing is lost."""


class SuspiciouslyEmpty(Stale):
    """A calendar that held events came back empty. Nothing is deleted until that is confirmed."""


class Gone(CalendarExtError):
    """This is no longer there."""


class NotInstalled(Gone):
    """Calendar is not installed: its tables are not there."""


class Refused(CalendarExtError):
    """This was refused, and sending it again would change nothing."""


class Defect(CalendarExtError):
    """Something is wrong in Calendar itself."""
