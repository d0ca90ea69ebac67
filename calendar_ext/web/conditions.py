"""The state of a connection in words: sentence, badge, and what beside it can be done (ui.md sections 5.5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..services.health import Condition, worst
from .texts import N_, NN_, Texts

#: State → family of colour, mark, text of the badge.
BADGES = {
    "connected": ("ok", "dot", N_("Syncing")),
    "retrying": ("info", "arrows", N_("Retrying")),
    "outage": ("info", "arrows", N_("Retrying")),
    "rate_limited": ("info", "arrows", N_("Retrying")),
    "late": ("info", "arrows", N_("Retrying")),
    "first_sync": ("info", "arrows", N_("First sync")),
    "paused": ("pause", "bars", N_("Paused")),
    "paused_by_admin": ("pause", "bars", N_("Paused")),
    "sign_in": ("warn", "key", N_("Sign in again")),
    "limited": ("warn", "key", N_("Sign in again")),
    "consent": ("warn", "clock", N_("Waiting for your administrator")),
    "review": ("warn", "triangle", N_("Waiting for you")),
    "calendar_gone": ("warn", "triangle", N_("Attention")),
    "closed": ("warn", "triangle", N_("Attention")),
    "error": ("danger", "triangle", N_("Failed")),
    "disconnecting": ("pause", "plug", N_("Disconnecting")),
}
SENTENCES = {
    "first_sync": N_("Bringing in {email}"),
    "paused": N_("Synchronization with {email} is paused."),
    "paused_by_admin": N_("Your administrator paused synchronization."),
    "sign_in": N_("Sign in to {company} again to continue."),
    "limited": N_("{company} did not give access to your calendar. Tick the calendar permission on the next screen."),
    "consent": N_("{company} asks your administrator to approve {host} once."),
    "review": N_("A synchronization would change more than usual and waits for you."),
    "outage": N_("{company} is not answering. We keep trying."),
    "rate_limited": N_("{company} asks us to slow down. Next try {time}."),
    "late": N_("{company} has not been read for a while. We keep trying."),
    "closed": N_("One of the calendars of {email} can no longer be read at {company}."),
    "disconnecting": N_("Disconnecting {email}…"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A pill: family of colour, a shape besides the colour, a text."""

    family: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Hero:
    """The one sentence at the top of the tab. `condition` is the connection it speaks of; None without any."""

    text: str
    true: bool
    badge: Badge | None = None
    condition: Condition | None = None


def badge_of(condition: Condition, texts: Texts, *, hero: bool = False) -> Badge:
    """Return the badge of a connection; beside the status sentence a healthy one says *Connected*."""
    family, mark, text = BADGES[condition.state]
    if condition.state == "first_sync" and condition.progress and condition.progress.percent is not None:
        return Badge(family, mark, texts.gettext(N_("First sync {n}%"), n=condition.progress.percent))
    if hero and condition.state == "connected":
        text = N_("Connected")
    return Badge(family, mark, texts.gettext(text))


def sentence_of(condition: Condition, texts: Texts) -> str:
    """Return what there is to say of one connection, besides that it is in step."""
    if condition.state == "error":
        counted = NN_("{n} event could not be synchronized.", "{n} events could not be synchronized.")
        return texts.ngettext(*counted, condition.tally.failed)
    if condition.state == "calendar_gone":
        text = N_('The calendar "{name}" no longer exists at {company}.')
        return texts.gettext(text, name=condition.gone[0], company=condition.company)
    when = texts.at(condition.next_try) if condition.next_try else texts.gettext(N_("soon"))
    text = SENTENCES.get(condition.state, "")
    return texts.gettext(text, email=condition.email, company=condition.company, time=when)


def hero_of(conditions: Sequence[Condition], texts: Texts) -> Hero:
    """Return the sentence of the whole tab: the status sentence only while it is true of every connection (E30)."""
    current = [one for one in conditions if one.state != "disconnecting"] or list(conditions)
    first = worst(current)
    if first is None:
        return Hero(texts.gettext(N_("Your {host} Agenda is not synchronized yet.")), False)
    badge = badge_of(first, texts, hero=True)
    if not first.in_step:
        return Hero(sentence_of(first, texts), False, badge, first)
    others = len(current) - 1
    if not others:
        text = texts.gettext(N_("Your {host} Agenda is synchronized with {email}"), email=first.email)
    else:
        more = NN_(
            "Your {host} Agenda is synchronized with {email} and {n} more",
            "Your {host} Agenda is synchronized with {email} and {n} more",
        )
        text = texts.ngettext(*more, others, email=first.email)
    return Hero(text, True, badge, first)
