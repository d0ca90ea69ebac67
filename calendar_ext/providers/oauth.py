"""Signing in with an authorization code and PKCE S256 (RFC 6749, 7636, 9700) and reading the id_token.

The verifier is made here and handed back for the server to keep; it never reaches the browser (trust.md T-02). Sessions
are given neither the scopes nor the callback address: with scopes, oauthlib raises as soon as the provider spells one
of them differently or a person unticks one; with the address, it would want https on loopback. Scopes are compared by
`missing_scopes`, the state by the attempt row.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import orjson
import requests
from oauthlib.oauth2 import OAuth2Error
from requests.exceptions import RequestException
from requests_oauthlib import OAuth2Session

from ..errors import AuthorizationExpired, PermissionDenied, SignInFailed
from .base import Authorization, OAuthClient, Token
from .http import Kind, Transport, error_for, lost, reason_of

#: Seconds a host's clock may be behind or ahead when an id_token's end is judged.
CLOCK_LEEWAY = 60


def authorization(
    transport: Transport,
    client: OAuthClient,
    address: str,
    *,
    redirect_uri: str,
    scopes: Collection[str],
    state: str,
    **parameters: str,
) -> Authorization:
    """Return the sign-in address with a fresh S256 challenge, and its verifier. Sends nothing.

    :param parameters: what the provider wants beside the standard ones: `nonce`, `prompt`, `login_hint`, ...
    """
    verifier = secrets.token_urlsafe(64)
    with OAuth2Session(client.client_id, redirect_uri=redirect_uri, scope=list(scopes)) as session:
        url, _ = session.authorization_url(
            address, state=state, code_challenge=challenge_of(verifier), code_challenge_method="S256", **parameters
        )
    return Authorization(url=transport.browser_url(url), verifier=verifier)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def exchange(
    transport: Transport, client: OAuthClient, address: str, *, code: str, verifier: str, redirect_uri: str
) -> dict[str, Any]:
    """Turn a code into the token endpoint's answer.

    :raises SignInFailed: the provider refused the code (`code_refused`) or the application (`client_refused`).
    """
    with transport.prepare(OAuth2Session(client.client_id, redirect_uri=redirect_uri)) as session:
        session.register_compliance_hook("access_token_response", _answered)
        try:
            return dict(
                session.fetch_token(
                    address,
                    code=code,
                    code_verifier=verifier,
                    client_secret=client.client_secret,
                    include_client_id=True,
                )
            )
        except RequestException as error:
            raise lost(error, Kind.READ) from None
        except (OAuth2Error, ValueError) as error:
            _sign_in_failed(error)


def _sign_in_failed(error: Exception) -> NoReturn:
    word = getattr(error, "error", "") or ""
    about_us = word in ("invalid_client", "unauthorized_client")
    raise SignInFailed(reason="client_refused" if about_us else "code_refused", error=word) from None


def refresh(transport: Transport, client: OAuthClient, address: str, token: Token) -> dict[str, Any]:
    """Return the token endpoint's answer; `refresh_token` in it is the old one unless the provider rotated it.

    :raises AuthorizationExpired: the grant has ended.
    :raises PermissionDenied: the provider refuses the application itself.
    """
    with transport.prepare(OAuth2Session(client.client_id)) as session:
        session.register_compliance_hook("refresh_token_response", _answered)
        try:
            return dict(
                session.refresh_token(
                    address,
                    refresh_token=token.refresh,
                    client_id=client.client_id,
                    client_secret=client.client_secret,
                )
            )
        except RequestException as error:
            raise lost(error, Kind.READ) from None
        except (OAuth2Error, ValueError) as error:
            _refresh_failed(error)


def _refresh_failed(error: Exception) -> NoReturn:
    word = getattr(error, "error", "") or ""
    if word in ("invalid_client", "unauthorized_client"):
        raise PermissionDenied(reason=word) from None
    raise AuthorizationExpired(reason=word) from None


def _answered(response: requests.Response) -> requests.Response:
    """Let through what the provider said about the grant; an outage or a limit says nothing about it."""
    if response.status_code == 429 or response.status_code >= 500:
        raise error_for(response.status_code, reason_of(response.content), Kind.READ)
    return response


def revoke(transport: Transport, address: str, token: str) -> None:
    """End a grant (RFC 7009); one that is already gone answers 400 and counts as ended."""
    try:
        response = transport.session().post(address, data={"token": token})
    except RequestException as error:
        raise lost(error, Kind.READ) from None
    if response.status_code not in (200, 400):
        raise error_for(response.status_code, reason_of(response.content), Kind.READ)


def token_of(answer: Mapping[str, Any], *, now: float, refresh: str = "", scopes: Collection[str] = ()) -> Token:
    """Return the token in an answer of the token endpoint; `refresh` and `scopes` stand in for what it leaves out."""
    granted = answer.get("scope") or scopes
    return Token(
        access=answer["access_token"],
        refresh=answer.get("refresh_token") or refresh,
        expires_at=int(now) + int(answer.get("expires_in") or 3600),
        scopes=tuple(granted.split() if isinstance(granted, str) else granted),
    )


def missing_scopes(
    asked: Collection[str], granted: Collection[str], aliases: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the scopes asked for and not granted, as we spell them; `aliases` maps one spelling to another."""
    names = aliases or {}
    have = {names.get(scope, scope) for scope in granted}
    return tuple(scope for scope in asked if names.get(scope, scope) not in have)


def checked_claims(
    id_token: str, *, issuers: Collection[str], client_id: str, nonce: str, now: float
) -> dict[str, Any]:
    """Return the claims of an id_token that came straight from the token endpoint.

    Its signature is not verified: it was received over TLS from the token endpoint itself, where OpenID Connect Core
    3.1.3.7 (6) lets the server's certificate stand in for it. Never use this on one that came through a browser.

    :raises SignInFailed: `iss`, `aud`, `exp`, `nonce` or `sub` is not as it must be; `facts["claim"]` names which.
    """
    claims = _claims(id_token)
    wrong = next((name for name, good in _judged(claims, issuers, client_id, nonce, now) if not good), "")
    if wrong:
        raise SignInFailed(reason="wrong_identity", claim=wrong)
    return claims


def _judged(
    claims: dict[str, Any], issuers: Collection[str], client_id: str, nonce: str, now: float
) -> list[tuple[str, bool]]:
    ends, said = claims.get("exp"), claims.get("nonce")
    return [
        ("iss", claims.get("iss") in issuers),
        ("aud", claims.get("aud") in (client_id, [client_id])),
        ("exp", isinstance(ends, int | float) and ends > now - CLOCK_LEEWAY),
        ("nonce", isinstance(said, str) and hmac.compare_digest(said.encode(), nonce.encode()) and nonce != ""),
        ("sub", isinstance(claims.get("sub"), str) and claims["sub"] != ""),
    ]


def _claims(id_token: str) -> dict[str, Any]:
    try:
        payload = id_token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (AttributeError, IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise SignInFailed(reason="wrong_identity", claim="id_token")
    return claims
