"""Where somebody whose connection fails is sent: troubleshooting, a guide per provider, whom to ask (A24, E27)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from .asking import me, parts
from .oauth import redirect_uri
from .routes import Routes

routes = Routes()


@routes.add("/help", "help")
def help() -> Any:
    """What may be wrong, and what to do about it."""
    return render_template(
        "calendar_ext/help/troubleshooting.html",
        offers=parts().connecting.offers(me().tenant_id),
        asked=request.args.get("provider", "")[:32],
    )


@routes.add("/help/<provider>", "guide")
def guide(provider: str) -> Any:
    """How one provider is connected, step by step."""
    offer = parts().connecting.offer(provider, me().tenant_id)
    return render_template("calendar_ext/help/guide.html", offer=offer, address=redirect_uri(provider))
