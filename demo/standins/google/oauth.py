"""The token endpoint, revocation and userinfo.

Sources: "Using OAuth 2.0 for Web Server Applications" (exchange, refresh, revoke, error values), "OpenID Connect"
(id_token claims, userinfo), RFC 7636 (PKCE). An answer spells the scope `email` in full, as Google does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

import orjson

from .accounts import REFRESH_TOKENS, Access, Account, Client, Code, Grant, Refresh

if TYPE_CHECKING:
    from .state import State

EMAIL = "https://www.googleapis.com/auth/userinfo.email"
PROFILE = "https://www.googleapis.com/auth/userinfo.profile"
_SPELLED = {"email": EMAIL, "profile": PROFILE}

ISSUER = "https://accounts.google.com"
LIFE = 3_599


class Refusal(Exception):
    """A refusal of the token endpoint: `{"error", "error_description"}`."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status

    def body(self) -> dict[str, str]:
        """Return the JSON that Google would send."""
        return {"error": self.error, "error_description": self.description}


def spelled(scopes: list[str]) -> list[str]:
    """Return scopes as answers spell them, each once."""
    return list(dict.fromkeys(_SPELLED.get(scope, scope) for scope in scopes))


def token(state: State, form: dict[str, str], basic: tuple[str, str] | None = None) -> dict[str, Any]:
    """Answer the token endpoint.

    :param basic: client id and secret of an Authorization header.
    :raises Refusal: with the values the guides name.
    """
    client = _client(state, *(basic or (form.get("client_id", ""), form.get("client_secret", ""))))
    kind = form.get("grant_type")
    if kind == "authorization_code":
        return _exchange(state, client, form)
    if kind == "refresh_token":
        return _refresh(state, client, form.get("refresh_token", ""))
    raise Refusal("unsupported_grant_type", f"Invalid grant_type: {kind}")


def _client(state: State, client_id: str, secret: str) -> Client:
    client = state.clients.get(client_id)
    if client is None:
        raise Refusal("invalid_client", "The OAuth client was not found.", 401)
    if not hmac.compare_digest(client.secret, secret):
        raise Refusal("invalid_client", "Unauthorized", 401)
    return client


def _exchange(state: State, client: Client, form: dict[str, str]) -> dict[str, Any]:
    code = state.codes.get(form.get("code", ""))
    if code is None or code.used or code.expires_at <= state.now() or code.grant.client is not client:
        raise Refusal("invalid_grant", "Malformed auth code.")
    if form.get("redirect_uri") != code.redirect_uri:
        raise Refusal("redirect_uri_mismatch", "Bad Request")
    if code.challenge and challenge_of(form.get("code_verifier", "")) != code.challenge:
        raise Refusal(
            "invalid_grant", "Invalid code verifier." if "code_verifier" in form else "Missing code verifier."
        )
    code.used = True
    if code.grant.ended:
        raise Refusal("invalid_grant", "Token has been expired or revoked.")
    answer = access(state, code.grant, code.scopes)
    if code.offline:
        answer["refresh_token"] = new_refresh_token(state, code.grant, code.scopes)
    if "openid" in code.scopes:
        answer["id_token"] = id_token(state, code)
    return answer


def _refresh(state: State, client: Client, refresh_token: str) -> dict[str, Any]:
    held = state.refresh.get(refresh_token)
    if held is None or held.grant.client is not client or refresh_token not in held.grant.refresh_tokens:
        raise Refusal("invalid_grant", "Token has been expired or revoked.")
    return access(state, held.grant, held.scopes)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def access(state: State, grant: Grant, scopes: tuple[str, ...], life: float = LIFE) -> dict[str, Any]:
    """Make an access token and return the answer that carries it."""
    text = "ya29." + secrets.token_urlsafe(60)
    state.access[text] = Access(grant, scopes, state.now() + life)
    return {"access_token": text, "expires_in": int(life), "scope": " ".join(scopes), "token_type": "Bearer"}


def new_refresh_token(state: State, grant: Grant, scopes: tuple[str, ...]) -> str:
    """Make a refresh token; above a hundred of them the oldest dies silently."""
    text = "1//0" + secrets.token_urlsafe(60)
    grant.refresh_tokens.append(text)
    del grant.refresh_tokens[:-REFRESH_TOKENS]
    state.refresh[text] = Refresh(grant, scopes)
    return text


def id_token(state: State, code: Code) -> str:
    """Return the id_token of a sign-in, signed with the client's secret; Google's are signed with a published key."""
    account, client = code.grant.account, code.grant.client
    now = int(state.now())
    claims: dict[str, Any] = {"iss": ISSUER, "aud": client.id, "azp": client.id, "sub": account.subject}
    claims |= {"iat": now, "exp": now + 3_600}
    if EMAIL in code.scopes:
        claims |= {"email": account.email, "email_verified": True}
    if PROFILE in code.scopes:
        claims["name"] = account.name
    if code.nonce:
        claims["nonce"] = code.nonce
    signed = b".".join(_part(each) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    return b".".join((signed, _base64(hmac.digest(client.secret.encode(), signed, "sha256")))).decode()


def _part(facts: dict[str, Any]) -> bytes:
    return _base64(orjson.dumps(facts))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def revoke(state: State, text: str) -> None:
    """End the whole grant that a refresh or access token belongs to.

    :raises Refusal: 400 `invalid_token` for one that is unknown or already ended.
    """
    held = state.access.get(text) or state.refresh.get(text)
    if held is None or held.grant.ended:
        raise Refusal("invalid_token", "Token expired or revoked")
    end(held.grant)


def end(grant: Grant) -> None:
    """End a grant: every token of this person for this application is dead."""
    grant.ended = True
    grant.refresh_tokens.clear()


def live(state: State, text: str) -> Access | None:
    """Return what an access token allows, or None where it is unknown, out of date or revoked."""
    held = state.access.get(text)
    return None if held is None or held.grant.ended or held.expires_at <= state.now() else held


def grant_of(state: State, account: Account, client: Client) -> Grant | None:
    """Return the living grant of a person for an application."""
    return next((g for g in state.grants if g.account is account and g.client is client and not g.ended), None)


def userinfo(held: Access) -> dict[str, Any]:
    """Return the claims the token's scopes allow (OpenID Connect, userinfo)."""
    facts: dict[str, Any] = {"sub": held.account.subject}
    if EMAIL in held.scopes:
        facts |= {"email": held.account.email, "email_verified": True}
    if PROFILE in held.scopes:
        facts["name"] = held.account.name
    return facts
