"""The only place where an error becomes a status and a page, or a JSON body."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Blueprint, jsonify, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ..errors import (
    AuthorizationExpired,
    BreakerTripped,
    CalendarExtError,
    Defect,
    Gone,
    KeyMissing,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    Refused,
    Retryable,
    SignInFailed,
    Stale,
    StoreUnavailable,
)
from .asking import wants_json
from .messages import SIGN_IN
from .notices import notice_of
from .speaking import texts
from .texts import N_

log = logging.getLogger(__name__)

#: The first class that fits decides: status, and id of the sentence.
ANSWERS: tuple[tuple[type[CalendarExtError], int, str], ...] = (
    (Gone, 404, "gone"),
    (KeyMissing, 503, "M27"),
    (AuthorizationExpired, 409, "M6"),
    (PermissionDenied, 403, "M36"),
    (BreakerTripped, 409, "refused"),
    (StoreUnavailable, 503, "unavailable"),
    (ProviderUnavailable, 503, "M11a"),
    (RateLimited, 503, "later"),
    (Retryable, 503, "later"),
    (Stale, 409, "stale"),
    (Refused, 400, "refused"),
    (Defect, 500, "defect"),
)
#: Sentences for what Flask and Flask-WTF refuse by themselves.
_PAGES = {400: "refused", 403: "M36", 404: "gone", 405: "refused", 413: "refused", 415: "refused"}


def message_for(error: CalendarExtError) -> tuple[int, str]:
    """Return the status and the id of the sentence for an error."""
    if isinstance(error, SignInFailed):
        if error.facts.get("error") == "redirect_uri_mismatch":
            return 400, "M10"
        return 400, SIGN_IN.get(error.reason, "M2")
    if isinstance(error, Refused) and error.facts.get("reason") == "insecure_transport":
        return 503, "insecure"
    return next(((status, id) for kind, status, id in ANSWERS if isinstance(error, kind)), (400, "refused"))


def attach_errors(blueprint: Blueprint) -> None:
    """Answer every error of a view of ours with a sentence; the host's own pages are not touched."""
    blueprint.register_error_handler(CalendarExtError, _on_ours)
    blueprint.register_error_handler(CSRFError, _on_csrf)
    # By number as well: Flask prefers a host's handler of a number to ours of the class.
    kinds: tuple[type[Exception] | int, ...] = (HTTPException, *_PAGES)
    for kind in kinds:
        blueprint.register_error_handler(kind, _on_http)
    blueprint.register_error_handler(Exception, _on_unexpected)


def _on_ours(error: CalendarExtError) -> Any:
    status, id = message_for(error)
    if status == 500:
        return _on_unexpected(error)
    return answer(status, id, error.facts | {"why": _why(error, id)})


def _why(error: CalendarExtError, id: str) -> str:
    """Return what a refusal says of itself; other errors speak by their sentence alone."""
    return str(error) if isinstance(error, Refused) and id == "refused" else ""


def _on_csrf(error: CSRFError) -> Any:
    why = N_("This page was open for too long. Open it again and repeat what you did.")
    return answer(400, "refused", {"why": why})


def _on_http(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    status = error.code or 500
    return answer(status, _PAGES.get(status, "later"), {})


def _on_unexpected(error: Exception) -> Any:
    """Log with a reference a person can quote; what went wrong is not shown to them."""
    reference = secrets.token_hex(4)
    log.error("Unexpected %s, reference %s", type(error).__name__, reference, exc_info=error)
    return answer(500, "defect", {"reference": reference})


def answer(status: int, id: str, facts: dict[str, Any]) -> Any:
    """Return the page, or the JSON body, that says one sentence."""
    notice = notice_of(texts(), id, facts)
    if wants_json():
        return jsonify(error=id, message=notice.text), status
    page = render_template("calendar_ext/errors/page.html", notice=notice, status=status, why=facts.get("why", ""))
    return page, status, {"Retry-After": "30"} if status == 503 else {}
