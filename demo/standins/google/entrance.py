"""Sign-in, consent, token endpoint, revocation and userinfo over HTTP.

The pages are forms and nothing else: chooser, sign-in, consent. `/o/oauth2/v2/auth`, `/token`, `/revoke` and
`/v1/userinfo` are Google's own paths (OpenID Connect discovery document); `/signin/…` is the stand-in's.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, redirect, render_template, request, url_for

from . import oauth, signing_in
from .api import state
from .errors import ApiError

blueprint = Blueprint("entrance", __name__)


@blueprint.get("/o/oauth2/v2/auth")
def authorize() -> Any:
    """Begin: straight to the password where `login_hint` names an account, else to the chooser."""
    with state().lock:
        sign_in = signing_in.begin(state(), request.args)
        sign_in.account = signing_in.hinted(state(), sign_in)
    page = ".password" if sign_in.account else ".choose"
    return redirect(url_for(page, sign_in_id=sign_in.id))


def _sign_in(sign_in_id: str) -> signing_in.SignIn:
    found = state().sign_ins.get(sign_in_id)
    if found is None:
        raise signing_in.PageError(400, "invalid_request", "This sign-in has ended. Start again from the application.")
    return found


@blueprint.get("/signin/<sign_in_id>/account")
def choose(sign_in_id: str) -> Any:
    """Show the accounts to choose from."""
    return render_template("choose.html", sign_in=_sign_in(sign_in_id), accounts=list(state().accounts.values()))


@blueprint.post("/signin/<sign_in_id>/account")
def chosen(sign_in_id: str) -> Any:
    """Take the choice."""
    sign_in = _sign_in(sign_in_id)
    sign_in.account = state().accounts.get(request.form.get("email", ""))
    if sign_in.account is None:
        return redirect(url_for(".choose", sign_in_id=sign_in_id), 303)
    return redirect(url_for(".password", sign_in_id=sign_in_id), 303)


@blueprint.get("/signin/<sign_in_id>/password")
def password(sign_in_id: str) -> Any:
    """Ask for the password; any will do."""
    sign_in = _sign_in(sign_in_id)
    if sign_in.account is None:
        return redirect(url_for(".choose", sign_in_id=sign_in_id))
    return render_template("password.html", sign_in=sign_in)


@blueprint.post("/signin/<sign_in_id>/password")
def signed_in(sign_in_id: str) -> Any:
    """Go on to consent, or straight back where nothing new is asked for."""
    sign_in = _sign_in(sign_in_id)
    if sign_in.account is None:
        return redirect(url_for(".choose", sign_in_id=sign_in_id), 303)
    with state().lock:
        if not signing_in.needs_consent(state(), sign_in):
            return redirect(signing_in.allow(state(), sign_in, sign_in.scopes), 303)
    return redirect(url_for(".consent", sign_in_id=sign_in_id), 303)


@blueprint.get("/signin/<sign_in_id>/consent")
def consent(sign_in_id: str) -> Any:
    """Show what the application asks for, a box for each scope."""
    sign_in = _sign_in(sign_in_id)
    if sign_in.account is None:
        return redirect(url_for(".choose", sign_in_id=sign_in_id))
    boxes = [(scope, signing_in.describe(scope)) for scope in sign_in.tickable]
    return render_template("consent.html", sign_in=sign_in, boxes=boxes)


@blueprint.post("/signin/<sign_in_id>/consent")
def decided(sign_in_id: str) -> Any:
    """Go back to the application, with a code or with `error=access_denied`."""
    sign_in = _sign_in(sign_in_id)
    with state().lock:
        if sign_in.account is None or request.form.get("decision") != "allow":
            return redirect(signing_in.refuse(state(), sign_in), 303)
        return redirect(signing_in.allow(state(), sign_in, request.form.getlist("scope")), 303)


@blueprint.post("/token")
def token() -> Response:
    """Exchange a code, or refresh."""
    basic = request.authorization
    pair = (basic.username or "", basic.password or "") if basic and basic.type == "basic" else None
    with state().lock:
        return _json(oauth.token(state(), dict(request.form), pair))


@blueprint.post("/revoke")
def revoke() -> Response:
    """End a grant."""
    with state().lock:
        oauth.revoke(state(), request.values.get("token", ""))
    return _json({})


@blueprint.get("/v1/userinfo")
def userinfo() -> Response:
    """Say whose token it is."""
    header = request.headers.get("Authorization", "")
    with state().lock:
        held = oauth.live(state(), header[7:]) if header.startswith("Bearer ") else None
    if held is None or "openid" not in held.scopes:
        raise ApiError(401, "authError", "Invalid Credentials", location="Authorization")
    return _json(oauth.userinfo(held))


@blueprint.app_errorhandler(oauth.Refusal)
def _refused(error: oauth.Refusal) -> Response:
    return _json(error.body(), error.status)


@blueprint.app_errorhandler(signing_in.PageError)
def _page_error(error: signing_in.PageError) -> Any:
    return render_template("error.html", error=error), error.status


def _json(facts: dict[str, Any], status: int = 200) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Response(orjson.dumps(facts), status=status, headers=headers)
