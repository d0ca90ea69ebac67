"""The language of this request, and what every template of ours is given."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_login import current_user

from ..contract import OwnerProfile
from .asking import parts
from .frame import ALONE, INSIDE
from .texts import Texts

#: Names of the host's places where nobody set others.
PLACES = {
    "my_account": "My Account",
    "settings_tab": "Calendar sync settings",
    "activities_tab": "Activities",
    "maintenance": "Maintenance",
    "agenda": "Agenda",
}


def texts() -> Texts:
    """Return the texts of this request's person; of the browser's language where nobody is signed in."""
    if "calendar_ext_texts" not in g:
        person: OwnerProfile | None = g.get("calendar_ext_me")
        g.calendar_ext_texts = texts_for(person) if person else _guessed()
    return g.calendar_ext_texts


def texts_for(person: OwnerProfile) -> Texts:
    """Return the texts of one person."""
    return Texts(person.locale, person.zone, {"host": parts().config.host_name})


def _guessed() -> Texts:
    wanted = next(iter(request.accept_languages.values()), "en") if request else "en"
    return Texts(wanted, "UTC", {"host": parts().config.host_name})


def places() -> dict[str, str]:
    """Return what the host calls its places."""
    return PLACES | dict(parts().config.places)


def words() -> dict[str, Any]:
    """Return the context of every template of ours."""
    config = parts().config
    alone = not config.base_template or not current_user.is_authenticated
    g.calendar_ext_alone = alone
    facts = {"config": config, "places": places(), "standalone": alone, "frame": ALONE if alone else INSIDE}
    return texts().context() | {"cx": facts}
