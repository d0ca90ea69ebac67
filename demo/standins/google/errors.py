"""Refusals in the form Google gives them.

Source: guide "Handle API errors" (developers.google.com/workspace/calendar/api/guides/errors) and the error object of
the discovery-based APIs: `{"error": {"errors": [{domain, reason, message}], "code", "message"}}`.
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """One refusal: HTTP status, `reason`, `message`, and where in the request it lies."""

    def __init__(
        self, status: int, reason: str, message: str, *, domain: str = "global", location: str = "", **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.domain = status, reason, message, domain
        self.location = location
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def body(self) -> dict[str, Any]:
        """Return the JSON that Google would send."""
        error: dict[str, Any] = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            kind = "header" if self.location in ("Authorization", "If-Match") else "parameter"
            error |= {"locationType": kind, "location": self.location}
        return {"error": {"errors": [error], "code": self.status, "message": self.message}}


def invalid(message: str, location: str = "") -> ApiError:
    """Return a 400 `invalid`: a value that cannot be right."""
    return ApiError(400, "invalid", message, location=location)


def required(message: str) -> ApiError:
    """Return a 400 `required`: something that must be given is missing."""
    return ApiError(400, "required", message)


def not_found() -> ApiError:
    """Return the 404 for what does not exist or may not be seen."""
    return ApiError(404, "notFound", "Not Found")


def deleted() -> ApiError:
    """Return the 410 of writes to what is already deleted."""
    return ApiError(410, "deleted", "Resource has been deleted")


def stale() -> ApiError:
    """Return the 412 of a write whose If-Match names an old version (guide "Get specific versions of resources")."""
    return ApiError(412, "conditionNotMet", "Precondition Failed", location="If-Match")


def sync_token_expired() -> ApiError:
    """Return the 410 that asks for a full synchronization (guide "Synchronize resources efficiently")."""
    message = "Sync token is no longer valid, a full sync is required."
    return ApiError(410, "fullSyncRequired", message, domain="calendar", location="syncToken")


def not_imitated(what: str) -> ApiError:
    """Return the 501 with which the stand-in refuses what it does not imitate; Google never sends it."""
    return ApiError(501, "notImitated", f"The stand-in does not imitate {what}.", domain="standin")
