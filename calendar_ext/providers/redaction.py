"""What must not reach a log: masked by the name it stands under and by its shape (trust.md T-09, O-03).

The filter sits on our own loggers and on those of the libraries that write tokens at DEBUG. A logger's filter is not
asked for records of its children, so `install` hangs it on every logger below the named ones that exists by then; it
may be called again at any time.
"""

from __future__ import annotations

import logging
import re

#: Filtered, levels left alone: ours, and those of libraries that may quote what we gave them.
FILTERED = ("calendar_ext", "apscheduler", "exchangelib", "msal")
#: Libraries below our providers: filtered, and pinned to WARNING.
QUIET = ("requests_oauthlib", "oauthlib", "urllib3")
#: Children of those that are made on first use.
_LATE = ("requests_oauthlib.oauth2_session", "urllib3.connectionpool", "urllib3.util.retry", "urllib3.connection")

_NAMES = (
    r"access_token|refresh_token|id_token|client_secret|code_verifier|code_challenge|authorization|app_password"
    r"|password|assertion|binding|verifier|nonce|secret|state|code|token|[a-z]*token"
)
_RULES = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 ***"),
    (re.compile(r"ya29\.[\w.-]+"), "***"),
    (re.compile(r"\b1//[\w-]{6,}"), "***"),
    (re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]+)*"), "***"),
    (re.compile(r"\bcalx_\w_[\w-]+"), "***"),
    (re.compile(rf"""(?i)(["'](?:{_NAMES})["']\s*[:,]\s*b?["'])[^"']*"""), r"\1***"),
    (re.compile(rf"(?i)(?<![\w-])((?:{_NAMES})=)(?!\*)[^&\s\"'<>,;)]+"), r"\1***"),
    (re.compile(r"(//)[^/@\s:]+:[^/@\s]+@"), r"\1***@"),
    (re.compile(r"(?i)[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "***"),
)
_KEY = re.compile(rf"(?i)(?:{_NAMES})\Z")
_PLAIN = frozenset(vars(logging.makeLogRecord({})))


def masked(text: str) -> str:
    """Return `text` with every secret and address in it replaced by `***`."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactionFilter(logging.Filter):
    """Rewrites a record before any handler sees it: message, traceback and extra fields. Never drops one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place; always True."""
        record.msg, record.args = masked(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        for name in record.__dict__.keys() - _PLAIN:
            record.__dict__[name] = _masked_extra(name, record.__dict__[name])
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


def _masked_extra(name: str, value: object) -> object:
    if _KEY.match(name):
        return "***"
    return masked(value) if isinstance(value, str) else value


_filter = RedactionFilter()


def install() -> None:
    """Hang the filter on our loggers and the noisy libraries', and pin the latter to WARNING."""
    for name in _existing(FILTERED + QUIET) | {*FILTERED, *QUIET, *_LATE}:
        logging.getLogger(name).addFilter(_filter)
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


def _existing(roots: tuple[str, ...]) -> set[str]:
    return {name for name in list(logging.root.manager.loggerDict) if name.split(".", 1)[0] in roots}
