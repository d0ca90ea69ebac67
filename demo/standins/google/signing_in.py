"""The authorization endpoint as facts: what was asked, and the address the browser goes back to.

Source: "Using OAuth 2.0 for Web Server Applications", parameters of the authorization request and the errors shown to
the person; RFC 6749 section 4.1.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from . import oauth
from .accounts import Account, Client, Code, Grant
from .errors import not_imitated
from .words import words

if TYPE_CHECKING:
    from .state import State

_KNOWN = frozenset(
    words(
        "client_id redirect_uri response_type scope state access_type prompt include_granted_scopes code_challenge "
        "code_challenge_method login_hint hd nonce enable_granular_consent"
    )
)

#: What the consent page says of a scope; others are shown by their address.
SENTENCES = {
    "calendar.events": "View and edit events on all your calendars",
    "calendar.events.readonly": "View events on all your calendars",
    "calendar.calendarlist.readonly": "See the list of Google calendars you’re subscribed to",
    "calendar.freebusy": "View your availability in your calendars",
    "calendar.readonly": "See and download any calendar you can access",
    "calendar": "See, edit, share and permanently delete all the calendars you can access",
}

#: Scopes that cannot be unticked: they are the sign-in itself.
FIXED = frozenset(("openid", oauth.EMAIL, oauth.PROFILE))


class PageError(Exception):
    """A request so wrong that the person is told and not sent back: `Error 400: redirect_uri_mismatch`."""

    def __init__(self, status: int, error: str, sentence: str) -> None:
        super().__init__(error)
        self.status, self.error, self.sentence = status, error, sentence


@dataclass
class SignIn:
    """One way through the pages. `account` is set once the person has signed in."""

    id: str
    client: Client
    redirect_uri: str
    scopes: list[str]
    state: str
    offline: bool
    prompts: frozenset[str]
    merging: bool
    challenge: str
    nonce: str
    hint: str
    account: Account | None = field(default=None)

    @property
    def tickable(self) -> list[str]:
        """Return the scopes that have a box of their own."""
        return [scope for scope in self.scopes if scope not in FIXED]


def begin(state: State, given: Mapping[str, str]) -> SignIn:
    """Start a sign-in.

    :raises PageError: what is shown to the person instead.
    :raises ApiError: 501 for a parameter or prompt that is not imitated.
    """
    for name in given:
        if name not in _KNOWN:
            raise not_imitated(f"the parameter {name} of the authorization endpoint")
    client = state.clients.get(given.get("client_id", ""))
    if client is None:
        raise PageError(401, "invalid_client", "The OAuth client was not found.")
    if not client.may_return_to(given.get("redirect_uri", "")):
        raise PageError(400, "redirect_uri_mismatch", "The redirect address of this request is not registered.")
    if given.get("response_type") != "code" or not given.get("scope", "").split():
        raise PageError(400, "invalid_request", "Required parameter is missing: response_type or scope.")
    if "code_challenge" in given and given.get("code_challenge_method") != "S256":
        raise PageError(400, "invalid_request", "Only the code challenge method S256 is accepted.")
    prompts = frozenset(given.get("prompt", "").split())
    if prompts - {"consent", "select_account"}:
        raise not_imitated(f"prompt={given['prompt']}")
    sign_in = SignIn(
        id=secrets.token_urlsafe(16),
        client=client,
        redirect_uri=given["redirect_uri"],
        scopes=oauth.spelled(given["scope"].split()),
        state=given.get("state", ""),
        offline=given.get("access_type") == "offline",
        prompts=prompts,
        merging=given.get("include_granted_scopes") == "true",
        challenge=given.get("code_challenge", ""),
        nonce=given.get("nonce", ""),
        hint=given.get("login_hint", ""),
    )
    state.sign_ins[sign_in.id] = sign_in
    return sign_in


def hinted(state: State, sign_in: SignIn) -> Account | None:
    """Return the account of `login_hint` (address or subject), unless the chooser was asked for."""
    if "select_account" in sign_in.prompts:
        return None
    return next((a for a in state.accounts.values() if sign_in.hint and sign_in.hint in (a.email, a.subject)), None)


def needs_consent(state: State, sign_in: SignIn) -> bool:
    """Return whether the consent page is shown: asked for by `prompt`, or something is not granted yet."""
    assert sign_in.account is not None
    grant = oauth.grant_of(state, sign_in.account, sign_in.client)
    return "consent" in sign_in.prompts or grant is None or not set(sign_in.scopes) <= set(grant.scopes)


def refuse(state: State, sign_in: SignIn) -> str:
    """End a sign-in by Cancel and return the address to go back to."""
    del state.sign_ins[sign_in.id]
    return _back(sign_in, {"error": "access_denied"})


def allow(state: State, sign_in: SignIn, ticked: list[str]) -> str:
    """End a sign-in by consent to the ticked scopes and return the address to go back to, with a code.

    A refresh token comes with the first consent, and again only where consent was asked for with `prompt=consent`.
    """
    assert sign_in.account is not None
    del state.sign_ins[sign_in.id]
    granted = [scope for scope in sign_in.scopes if scope in FIXED or scope in ticked]
    present = oauth.grant_of(state, sign_in.account, sign_in.client)
    grant = present or Grant(sign_in.account, sign_in.client)
    if present is None:
        state.grants.append(grant)
    before = list(grant.scopes)
    grant.scopes = list(dict.fromkeys([*before, *granted]))
    scopes = tuple(grant.scopes if sign_in.merging else granted)
    offline = sign_in.offline and (present is None or "consent" in sign_in.prompts)
    text = "4/0" + secrets.token_urlsafe(40)
    state.codes[text] = Code(
        grant, scopes, sign_in.redirect_uri, sign_in.challenge, sign_in.nonce, offline, state.now() + 600
    )
    return _back(sign_in, {"code": text, "scope": " ".join(scopes)})


def _back(sign_in: SignIn, facts: dict[str, str]) -> str:
    facts = ({"state": sign_in.state} if sign_in.state else {}) | facts
    return sign_in.redirect_uri + ("&" if "?" in sign_in.redirect_uri else "?") + urlencode(facts)


def describe(scope: str) -> str:
    """Return what the consent page says of a scope."""
    return SENTENCES.get(scope.rpartition("/")[2], scope)
