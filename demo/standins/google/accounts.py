"""People, the applications they gave access to, and the tokens of both.

Sources: "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect"
(developers.google.com/identity/protocols/oauth2/web-server, …/openid-connect).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .calendars import Entry

#: "a limit of 100 refresh tokens per Google Account per OAuth 2.0 client ID"; the oldest dies without a word.
REFRESH_TOKENS = 100


@dataclass
class Account:
    """One person. `entries` is the calendar list by calendar id; `listed` its position for sync tokens."""

    email: str
    name: str
    subject: str
    time_zone: str
    entries: dict[str, Entry] = field(default_factory=dict)
    listed: int = 0

    def entry(self, calendar_id: str) -> Entry | None:
        """Return the list entry of a calendar id, `primary` included, unless it was taken out."""
        found = self.entries.get(self.email if calendar_id == "primary" else calendar_id)
        return None if found is None or found.deleted else found


@dataclass
class Client:
    """A registered application. `redirects` are addresses it may use besides any on loopback."""

    id: str
    secret: str = field(repr=False)
    name: str = "Demo application"
    redirects: tuple[str, ...] = ()

    def may_return_to(self, address: str) -> bool:
        """Return whether the address is registered; loopback ones always are."""
        parts = urlsplit(address)
        loopback = parts.hostname in ("127.0.0.1", "localhost", "::1") and parts.scheme in ("http", "https")
        return address in self.redirects or (loopback and not parts.fragment)


@dataclass
class Grant:
    """What one person allowed one application. Ended ones stay, so that their tokens are known to be dead."""

    account: Account
    client: Client
    scopes: list[str] = field(default_factory=list)
    refresh_tokens: list[str] = field(default_factory=list, repr=False)
    ended: bool = False


@dataclass
class Access:
    """An access token: for what, and until when."""

    grant: Grant
    scopes: tuple[str, ...]
    expires_at: float

    @property
    def account(self) -> Account:
        """Return whose token it is."""
        return self.grant.account


@dataclass
class Refresh:
    """A refresh token: what access tokens made from it may do."""

    grant: Grant
    scopes: tuple[str, ...]


@dataclass
class Code:
    """An authorization code: good once, for ten minutes, for one redirect address."""

    grant: Grant
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str
    nonce: str
    offline: bool
    expires_at: float
    used: bool = False
