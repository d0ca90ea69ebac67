"""What a person reads, in their language: sentences from our own catalogues, dates and numbers by Babel.

Sentences carry named places, `{email}`, filled after the translation was found. Nothing is installed into the host's
Jinja environment: our pages get `_` and `ngettext` from a context processor, panels from their own context.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.support import NullTranslations, Translations

from .._resources import locale_dir
from ..domain.when import zone_of

DOMAIN = "calendar_ext"


def N_(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


def NN_(one: str, many: str) -> tuple[str, str]:
    """Mark a sentence that counts; it is chosen and translated where it is shown."""
    return one, many


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale("en")


@lru_cache(maxsize=64)
def _catalogue(name: str) -> NullTranslations:
    return Translations.load(str(locale_dir()), [name, name.partition("_")[0]], DOMAIN)


class Texts:
    """One person's language and zone."""

    def __init__(self, locale: str = "en", zone: str = "UTC", places: Mapping[str, str] | None = None) -> None:
        self.locale = _locale(locale or "en")
        self.zone = zone
        self._places = dict(places or {})
        self._catalogue = _catalogue(str(self.locale))

    @property
    def language(self) -> str:
        """Return the value of a `lang` attribute."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """Return `ltr` or `rtl`."""
        return self.locale.text_direction

    def gettext(self, message: str, /, **places: Any) -> str:
        """Return a sentence in the person's language with its places filled."""
        found = self._catalogue.gettext(message) if message else ""
        return found.format(**(self._places | places))

    def ngettext(self, one: str, many: str, number: int, /, **places: Any) -> str:
        """Return the sentence for a count; `{n}` in it is the number as people write it."""
        found = self._catalogue.ngettext(one, many, number)
        return found.format(**(self._places | {"n": self.number(number)} | places))

    def plain(self, message: str) -> str:
        """Return a sentence that may come from a person or a provider: looked up, never filled."""
        return self._catalogue.gettext(message) if message else ""

    def context(self) -> dict[str, Any]:
        """Return what templates need to speak: for our context processor, and for panels."""
        return {"_": self.gettext, "ngettext": self.ngettext, "texts": self}

    def number(self, value: int) -> str:
        """Return an integer with the language's separators."""
        return numbers.format_decimal(value, locale=self.locale)

    def day(self, value: date) -> str:
        """Return a date in full: Thursday 19 November 2026."""
        return dates.format_date(value, "full", locale=self.locale)

    def short_day(self, value: date) -> str:
        """Return a date with its weekday, short: Thu, Nov 19."""
        return dates.format_skeleton("MMMEd", value, locale=self.locale)

    def month(self, value: date) -> str:
        """Return a month with its year."""
        return dates.format_skeleton("yMMMM", value, locale=self.locale)

    def clock(self, value: datetime) -> str:
        """Return a time of the day; the value is in the person's zone already."""
        return dates.format_time(value.replace(tzinfo=None), "short", locale=self.locale)

    def moment(self, value: datetime) -> str:
        """Return a date and a time, short."""
        return dates.format_datetime(value.replace(tzinfo=None), "medium", locale=self.locale)

    def at(self, seconds: int) -> str:
        """Return an instant as a time of the day in the person's zone."""
        return dates.format_time(_instant(seconds), "short", tzinfo=zone_of(self.zone), locale=self.locale)

    def when(self, seconds: int) -> str:
        """Return an instant as date and time in the person's zone."""
        return dates.format_datetime(_instant(seconds), "medium", tzinfo=zone_of(self.zone), locale=self.locale)

    def weekdays(self) -> list[tuple[str, str]]:
        """Return short and full names of the days, from the language's first day of the week on."""
        short = dates.get_day_names("abbreviated", locale=self.locale)
        full = dates.get_day_names("wide", locale=self.locale)
        return [(short[day], full[day]) for day in self.week()]

    def week(self) -> list[int]:
        """Return the days of the week in the language's order; Monday is 0."""
        return [(self.locale.first_week_day + offset) % 7 for offset in range(7)]

    def ago(self, seconds: int) -> str:
        """Return how long something is past: 12 seconds ago."""
        return dates.format_timedelta(timedelta(seconds=-max(1, seconds)), add_direction=True, locale=self.locale)

    def zone_name(self, zone: str) -> str:
        """Return a zone as people write it."""
        return zone.replace("_", " ")


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
