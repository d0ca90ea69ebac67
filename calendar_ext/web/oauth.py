"""Signing in at a provider and coming back: the only GETs of ours that change anything (trust.md T-01, T-07)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from ..contract import OwnerProfile
from ..errors import CalendarExtError, KeyMissing, SignInFailed
from ..services.connecting import Answer, Finished, Offer
from .asking import me, parts, profile_of
from .errors import answer, message_for
from .notices import say
from .routes import CONNECT, Routes
from .safe import safe_next

routes = Routes()

COOKIE = "__Host-cal_oauth"
#: On plain-HTTP loopback with a stand-in a browser takes neither the prefix nor the flag (decisions.md section 15).
LOOPBACK_COOKIE = "calendar_ext_oauth"
_BINDING = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: Marks the second look at a callback.
_CONTINUED = "continued"


@routes.add("/start", "start", permission=CONNECT)
def start() -> Any:
    """**Start Synchronization**: straight to the sign-in where there is one way, else a choice."""
    onward = safe_next(request.args.get("next"), url_for("calendar_ext.page"))
    ready = [offer for offer in parts().connecting.offers(me().tenant_id) if offer.ready]
    if len(ready) == 1:
        return redirect(url_for("calendar_ext.connect", provider=ready[0].key, next=onward))
    return render_template("calendar_ext/settings/start.html", offers=_offers(), next=onward)


def _offers() -> list[Offer]:
    return parts().connecting.offers(me().tenant_id)


@routes.add("/connect/<provider>", "connect", permission=CONNECT)
def connect(provider: str) -> Any:
    """Store an attempt and send the browser to the provider."""
    offer = parts().connecting.offer(provider, me().tenant_id)
    onward = safe_next(request.args.get("next"), url_for("calendar_ext.settings"))
    repairs = request.args.get("repairs", "")[:22]
    try:
        started = parts().connecting.start(
            me(),
            provider,
            redirect_uri=redirect_uri(provider),
            next=onward,
            repairs=repairs,
            again=request.args.get("again") == "1",
        )
    except (KeyMissing, SignInFailed) as error:
        _, id = message_for(error)
        say(id, provider=provider, company=offer.company, next=onward)
        return redirect(onward, 303)
    response = redirect(started.url, 303)
    response.headers["Referrer-Policy"] = "no-referrer"
    return _bound(response, started.binding, offer)


def _bound(response: Any, binding: str, offer: Offer) -> Any:
    loopback = _is_loopback(offer)
    response.set_cookie(
        LOOPBACK_COOKIE if loopback else COOKIE,
        binding,
        max_age=parts().config.limits.attempt_seconds,
        secure=not loopback,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _is_loopback(offer: Offer) -> bool:
    base = urlsplit(parts().host.base_url())
    return offer.standin and base.scheme == "http" and base.hostname in _LOOPBACK


def redirect_uri(provider: str) -> str:
    """Return the address a provider sends people back to: the host's own base, never the request's Host header."""
    return parts().host.base_url().rstrip("/") + url_for("calendar_ext.oauth_callback", provider=provider)


@routes.add("/oauth/<provider>/callback", "oauth_callback", access="public", permission=CONNECT)
def oauth_callback(provider: str) -> Any:
    """Finish a sign-in and leave for an address without code and state."""
    person = profile_of(current_user)
    if person is None:
        return _unseen()
    if not parts().host.has_permission(person.user_id, CONNECT):
        return answer(403, "M36", {})
    offer = parts().connecting.offer(provider, person.tenant_id)
    try:
        finished = parts().connecting.finish(
            person, provider, _answered(), redirect_uri=redirect_uri(provider), binding=_binding(offer)
        )
    except CalendarExtError as error:
        return _not_finished(error, offer, person)
    return _arrived(finished, offer)


def _answered() -> Answer:
    given = request.args
    return Answer(given.get("state", ""), given.get("code", ""), given.get("error", "")[:64], given.get("iss", ""))


def _binding(offer: Offer) -> str:
    value = request.cookies.get(LOOPBACK_COOKIE if _is_loopback(offer) else COOKIE, "")
    return value if _BINDING.match(value) else ""


def _unseen() -> Any:
    """A strict session cookie does not come along from another site: continue once from a page of our own (T-07)."""
    if request.args.get(_CONTINUED) == "1":
        return answer(401, "M37", {})
    onward = url_for("calendar_ext.oauth_callback", **{**(request.view_args or {}), **request.args, _CONTINUED: "1"})
    response = make_response(render_template("calendar_ext/settings/continue.html", onward=onward))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _not_finished(error: CalendarExtError, offer: Offer, person: OwnerProfile) -> Any:
    status, id = message_for(error)
    known = {name: str(value) for name, value in error.facts.items() if name in ("expected", "signed_in", "email")}
    onward = str(error.facts.get("next") or "")
    facts = known | {
        "provider": offer.key,
        "company": offer.company,
        "repairs": str(error.facts.get("connection") or ""),
    }
    if not onward:
        # Nothing of the attempt was ours: there is no page to go back to.
        return answer(status, id, facts)
    say(id, **facts, next=onward, url=redirect_uri(offer.key))
    return redirect(onward, 303)


def _arrived(finished: Finished, offer: Offer) -> Any:
    if finished.missing:
        say("M3", provider=offer.key, company=offer.company, next=finished.next)
    else:
        say("connected" if finished.created else "repaired", email=finished.email)
    return redirect(finished.next, 303)


@routes.add("/connect/attempts/<id>", "attempt", permission=CONNECT)
def attempt(id: str) -> Any:
    """How a sign-in goes, for the page that waits for it: the server's word, never the browser's (T-06)."""
    found = parts().connecting.attempt(me(), id)
    return jsonify(outcome=found.outcome or "waiting", connection=found.connection)
