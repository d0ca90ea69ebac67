"""Signing in to Google: addresses, scopes, the grant.

Source: "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" of developers.google.com/identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from ...domain.model import Row
from ...errors import Refused
from .. import oauth
from ..base import Authorization, Grant, OAuthClient, ProviderType, Token, TokenSource
from ..endpoints import Endpoints, checked_endpoints
from ..http import Transport
from .api import GoogleProvider

#: Both spellings of `iss` occur in id_tokens.
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_SCOPE = "https://www.googleapis.com/auth/"
CALENDARS = f"{_SCOPE}calendar.calendarlist.readonly"
EVENTS = f"{_SCOPE}calendar.events"
FREE_BUSY = f"{_SCOPE}calendar.freebusy"
#: What two-way sync needs, and no more.
SCOPES = ("openid", "email", CALENDARS, EVENTS)
#: The answer spells these differently from the question.
ALIASES = {"email": f"{_SCOPE}userinfo.email", "profile": f"{_SCOPE}userinfo.profile"}


@dataclass(frozen=True, slots=True)
class GoogleEndpoints(Endpoints):
    """Google's addresses (accounts.google.com/.well-known/openid-configuration and the discovery document)."""

    api: str = "https://www.googleapis.com/calendar/v3"
    authorize: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token: str = "https://oauth2.googleapis.com/token"
    revoke: str = "https://oauth2.googleapis.com/revoke"

    @classmethod
    def at(cls, base: str) -> GoogleEndpoints:
        """Return the same paths below one base: a stand-in answers all of them under one name."""
        return cls(f"{base}/calendar/v3", f"{base}/o/oauth2/v2/auth", f"{base}/token", f"{base}/revoke")

    @property
    def issuers(self) -> tuple[str, ...]:
        """Return the spellings of `iss`; a stand-in signs with Google's name, or it would prove nothing."""
        return ISSUERS


class GoogleType(ProviderType):
    """How to sign in to Google and open an account.

    :param endpoints: a stand-in's addresses, or None.
    :param now: UTC seconds.
    :raises Refused: the endpoints are not Google's and no stand-in's either.
    """

    key = "google"
    label = "Google Calendar"
    company = "Google"

    def __init__(self, transport: Transport, endpoints: Endpoints | None, now: Callable[[], float]) -> None:
        if endpoints is not None and not isinstance(endpoints, GoogleEndpoints):
            raise Refused("These are addresses of another provider.", reason="not_a_standin")
        self.endpoints = checked_endpoints(GoogleEndpoints(), endpoints, transport)
        self.standin = self.endpoints != GoogleEndpoints()
        self._transport = transport.only(self.endpoints.hosts())
        self._now = now

    def authorization(
        self,
        client: OAuthClient,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        login_hint: str = "",
        again: bool = False,
    ) -> Authorization:
        """Return the sign-in address.

        Google sends a refresh token only with the first consent: where `exchange` brought none and none is stored,
        sign in once more with `again`.
        """
        extra = {"login_hint": login_hint} if login_hint else {}
        return oauth.authorization(
            self._transport,
            client,
            self.endpoints.authorize,
            redirect_uri=redirect_uri,
            scopes=SCOPES,
            state=state,
            nonce=nonce,
            access_type="offline",
            prompt="consent select_account" if again else "select_account",
            **extra,
        )

    def exchange(self, client: OAuthClient, *, code: str, verifier: str, redirect_uri: str, nonce: str) -> Grant:
        """Turn a code into a grant; `Grant.missing` names what the person unticked."""
        answer = oauth.exchange(
            self._transport, client, self.endpoints.token, code=code, verifier=verifier, redirect_uri=redirect_uri
        )
        claims = oauth.checked_claims(
            answer.get("id_token", ""),
            issuers=ISSUERS,
            client_id=client.client_id,
            nonce=nonce,
            now=self._now(),
        )
        token = oauth.token_of(answer, now=self._now(), scopes=SCOPES)
        return Grant(
            issuer=ISSUERS[0],
            subject=claims["sub"],
            email=str(claims.get("email") or ""),
            token=token,
            kind="workspace" if claims.get("hd") else "personal",
            missing=oauth.missing_scopes(SCOPES, token.scopes, ALIASES),
        )

    def refresh(self, client: OAuthClient, token: Token) -> Token:
        """Return a fresh access token; Google keeps the refresh token as it is."""
        answer = oauth.refresh(self._transport, client, self.endpoints.token, token)
        return oauth.token_of(answer, now=self._now(), refresh=token.refresh, scopes=token.scopes)

    def revoke(self, client: OAuthClient, token: Token) -> None:
        """End the whole grant of this person for this application, other rows of the same person included."""
        oauth.revoke(self._transport, self.endpoints.revoke, token.refresh or token.access)

    def open(self, tokens: TokenSource, *, subject: str = "") -> GoogleProvider:
        """Return the account, ready to use."""
        return GoogleProvider(self._transport, self.endpoints.api, tokens, now=self._now, free_busy=FREE_BUSY in SCOPES)

    def event_url(self, row: Row) -> str:
        """Return the page Google gave for the event."""
        return str(orjson.loads(row["extra"]).get("link", "")) if row.get("extra") else ""
