"""What is said on the next page after something was done. Kept under our own key of the host's session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import session, url_for

from .messages import MESSAGES, Action, Family, said
from .texts import Texts

KEY = "calendar_ext_notices"
_MOST = 5
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence with its links, ready to be drawn. `undo`: the connection whose pause can be taken back."""

    text: str
    family: Family
    links: tuple[tuple[str, str], ...] = ()
    undo: str = ""


def say(id: str, **facts: str) -> None:
    """Say a sentence on the next page of ours this person sees. Facts are short texts, no secrets."""
    kept = [*session.get(KEY, []), [id, {name: str(value)[:_LONGEST] for name, value in facts.items()}]]
    session[KEY] = kept[-_MOST:]


def take(texts: Texts) -> list[Notice]:
    """Return what is to be said, once."""
    waiting = session.pop(KEY, None) or []
    return [notice_of(texts, id, facts) for id, facts in waiting if id in MESSAGES]


def notice_of(texts: Texts, id: str, facts: dict[str, Any]) -> Notice:
    """Return the sentence of an id with its links."""
    message = MESSAGES[id]
    links = tuple(_link(texts, action, facts) for action in message.actions if _possible(action, facts))
    return Notice(said(texts, id, facts), message.family, links, facts.get("undo", ""))


def _possible(action: Action, facts: dict[str, Any]) -> bool:
    return all(facts.get(name) for name in action.takes if name in ("connection", "repairs")) and (
        action.endpoint != "connect" or bool(facts.get("provider"))
    )


def _link(texts: Texts, action: Action, facts: dict[str, Any]) -> tuple[str, str]:
    values = {name: facts[name] for name in action.takes if facts.get(name)} | dict(action.fixed)
    return texts.gettext(action.label, **{"email": "", **facts}), url_for(f"calendar_ext.{action.endpoint}", **values)
