"""Every sentence of ui.md section 9 that this release can cause, by its id, with what the person can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .texts import N_, NN_, Texts

Family = Literal["ok", "info", "warn", "danger"]


@dataclass(frozen=True, slots=True)
class Action:
    """A link beside a sentence. `takes`: which of the sentence's facts become parts of the address."""

    label: str
    endpoint: str
    takes: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence: what happened, what it means, what to do. The first action is the main one.

    :param text: or, where `n` among its facts is a count, the sentence for one and the sentence for more.
    """

    text: str | tuple[str, str]
    family: Family = "warn"
    actions: tuple[Action, ...] = ()


_AGAIN = Action(N_("Try again"), "connect", ("provider", "next"))
_CONSENT = Action(N_("Try again"), "connect", ("provider", "next"), {"again": "1"})
_REPAIR = Action(N_("Sign in again"), "connect", ("provider", "next", "repairs"))
_CALENDARS = Action(N_("Choose calendars"), "calendars", ("connection",))
_HELP = Action(N_("Help with connecting"), "help", ("provider",))
_SETTINGS = Action(N_("Start again"), "settings")

MESSAGES: dict[str, Message] = {
    "M2": Message(N_("Sign-in was not finished. Nothing was changed."), actions=(_AGAIN, _HELP)),
    "M3": Message(
        N_("{company} did not give access to your calendar. Tick the calendar permission on the next screen."),
        actions=(_CONSENT, _HELP),
    ),
    "M4": Message(
        N_("{company} asks your administrator to approve {host} once. After that everyone can connect."),
        actions=(_HELP,),
    ),
    "M5": Message(N_("Your organisation does not allow this connection."), actions=(_HELP,)),
    "M6": Message(N_("Sign in to {company} again. Nothing is lost."), actions=(_REPAIR, _HELP)),
    "M7": Message(
        N_("You signed in as {signed_in}, but this connection is for {expected}."),
        actions=(
            Action(N_("Use {expected}"), "connect", ("provider", "next", "repairs")),
            Action(N_("Connect {signed_in} as another calendar"), "connect", ("provider", "next")),
        ),
    ),
    "M8": Message(N_("This sign-in link is no longer valid."), actions=(_SETTINGS,)),
    "M9": Message(N_("{company} sign-in is not set up for your organisation. Ask your administrator."), "info"),
    "M10": Message(
        N_("{company} refused the return address. Add {url} to the project's redirect addresses."), "danger", (_HELP,)
    ),
    "M11": Message(N_("{company} is not answering. We keep trying; next try {time}."), "info"),
    # The provider gave its lasting token to the sign-in that failed; another comes only with another consent.
    "M11a": Message(N_("{company} is not answering. Nothing was changed."), actions=(_CONSENT, _HELP)),
    "M12": Message(N_("{company} asks us to slow down. Continues at {time}."), "info"),
    "M13": Message(N_("We are reading your calendar again from the start. Nothing is lost."), "info"),
    "M14": Message(N_('The calendar "{name}" no longer exists at {company}.'), actions=(_CALENDARS,)),
    "M15": Message(N_('"{name}" can only be read. New events cannot go there.'), actions=(_CALENDARS,)),
    "M16": Message(N_('{company} refused "{title}": {reason}. It stays in {host}.'), "danger"),
    "M17": Message(N_("{company}'s limit for invitations is reached. The invitation goes out {time}."), "info"),
    "M18": Message(N_('"{title}" was changed here and at {company}.')),
    "M27": Message(
        N_(
            "Calendar has no key to keep sign-ins safe. An administrator must set CALENDAR_EXT_ENCRYPTION_KEYS; "
            "flask calendar keys new prints one."
        )
    ),
    "M34": Message(N_("This event changed while you were editing.")),
    "M36": Message(N_("You can see this, but not change it. Ask your administrator."), "info"),
    "M37": Message(
        N_("You were signed out of {host}. Sign in, then start again."), actions=(Action(N_("Sign in"), "settings"),)
    ),
    "insecure": Message(N_("Sign-ins are switched off, because this server is not set up safely."), "danger", (_HELP,)),
    "consent_again": Message(
        N_("{company} gave access only for an hour. Try again, and allow it once more on the next screen."),
        actions=(_CONSENT, _HELP),
    ),
    "leaving": Message(N_("{email} is still being disconnected. Try again in a minute."), "info", (_AGAIN,)),
    "not_yours": Message(N_("Your administrator paused synchronization."), "info"),
    "gone": Message(N_("This is no longer there."), "info"),
    "stale": Message(N_("This changed meanwhile. Nothing was written; look again.")),
    "refused": Message(N_("This could not be done. Nothing was changed.")),
    "later": Message(N_("This did not work now. Nothing was lost; try again in a minute."), "info"),
    "unavailable": Message(N_("The database is not answering. Nothing was changed; try again in a minute."), "danger"),
    "defect": Message(
        N_("Something is wrong in Calendar itself. Nothing was changed. Reference for the help desk: {reference}."),
        "danger",
    ),
    # What went well.
    "connected": Message(N_("Connected as {email}."), "ok"),
    "repaired": Message(N_("Connected again as {email}. Nothing was lost."), "ok"),
    "paused": Message(NN_("Paused. {n} change waiting.", "Paused. {n} changes waiting."), "ok"),
    "resumed": Message(NN_("Resumed. {n} change is on its way.", "Resumed. {n} changes are on their way."), "ok"),
    "syncing": Message(N_("Synchronization with {email} has been started."), "ok"),
    "chosen": Message(N_("Your choice of calendars is saved."), "ok"),
    "looked": Message(N_("The list of calendars is up to date."), "ok"),
    "direction": Message(N_("Saved."), "ok"),
    "leaving_now": Message(N_("Disconnecting {email}…"), "info"),
    "created": Message(N_('"{title}" is on its way to {company}.'), "ok"),
    "saved": Message(N_('"{title}" is saved and on its way to {company}.'), "ok"),
    "moved": Message(N_("Moved to {time}."), "ok"),
    "deleted": Message(N_('"{title}" is deleted.'), "ok"),
    "sent": Message(N_("The chosen appointments are on their way to your calendar."), "ok"),
    "kept": Message(N_("The chosen appointments stay only in {host}."), "ok"),
    "released": Message(N_("Approved. Synchronization goes on."), "ok"),
}

#: Sentences of services and providers that are shown as they are; here so that the catalogues have them.
SAID_ELSEWHERE = (
    N_("It ends before it begins."),
    N_("These times make no sense."),
    N_("Say at what time it begins, or tick All day."),
    N_("One of these is not an e-mail address."),
    N_("New events can only go to a calendar that is synchronized."),
    N_("This calendar can only be read. New events cannot go there."),
    N_("You can see this, but not change it."),
    N_("There is nothing to undo."),
    N_("Nothing waits for you here."),
    N_("There is no such direction."),
    N_("Its start or end could not be read."),
    N_("The event could not be read."),
    N_("The host did not take it."),
)

#: Why a sign-in failed (`SignInFailed.reason`), as the sentence to show.
SIGN_IN = {
    "invalid": "M8",
    "wrong_identity": "M8",
    "denied": "M2",
    "failed": "M2",
    "code_refused": "M2",
    "policy": "M5",
    "consent_needed": "M4",
    "wrong_account": "M7",
    "not_configured": "M9",
    "client_refused": "M9",
    "consent_again": "consent_again",
    "leaving": "leaving",
}


def said(texts: Texts, id: str, facts: Mapping[str, Any]) -> str:
    """Return the sentence of an id; facts it names and nobody knows read as a dash."""
    text = MESSAGES[id].text
    if isinstance(text, tuple):
        return texts.ngettext(*text, int(facts.get("n") or 0))
    return texts.gettext(text, **_Known(facts))


class _Known(dict[str, Any]):
    """Facts of a sentence that may have fewer than it names."""

    _NAMES = (
        "company",
        "host",
        "email",
        "title",
        "time",
        "name",
        "reason",
        "url",
        "signed_in",
        "expected",
        "reference",
    )

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__({name: "–" for name in self._NAMES if name != "host"} | dict(facts))
