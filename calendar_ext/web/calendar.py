"""The Calendar page: a month or a list, kept live by a conditional poll (ui.md 7.3 and 7.12)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, jsonify, redirect, render_template, request, url_for

from ..services.views import Agenda
from .asking import may, me, parts, tending
from .conditions import badge_of, hero_of, sentence_of
from .forms import Press, Show, pressed
from .notices import take
from .routes import CONNECT, Routes
from .safe import safe_next
from .speaking import texts

routes = Routes()

#: Years a page may show; beyond them is nothing to plan and nothing to remember.
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@routes.add("/", "page")
def page() -> Any:
    """The Calendar page; `view` is `month` or `list`, `d` a day within what is shown."""
    conditions = parts().health.connections(me())
    alone = len(parts().reading.alone(me()))
    common = {"notices": take(texts()), "alone": alone, "may_connect": may(CONNECT), "press": Press()}
    if not [one for one in conditions if one.state != "disconnecting"]:
        offers = parts().connecting.offers(me().tenant_id)
        return render_template("calendar_ext/calendar/empty.html", offers=offers, leaving=bool(conditions), **common)
    view = "list" if request.args.get("view") == "list" else "month"
    today = parts().reading.today(me()).date()
    day = _day(request.args.get("d", ""), today)
    draw = _list if view == "list" else _month
    worst = hero_of(conditions, texts()).condition
    return render_template(
        f"calendar_ext/calendar/{view}.html",
        **draw(day, today),
        view=view,
        day=day,
        today=today,
        conditions=conditions,
        worst=worst,
        badge=badge_of(worst, texts()) if worst else None,
        sentence=sentence_of(worst, texts()) if worst else "",
        now=parts().health.now(),
        **common,
    )


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else today


def _month(day: date, today: date) -> dict[str, Any]:
    first = day.replace(day=1)
    lead = texts().week().index(first.weekday())
    begin = first - timedelta(days=lead)
    agenda = parts().reading.agenda(me(), begin, 42)
    weeks = [[begin + timedelta(days=7 * week + column) for column in range(7)] for week in range(6)]
    after = (first + timedelta(days=32)).replace(day=1)
    shown = [week for week in weeks if week[0] < after]
    return {"agenda": agenda, "weeks": shown, "title": first, **_around(first - timedelta(days=1), after)}


def _list(day: date, today: date) -> dict[str, Any]:
    days = parts().config.limits.list_days
    agenda: Agenda = parts().reading.agenda(me(), day, days)
    listed = [day + timedelta(days=offset) for offset in range(days)]
    shown = [one for one in listed if agenda.on(one)]
    return {"agenda": agenda, "days": shown, "title": day, **_around(day - timedelta(days=days), listed[-1] + _DAY)}


_DAY = timedelta(days=1)


def _around(before: date, after: date) -> dict[str, Any]:
    return {"before": before, "after": after}


@routes.add("/changes", "changes")
def changes() -> Any:
    """What changed since a cursor: 304 while nothing did, and then no event is read (trust.md T-47)."""
    known = next(iter(request.if_none_match.as_set()), "") if request.if_none_match else ""
    news = parts().reading.changes(me(), request.args.get("since", "")[:8_192], known)
    if news.etag == known:
        response = Response(status=304)
    else:
        response = jsonify(cursor=news.cursor, events=news.events, reload=news.cut)
    response.set_etag(news.etag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@routes.add("/wake", "wake", "POST")
def wake() -> Any:
    """Somebody looks at the page: their accounts are read soon, at most every half minute."""
    pressed(Press)
    parts().reading.look(me())
    return "", 204


@routes.add("/sources/<id>", "show", "POST")
def show(id: str) -> Any:
    """Show or hide one calendar."""
    form = pressed(Show)
    tending().show(me(), id, form.shown.data == "1")
    return redirect(safe_next(form.next.data, url_for("calendar_ext.page")), 303)
