"""The host's forms, and how a local time in a zone becomes an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    EmailField,
    HiddenField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional, ValidationError

ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
)
LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class LoginForm(FlaskForm):
    email = EmailField("E-mail", [DataRequired()], render_kw={"autocomplete": "username"})
    password = PasswordField("Password", [DataRequired()], render_kw={"autocomplete": "current-password"})


class ProfileForm(FlaskForm):
    name = StringField("Name", [DataRequired(), Length(max=120)])
    email = EmailField("E-mail", [DataRequired(), Email(), Length(max=254)])
    zone = SelectField("Time zone", choices=[*ZONES, "UTC"])
    locale = SelectField("Language", choices=["en-GB", "en-US", "nl", "de", "fr", "es"])


class ContactForm(FlaskForm):
    name = StringField("Name", [DataRequired(), Length(max=120)])
    email = EmailField("E-mail", [Optional(), Email(), Length(max=254)])
    phone = StringField("Phone", [Length(max=40)])
    company = StringField("Company", [Length(max=120)])


class PlannedForm(FlaskForm):
    """Anything with a time: local times in one zone, or whole days with the last day included."""

    title = StringField("Title", [DataRequired(), Length(max=500)])
    starts = DateTimeLocalField("Starts", [InputRequired()], format=LOCAL)
    ends = DateTimeLocalField("Ends", [InputRequired()], format=LOCAL)
    zone = SelectField("Time zone", choices=[*ZONES, "UTC"])

    def validate_ends(self, field: Any) -> None:
        if self.starts.data and field.data and self.when()["ends_at"] <= self.when()["starts_at"]:
            raise ValidationError("The end is not after the start.")

    def is_all_day(self) -> bool:
        return bool(getattr(self, "all_day", None) and self.all_day.data)

    def when(self) -> dict[str, Any]:
        """Return the columns of `models.Timed`."""
        if self.is_all_day():
            first, last = (
                field.data.replace(hour=0, minute=0, second=0, tzinfo=UTC) for field in (self.starts, self.ends)
            )
            return {"starts_at": first, "ends_at": last + timedelta(days=1), "all_day": True, "zone": self.zone.data}
        zone = ZoneInfo(self.zone.data)
        start, end = (field.data.replace(tzinfo=zone).astimezone(UTC) for field in (self.starts, self.ends))
        return {"starts_at": start, "ends_at": end, "all_day": False, "zone": self.zone.data}

    def show(self, planned: Any) -> None:
        """Fill the times from a row, as its own zone's clock reads."""
        self.zone.data = planned.zone
        zone = UTC if planned.all_day else ZoneInfo(planned.zone)
        end = planned.ends_at - timedelta(days=1) if planned.all_day else planned.ends_at
        self.starts.data, self.ends.data = planned.starts_at.astimezone(zone), end.astimezone(zone)


class AppointmentForm(PlannedForm):
    all_day = BooleanField("All day")
    place = StringField("Place", [Length(max=500)])
    notes = TextAreaField("Notes", [Length(max=20000)])
    guests = TextAreaField("Guests", description="One per line: an address, or Name <address>.")
    invite_guests = BooleanField("Invite guests", description="The calendar's provider sends them the meeting request.")
    private = BooleanField("Private")
    version = HiddenField()

    def validate_guests(self, field: Any) -> None:
        for line in filter(None, map(str.strip, (field.data or "").splitlines())):
            if "@" not in parseaddr(line)[1]:
                raise ValidationError(f"“{line}” is not an e-mail address.")

    def people(self) -> list[tuple[str, str]]:
        """Return (name, address) of each guest."""
        lines = filter(None, map(str.strip, (self.guests.data or "").splitlines()))
        return [parseaddr(line) for line in lines]


class ActivityForm(PlannedForm):
    kind = SelectField("Kind", choices=["call", "task", "visit"])
    contact = StringField("With", description="A contact's name or e-mail address; may stay empty.")


class Press(FlaskForm):
    """A button: nothing but the CSRF token, and what the page showed when it was drawn."""

    generation = HiddenField()


def tomorrow_at_nine(zone: str) -> datetime:
    """Return tomorrow at nine on the clock of a zone: where a new appointment starts."""
    return datetime.now(ZoneInfo(zone)).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
