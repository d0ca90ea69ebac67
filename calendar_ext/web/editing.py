"""Making, changing, moving and deleting events on the Calendar page; each asks before guests are told (ui.md 7.12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import redirect, render_template, request, url_for

from ..domain.model import Attendee
from ..errors import Refused, Stale
from ..services.editing import EventDraft
from ..services.views import Details, Source
from .asking import may, me, parts
from .forms import DeleteForm, EventForm, MoveForm, Press, Unsynced, pressed
from .messages import said
from .notices import say, take
from .routes import CONNECT, Routes
from .safe import safe_next, safe_url
from .speaking import texts
from .texts import N_
from .timing import Times, shifted, times_in, times_of

routes = Routes()

_SEPARATORS = re.compile(r"[\s,;]+")
_MOST_NAME = 120
#: Fields of an event as people call them.
FIELDS = {
    "when": N_("Time"),
    "title": N_("Title"),
    "description": N_("Description"),
    "location": N_("Place"),
    "status": N_("State"),
    "show_as": N_("Shown as"),
    "visibility": N_("Private"),
    "rules": N_("Repetition"),
    "attendees": N_("People"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A conflict's row as the page prints it."""

    name: str
    ours: str
    theirs: str
    winner: str
    at: datetime


@routes.add("/events/<id>", "event")
def event(id: str) -> Any:
    """One event, or with `at` one occurrence of it."""
    at = _at()
    details: Details = parts().reading.details(me(), id, at)
    company = _company(details.source)
    may_edit = may(CONNECT) and details.editable
    return render_template(
        "calendar_ext/calendar/event.html",
        details=details,
        at=at,
        company=company,
        may_edit=may_edit,
        why_not=_why_not(details, company),
        losses=[
            Shown(texts().gettext(FIELDS.get(one.field, one.field)), one.ours, one.theirs, one.winner, one.at)
            for one in details.losses
        ],
        online_link=safe_url(details.online_url),
        place_link=safe_url(details.item.location),
        host_link=_host_link(details.host_url),
        provider_link=safe_url(details.provider_url),
        press=Press(),
        notices=take(texts()),
    )


def _at() -> str:
    return request.args.get("at", "")[:24]


def _company(source: Source) -> str:
    return str(parts().connecting.offer(source.provider, me().tenant_id).company)


def _host_link(address: str) -> str:
    """Return a link into the host: an address of its own, or one below its public address."""
    return safe_next(address, "") or (safe_url(address) if address.startswith(parts().host.base_url()) else "")


def _why_not(details: Details, company: str) -> str:
    if not details.source.writable:
        return said(texts(), "M15", {"name": details.source.name})
    if not details.is_organizer:
        return texts().gettext(N_("Only {organizer} can change this event."), organizer=details.organizer or company)
    return said(texts(), "M36", {})


@routes.add("/events/new", "new", "GET", "POST", permission=CONNECT)
def new() -> Any:
    """A new event in one of the person's calendars."""
    form = EventForm()
    sources: list[Source] = parts().reading.writable(me())
    if request.method == "GET":
        form.process(data=_blank(sources))
    draw = _Page("form", form, None, me().zone, _company(sources[0]) if sources else "–", sources)
    if not sources:
        return draw.with_problem(N_("There is no calendar that new events could go to. Choose calendars first."))
    if request.method == "GET" or not form.validate_on_submit():
        return draw.again()
    try:
        draft = _draft(form, me().zone)
    except Refused as refusal:
        return draw.with_problem(str(refusal))
    if draft.guests and not form.notify.data:
        return draw.asking(len(draft.guests))
    parts().editing.create(me(), form.calendar.data or "", draft, notify=form.notify.data == "yes")
    say("created", title=_name(draft.title), company=draw.company)
    return redirect(url_for("calendar_ext.page", d=form.first.data.isoformat()), 303)


def _blank(sources: Sequence[Source]) -> dict[str, Any]:
    now = parts().reading.today(me())
    try:
        day = datetime.fromisoformat(request.args.get("d", "")).date()
    except ValueError:
        day = now.date()
    start = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    chosen = next((source.calendar for source in sources if source.writes), sources[0].calendar if sources else "")
    end = (start + timedelta(hours=1)).time()
    last = day + timedelta(days=1) if end < start.time() else day
    return {"first": day, "start": start.time(), "last": last, "end": end, "calendar": chosen}


def _draft(form: EventForm, zone: str, times: Times | None = None) -> EventDraft:
    wanted = times or times_in(form, zone, all_day=form.all_day.data)
    return EventDraft(
        title=form.title.data or "",
        when=wanted.when(),
        location=form.location.data or "",
        description=form.description.data or "",
        guests=_guests(form.guests.data or ""),
        private=form.private.data,
    )


def _guests(text: str) -> tuple[str, ...]:
    """Return the addresses somebody typed; nothing is looked up.

    :raises Refused: one of them is none.
    """
    found = []
    for address in filter(None, _SEPARATORS.split(text)):
        try:
            # `test_environment` lets `.test` pass, which a demonstration's people have.
            checked = validate_email(address, check_deliverability=False, test_environment=True)
            found.append(checked.normalized)
        except EmailNotValidError:
            raise Refused("One of these is not an e-mail address.", reason="guests") from None
    return tuple(dict.fromkeys(found))


@routes.add("/events/<id>/edit", "edit", "GET", "POST", permission=CONNECT)
def edit(id: str) -> Any:
    """Change an event, one occurrence of it, or its series."""
    details: Details = parts().reading.details(me(), id, _at())
    zone = details.zone or me().zone
    form = EventForm(data=_filled(details, id))
    draw = _Page("form", form, details, zone, _company(details.source))
    if request.method == "GET" or not form.validate_on_submit():
        return draw.again()
    try:
        wanted = times_in(form, zone, all_day=form.all_day.data)
        draft = _draft(form, zone, _for_scope(id, details, form, wanted))
        return _changed(draw, id, draft)
    except (Refused, Stale) as problem:
        return draw.after(problem, id)


def _filled(details: Details, id: str) -> dict[str, Any]:
    guests = [guest.email for guest in details.others if not guest.organizer]
    return {
        "title": details.item.title,
        "location": details.item.location,
        "description": details.description,
        "guests": ", ".join(guests),
        "private": details.item.private,
        "calendar": details.source.calendar,
        **times_of(details, me().zone).fields(),
        **_etags(id, details),
    }


def _etags(id: str, details: Details) -> dict[str, str]:
    """Return the versions a form carries: of what is shown, and of the whole series."""
    one = parts().editing.version(me(), id, _at(), "one")
    return {"etag": one, "etag_all": parts().editing.version(me(), id, _at(), "all") if details.item.repeats else one}


def _for_scope(id: str, details: Details, form: Any, wanted: Times) -> Times:
    if form.scope.data != "all" or not _at():
        return wanted
    master: Details = parts().reading.series(me(), id)
    return shifted(times_of(master, me().zone), times_of(details, me().zone), wanted)


def _changed(draw: _Page, id: str, draft: EventDraft) -> Any:
    form, details = draw.form, draw.details
    others = _told(details, draft.guests)
    if others and not form.notify.data:
        return draw.asking(others)
    changed = parts().editing.edit(me(), id, draft, **_manner(form))
    say("saved", title=_name(draft.title), company=draw.company)
    return redirect(url_for("calendar_ext.event", id=changed, at=_kept_at(form, id, changed)), 303)


def _kept_at(form: Any, id: str, changed: str) -> str | None:
    """An edited occurrence has an event of its own afterwards; a series is shown where it was."""
    return (_at() or None) if changed == id and form.scope.data != "all" else None


def _manner(form: Any) -> dict[str, Any]:
    whole = form.scope.data == "all"
    return {
        "at": _at(),
        "scope": form.scope.data or "one",
        "expected": (form.etag_all.data if whole else form.etag.data) or "",
        "notify": form.notify.data == "yes",
    }


def _told(details: Details | None, guests: Sequence[str] | None = None) -> int:
    """Return how many people a message would reach; nobody is told of what is past."""
    if details is None or (details.item.last < parts().reading.today(me()).date()):
        return 0
    known = {guest.key for guest in details.others if not guest.organizer}
    return len(known | {Attendee(email).key for email in guests or ()})


@routes.add("/events/<id>/move", "move", "GET", "POST", permission=CONNECT)
def move(id: str) -> Any:
    """Another time, without dragging."""
    details: Details = parts().reading.details(me(), id, _at())
    zone = details.zone or me().zone
    form = MoveForm(data=times_of(details, me().zone).fields() | _etags(id, details))
    draw = _Page("move", form, details, zone, _company(details.source))
    if request.method == "GET" or not form.validate_on_submit():
        return draw.again()
    try:
        times = _for_scope(id, details, form, times_in(form, zone, all_day=details.item.all_day))
        when = times.when()
        if (others := _told(details)) and not form.notify.data:
            return draw.asking(others)
        changed = parts().editing.move(me(), id, when, **_manner(form))
    except (Refused, Stale) as problem:
        return draw.after(problem, id)
    say("moved", time=_spoken(times))
    return redirect(url_for("calendar_ext.event", id=changed, at=_kept_at(form, id, changed)), 303)


def _spoken(times: Times) -> str:
    day = texts().short_day(times.first)
    return f"{day} {texts().clock(datetime.combine(times.first, times.start))}" if times.start else day


@routes.add("/events/<id>/delete", "delete", "GET", "POST", permission=CONNECT)
def delete(id: str) -> Any:
    """Ask, then delete an event, one occurrence of it, or its series."""
    details: Details = parts().reading.details(me(), id, _at())
    form = DeleteForm(data=_etags(id, details))
    draw = _Page("delete", form, details, "", _company(details.source))
    if request.method == "GET" or not form.validate_on_submit():
        return draw.again()
    if (others := _told(details)) and not form.notify.data:
        return draw.asking(others)
    try:
        parts().editing.delete(me(), id, **_manner(form))
    except (Refused, Stale) as problem:
        return draw.after(problem, id)
    say("deleted", title=_name(details.item.title))
    return redirect(url_for("calendar_ext.page", d=details.item.first.isoformat()), 303)


def _name(title: str) -> str:
    return title[:_MOST_NAME] or texts().gettext(N_("(no title)"))


@dataclass(slots=True)
class _Page:
    """One of the three forms, drawn as often as it takes."""

    name: str
    form: Any
    details: Details | None
    zone: str
    company: str
    sources: Sequence[Source] = ()

    def again(self, *, problem: str = "", ask: int = 0, status: int = 0) -> Any:
        """Draw the form; with errors in it, or a question under it, if there are any."""
        page = render_template(
            f"calendar_ext/calendar/{self.name}.html",
            form=self.form,
            details=self.details,
            zone=self.zone,
            company=self.company,
            sources=self.sources,
            repeats=bool(self.details and self.details.item.repeats),
            problem=problem,
            ask=ask,
            back=self._back(),
        )
        return page, status or (400 if self.form.errors or problem else 200)

    def asking(self, people: int) -> Any:
        """Draw the form with the question whether the guests are to be told."""
        return self.again(ask=people)

    def with_problem(self, problem: str) -> Any:
        """Draw the form with a sentence above it."""
        return self.again(problem=problem)

    def after(self, problem: Refused | Stale, id: str) -> Any:
        """Draw the form with why it was not done; what was typed stays, and saving again means it."""
        if isinstance(problem, Stale) and self.details:
            for name, value in _etags(id, self.details).items():
                self.form[name].data = value
            return self.again(problem=said(texts(), "M34", {}), status=409)
        return self.with_problem(str(problem))

    def _back(self) -> str:
        if self.details is None:
            return url_for("calendar_ext.page")
        return url_for("calendar_ext.event", id=self.details.item.event, at=_at() or None)


@routes.add("/unsynchronized/send", "send", "POST", permission=CONNECT)
def send() -> Any:
    """Let appointments of the Activities panel go to the calendar."""
    form = pressed(Unsynced)
    parts().editing.send_to_provider(me(), form.ref.data or ())
    say("sent")
    return redirect(safe_next(form.next.data, url_for("calendar_ext.page")), 303)


@routes.add("/unsynchronized/keep", "keep", "POST", permission=CONNECT)
def keep() -> Any:
    """Let appointments of the Activities panel stay only in the host."""
    form = pressed(Unsynced)
    parts().editing.keep_here(me(), form.ref.data or ())
    say("kept")
    return redirect(safe_next(form.next.data, url_for("calendar_ext.page")), 303)
