"""Every form of ours is a Flask-WTF form, the ones that are a single button as well: all carry a CSRF token."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from flask import abort
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, HiddenField, StringField, TextAreaField, TimeField
from wtforms.validators import AnyOf, DataRequired, Length, Optional

from ..limits import Limits
from .texts import N_

_LIMITS = Limits()
_VERSION = [Optional(), Length(max=64)]

AnyForm = TypeVar("AnyForm", bound=FlaskForm)


class Ticked(Field):
    """Boxes of one name: the values of those that are ticked."""

    data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was sent; the view says which values there may be."""
        self.data = list(dict.fromkeys(valuelist))

    def none_but(self, known: Collection[str]) -> bool:
        """Return whether nothing else was sent."""
        return set(self.data or ()) <= set(known)


def one_of(*values: str, default: str = "") -> StringField:
    """Return a field for one of some words; left out it is the default."""
    return StringField(default=default, validators=[Optional(), AnyOf(values)])


class Press(FlaskForm):
    """A button."""


class Switch(FlaskForm):
    """Auto-sync: where it is to stand, not that it changes, so that pressing twice is pressing once."""

    on = StringField(validators=[AnyOf(("1", "0"))])


class Disconnect(FlaskForm):
    """What happens to the events of either side."""

    here = one_of("keep", "remove", default="keep")
    there = one_of("keep", "remove", default="keep")


class Choose(FlaskForm):
    """Which calendars are read, which are checked, where new events go."""

    mirrored = Ticked()
    checked = Ticked()
    destination = StringField(validators=[Optional(), Length(max=22)])
    direction = StringField(validators=[Optional(), Length(max=16)])
    removed = one_of("keep", "remove", default="keep")


class Show(FlaskForm):
    """Whether a calendar stands on the page."""

    shown = StringField(validators=[AnyOf(("1", "0"))])
    next = HiddenField(validators=[Optional(), Length(max=_LIMITS.next_length)])


class Question(FlaskForm):
    """What every change of an event carries: which occurrences, what was seen, and whether guests are told."""

    scope = one_of("one", "all", default="one")
    notify = one_of("yes", "no")
    etag = HiddenField(validators=_VERSION)
    etag_all = HiddenField(validators=_VERSION)


class MoveForm(Question):
    """A time for an event, read in the event's own zone."""

    first = DateField(validators=[DataRequired(N_("Say on which day it begins."))])
    start = TimeField(validators=[Optional()])
    last = DateField(validators=[Optional()])
    end = TimeField(validators=[Optional()])


class EventForm(MoveForm):
    """A new event, or an event to change."""

    title = StringField(validators=[Length(max=_LIMITS.title_length, message=N_("This title is too long."))])
    all_day = BooleanField()
    location = StringField(validators=[Length(max=_LIMITS.location_length, message=N_("This place is too long."))])
    description = TextAreaField(
        validators=[Length(max=_LIMITS.description_length, message=N_("This description is too long."))]
    )
    guests = StringField(validators=[Length(max=8_000, message=N_("These are too many people."))])
    private = BooleanField()
    calendar = StringField(validators=[Optional(), Length(max=22)])


class DeleteForm(Question):
    """An event, or one occurrence of it, goes."""


class Unsynced(FlaskForm):
    """Appointments of the Activities panel that somebody ticked, and what is to be done with them."""

    ref = Ticked()
    next = HiddenField(validators=[Optional(), Length(max=_LIMITS.next_length)])


def pressed(form: type[AnyForm]) -> AnyForm:
    """Return a submitted form that holds together; anything else is a bad request (400)."""
    filled = form()
    if not filled.validate_on_submit():
        abort(400)
    return filled
