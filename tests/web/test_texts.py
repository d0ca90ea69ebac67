"""Languages: everything a person reads is in the catalogues, and the catalogues are whole."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

from calendar_ext._resources import locale_dir, templates_dir
from calendar_ext.web.messages import MESSAGES, SIGN_IN
from calendar_ext.web.texts import Texts

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(p for p in (templates_dir() / "calendar_ext").rglob("*.*") if p.suffix in (".html", ".txt"))
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "NN_": (1, 2)}
POT = locale_dir() / "calendar_ext.pot"
CATALOGUES = sorted(locale_dir().glob("*/LC_MESSAGES/calendar_ext.po"))


def ids(path: Path, locale: str | None = None) -> set[str]:
    """Return the sentences of a catalogue; of one that counts, the singular."""
    with path.open("rb") as file:
        found = [message.id for message in read_po(file, locale=locale)]
    return {id if isinstance(id, str) else id[0] for id in found if id}


def test_the_template_of_the_catalogues_has_every_sentence_and_no_other() -> None:
    found = set()
    for folder in ("calendar_ext/web", "templates/calendar_ext"):
        method = "python" if folder.endswith("web") else "jinja2"
        patterns = [("**.py", "python")] if method == "python" else [("**.html", "jinja2"), ("**.txt", "jinja2")]
        for _, _, message, _, _ in extract_from_dir(str(ROOT / folder), patterns, keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    assert found - ids(POT) == set()
    assert ids(POT) - found == set()


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.parts[-3])
def test_a_catalogue_is_complete_and_keeps_the_places(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parts[-3])
    assert ids(path, path.parts[-3]) == ids(POT)
    for message in catalogue:
        if not message.id:
            continue
        sources = [message.id] if isinstance(message.id, str) else list(message.id)
        targets = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = {place for source in sources for place in re.findall(r"\{\w+\}", source)}
        for target in targets:
            assert target, message.id
            assert set(re.findall(r"\{\w+\}", target)) <= wanted, message.id
            assert set(re.findall(r"\{\w+\}", target)) >= wanted - {"{n}"}, message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.parts[-3])
def test_the_compiled_catalogue_is_the_written_one(path: Path) -> None:
    with path.open("rb") as file, path.with_suffix(".mo").open("rb") as compiled:
        written, used = read_po(file, locale=path.parts[-3]), read_mo(compiled)
    assert said_by(used) == said_by(written)


def said_by(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return every sentence with its translation; those that count as pairs."""

    def whole(value: object) -> tuple[str, ...]:
        return (value,) if isinstance(value, str) else tuple(value)  # a list in one reader, a tuple in the other

    return {whole(message.id): whole(message.string) for message in catalogue if message.id}


class Literal(HTMLParser):
    """Collects what a page would say by itself: texts, and attributes that are read out."""

    READ = ("aria-label", "title", "alt", "placeholder", "content", "data-label", "label")

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value or "" for name, value in attrs if name in self.READ and tag != "meta"]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_says_anything_outside_the_catalogues(path: Path) -> None:
    environment = Environment()
    pieces = [
        value if kind == "data" else ("\x00" if kind == "variable_begin" else "")
        for _, kind, value in environment.lex(path.read_text())
        if kind in ("data", "variable_begin")
    ]
    reader = Literal()
    reader.feed("".join(pieces))
    ours = re.compile(r'data-cx-\w+="[^"]*"|\bcx-[\w-]+')
    said = [text for text in reader.said if re.search(r"[A-Za-z]{2,}", ours.sub("", text))]
    assert not said, said


def test_what_services_refuse_with_is_in_the_catalogues() -> None:
    known = ids(POT)
    shown = (ROOT / "calendar_ext" / "services").glob("*.py")
    for path in [p for p in shown if p.name in {"editing.py", "tending.py", "activities.py", "preferences.py"}]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused":
                (text, *_) = node.args or [None]
                if isinstance(text, ast.Constant):
                    assert text.value in known, f"{path.name}: {text.value}"


def test_every_message_can_be_said_in_every_language() -> None:
    for locale in ("en", "de", "nl", "xx", "", "pt-BR", "zh_Hant_TW"):
        texts = Texts(locale, "Europe/Amsterdam", {"host": "Harbor"})
        for message in MESSAGES.values():
            said = message.text if isinstance(message.text, str) else message.text[0]
            places = dict.fromkeys(re.findall(r"\{(\w+)\}", said), "X")
            assert "{" not in texts.gettext(said, **places)
    assert set(SIGN_IN.values()) <= MESSAGES.keys()


def test_a_place_filled_by_somebody_is_never_a_place_itself() -> None:
    texts = Texts("en", "UTC", {"host": "Harbor"})
    assert texts.gettext("Connected as {email}.", email="{host.__class__}") == "Connected as {host.__class__}."
    assert texts.plain("{host.__class__} %s {0}") == "{host.__class__} %s {0}"


@pytest.mark.parametrize(
    ("locale", "first", "clock"),
    [("en", 0, "1:05 PM"), ("en-GB", 0, "13:05"), ("en-US", 6, "1:05 PM"), ("de", 0, "13:05")],
)
def test_the_week_and_the_clock_are_the_language_s(locale: str, first: int, clock: str) -> None:
    texts = Texts(locale, "Europe/Amsterdam")
    assert texts.week()[0] == first
    assert texts.clock(datetime(2026, 11, 20, 13, 5)).replace("\u202f", " ") == clock
    assert str(texts.month(date(2026, 11, 1))) == "November 2026"
    assert texts.ago(12) in ("12 seconds ago", "vor 12 Sekunden")


def test_languages_are_read_from_right_to_left_where_they_are() -> None:
    assert Texts("ar").direction == "rtl"
    assert Texts("en").direction == "ltr"
