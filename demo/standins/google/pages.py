"""The stand-in's own pages: its accounts, and a person's calendar with forms for what he would do at Google's.

Nothing here imitates Google's screens. Every page works without script.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from . import conferences, oauth, occurrences, times
from .accounts import Account
from .api import state
from .calendars import Body, Calendar, Entry
from .errors import ApiError

blueprint = Blueprint("pages", __name__)

_DAYS = 28
_LINES = 500
_REPEATS = {"": "Does not repeat", "DAILY": "Every day", "WEEKLY": "Every week", "MONTHLY": "Every month"}


@blueprint.get("/")
def accounts() -> Any:
    """Show the accounts, what would be mailed, and what an imported file held that could not be understood."""
    with state().lock:
        return render_template(
            "accounts.html", accounts=list(state().accounts.values()), mails=state().mails, refused=state().refused
        )


@blueprint.get("/calendar/event")
def event() -> Any:
    """Lead from an event's htmlLink to its form."""
    for home in state().calendars.values():
        if request.args.get("eid") in home.items and home.owner in state().accounts:
            return redirect(url_for(".edit", email=home.owner, calendar_id=home.id, event_id=request.args["eid"]))
    return redirect(url_for(".accounts"))


@blueprint.get("/calendar/u/<email>")
def agenda(email: str) -> Any:
    """Show a person's events of four weeks by day, with the forms to change them."""
    with state().lock:
        account = _account(email)
        conferences.settle(state())
        first = _first_day(account)
        return render_template(
            "agenda.html",
            account=account,
            days=_days(account, first),
            first=first,
            earlier=first - timedelta(days=_DAYS),
            later=first + timedelta(days=_DAYS),
            writable=[entry.calendar for entry in _entries(account) if entry.at_least("writerWithoutPrivateAccess")],
            repeats=_REPEATS,
            blank={"day": first.isoformat(), "start": "09:00", "until": first.isoformat(), "end": "10:00"},
            grants=[grant for grant in state().grants if grant.account is account and not grant.ended],
            mails=state().mails,
            refused=state().refused,
            message=request.args.get("message", ""),
        )


@blueprint.post("/calendar/u/<email>/create")
def create(email: str) -> Any:
    """Create an event from the form."""
    return _acting(
        email, lambda: state().create(request.form["calendar"], _body(email), send_updates=_mode()), "Created."
    )


@blueprint.get("/calendar/u/<email>/<calendar_id>/<event_id>")
def edit(email: str, calendar_id: str, event_id: str) -> Any:
    """Show the form of one event; of an occurrence with the choice between it and its series."""
    with state().lock:
        account = _account(email)
        entry = account.entry(calendar_id)
        body = _stored(entry.calendar, event_id) if entry else None
        if entry is None or body is None:
            return redirect(url_for(".agenda", email=email, message="That event is no longer there."))
        form = _form(body, account)
        return render_template("edit.html", account=account, entry=entry, event=body, form=form)


@blueprint.post("/calendar/u/<email>/<calendar_id>/<event_id>/save")
def save(email: str, calendar_id: str, event_id: str) -> Any:
    """Change an event, an occurrence or, where asked for, the whole series."""

    def change() -> None:
        changes = _body(email)
        changes.pop("recurrence", None)
        known = {
            each["email"]: each
            for each in (_stored(state().calendar(calendar_id), event_id) or {}).get("attendees", [])
        }
        changes["attendees"] = [known.get(each["email"], each) for each in changes.get("attendees", [])]
        target = event_id
        if request.form.get("scope") == "series":
            target, changes = _for_series(state().calendar(calendar_id), event_id, changes)
        state().patch(calendar_id, target, _without_stale_kind(changes), send_updates=_mode())

    return _acting(email, change, "Saved.")


@blueprint.post("/calendar/u/<email>/<calendar_id>/<event_id>/delete")
def delete(email: str, calendar_id: str, event_id: str) -> Any:
    """Delete an event, cancel an occurrence or delete the whole series."""

    def remove() -> None:
        body = _stored(state().calendar(calendar_id), event_id) or {}
        whole = request.form.get("scope") == "series"
        state().delete(calendar_id, body.get("recurringEventId", event_id) if whole else event_id, send_updates=_mode())

    return _acting(email, remove, "Deleted.")


@blueprint.post("/calendar/u/<email>/revoke")
def revoke(email: str) -> Any:
    """Take an application's access away."""

    def end() -> None:
        account = _account(email)
        for grant in state().grants:
            if grant.account is account and grant.client.id == request.form.get("client"):
                oauth.end(grant)

    return _acting(email, end, "Access removed.")


def _acting(email: str, act: Any, message: str) -> Any:
    """Do something under the lock and go back to the page with what came of it."""
    try:
        with state().lock:
            act()
    except ApiError as error:
        message = f"{error.status} {error.reason}: {error.message}"
    except (KeyError, ValueError) as error:
        message = f"That could not be read: {error}"
    return redirect(url_for(".agenda", email=email, message=message, first=request.form.get("first") or None), 303)


def _account(email: str) -> Account:
    found = state().accounts.get(email)
    if found is None:
        raise ApiError(404, "notFound", "There is no such account.")
    return found


def _entries(account: Account) -> list[Entry]:
    return [entry for entry in account.entries.values() if not entry.deleted]


def _mode() -> str:
    return "all" if request.form.get("tell") else "none"


def _first_day(account: Account) -> Any:
    given = request.args.get("first", "")
    try:
        return datetime.fromisoformat(given).date()
    except ValueError:
        return datetime.fromtimestamp(state().now(), times.zone_or_utc(account.time_zone)).date()


def _days(account: Account, first: Any) -> list[tuple[Any, list[Body]]]:
    """Return the days that have events, each with its lines in order."""
    lo = times.day_instant(first, account.time_zone)
    hi = times.day_instant(first + timedelta(days=_DAYS), account.time_zone)
    lines: list[Body] = []
    for entry in _entries(account):
        for item in entry.calendar.order:
            if item.cancelled or (
                "recurringEventId" in item.body and item.body["recurringEventId"] in entry.calendar.items
            ):
                continue
            if item.master:
                found = occurrences.expand(entry.calendar, item, lo, hi)
            else:
                found = [item.body] if item.touches(lo, hi) else []
            lines += [_line(body, entry, account) for body in found if body["status"] != "cancelled"]
    days: dict[Any, list[Body]] = {}
    for line in sorted(lines, key=lambda line: (line["day"], line["start"], line["title"]))[:_LINES]:
        days.setdefault(max(line["day"], first), []).append(line)
    return list(days.items())


def _line(body: Body, entry: Entry, account: Account) -> Body:
    start, end = (_wall(body, side, account) for side in ("start", "end"))
    return {
        "id": body["id"],
        "calendar": entry.calendar,
        "colour": entry.colour,
        "title": body.get("summary", "(No title)"),
        "day": start.date(),
        "start": "" if "date" in body["start"] else f"{start:%H:%M}",
        "end": "" if "date" in body["start"] else f"{end:%H:%M}",
        "place": body.get("location", ""),
        "repeats": "recurringEventId" in body,
        "guests": len(body.get("attendees", [])),
        "writable": entry.at_least("writerWithoutPrivateAccess"),
        "private": body.get("visibility") in ("private", "confidential"),
    }


def _wall(body: Body, side: str, account: Account) -> datetime:
    if "date" in body[side]:
        return datetime.fromisoformat(body[side]["date"])
    return datetime.fromtimestamp(times.instant(body[side], "UTC"), times.zone_or_utc(account.time_zone))


def _stored(calendar: Calendar, event_id: str) -> Body | None:
    item = calendar.items.get(event_id)
    return item.body if item else occurrences.find(calendar, event_id)


def _form(body: Body, account: Account) -> Body:
    """Return the values the form starts with; whole days end on their last day there."""
    start, end = (_wall(body, side, account) for side in ("start", "end"))
    whole = "date" in body["start"]
    last = end - timedelta(days=1) if whole else end
    return {
        "title": body.get("summary", ""),
        "place": body.get("location", ""),
        "notes": body.get("description", ""),
        "guests": ", ".join(each["email"] for each in body.get("attendees", [])),
        "day": start.date().isoformat(),
        "until": last.date().isoformat(),
        "start": "" if whole else f"{start:%H:%M}",
        "end": "" if whole else f"{end:%H:%M}",
        "whole": whole,
    }


def _body(email: str) -> Body:
    """Return the event a submitted form describes."""
    form, account = request.form, _account(email)
    body: Body = {
        "summary": form.get("title", ""),
        "location": form.get("place", ""),
        "description": form.get("notes", ""),
    }
    until = form.get("until") or form["day"]
    if form.get("whole"):
        last = datetime.fromisoformat(until).date() + timedelta(days=1)
        body |= {"start": {"date": form["day"]}, "end": {"date": last.isoformat()}}
    else:
        for side, day, clock in (("start", form["day"], form["start"]), ("end", until, form["end"])):
            body[side] = {"dateTime": f"{day}T{clock}:00", "timeZone": account.time_zone}
    if form.get("repeat"):
        body["recurrence"] = [f"RRULE:FREQ={form['repeat']}"]
    guests = [{"email": each.strip()} for each in form.get("guests", "").replace(";", ",").split(",") if each.strip()]
    return body | ({"attendees": guests} if guests or "guests" in form else {})


def _without_stale_kind(changes: Body) -> Body:
    """Clear the other kind of time, as a patch from timed to whole days or back must."""
    for side in ("start", "end"):
        given = changes[side]
        cleared: Body = {"dateTime": None, "timeZone": None} if "date" in given else {"date": None}
        changes[side] = cleared | given
    return changes


def _for_series(calendar: Calendar, event_id: str, changes: Body) -> tuple[str, Body]:
    """Return the master and the changes as they are for it: the same shift and length as asked for one occurrence."""
    occurrence = _stored(calendar, event_id) or {}
    master = calendar.items[occurrence.get("recurringEventId", event_id)]
    if master.id == event_id:
        return event_id, changes
    moved = dict(changes)
    for side in ("start", "end"):
        if "date" in changes[side]:
            shift = _date(changes[side]) - _date(occurrence["start"])
            moved[side] = {"date": (_date(master.body["start"]) + shift).date().isoformat()}
            continue
        zone = master.body["start"].get("timeZone", calendar.time_zone)
        wall = datetime.fromisoformat(changes[side]["dateTime"]) - _local(occurrence["start"], zone)
        moved[side] = {"dateTime": (_local(master.body["start"], zone) + wall).isoformat(), "timeZone": zone}
    return master.id, moved


def _date(when: Body) -> datetime:
    return datetime.fromisoformat(when.get("date") or when["dateTime"][:10])


def _local(when: Body, zone: str) -> datetime:
    if "date" in when:
        return datetime.fromisoformat(when["date"])
    return datetime.fromtimestamp(times.instant(when, "UTC"), times.zone_or_utc(zone)).replace(tzinfo=None)
