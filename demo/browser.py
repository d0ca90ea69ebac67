"""A browser without a screen or scripts: it follows links, fills forms and presses buttons, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html
from lxml.html import HtmlElement

SECONDS = 60


class NotThere(AssertionError):
    """A page has no such link, form or button; the message says what it has."""


class Page:
    """One answer, as a person sees it: words, links, buttons."""

    def __init__(self, browser: Browser, answer: requests.Response) -> None:
        self.browser, self.status, self.url = browser, answer.status_code, answer.url
        self.source = answer.text
        self._root: HtmlElement = html.document_fromstring(self.source or "<html></html>")

    @property
    def text(self) -> str:
        """Return the visible words of the page, with single spaces."""
        words = self._root.xpath("//body//text()[not(ancestor::script or ancestor::style or ancestor::template)]")
        return " ".join(" ".join(words).split())

    @property
    def title(self) -> str:
        """Return the document's title."""
        return " ".join((self._root.findtext(".//title") or "").split())

    def has(self, *texts: str) -> bool:
        """Return whether all the texts can be read on the page."""
        return all(text in self.text for text in texts)

    def find(self, xpath: str) -> list[HtmlElement]:
        """Return the elements an XPath leads to."""
        return self._root.xpath(xpath)

    def follow(self, label: str) -> Page:
        """Open the first link with this text or accessible name."""
        if link := _called(label, self.find("//a[@href]")):
            return self.browser.get(urljoin(self.url, link[0].get("href")))
        raise NotThere(f"{self.url} has no link “{label}”. It has: {self._labels('//a[@href]')}")

    def offers(self, label: str) -> bool:
        """Return whether there is a button or link with this text or accessible name."""
        return bool(_called(label, [*self._buttons(), *self.find("//a[@href]")]))

    def press(self, label: str, within: str = "", **fields: Any) -> Page:
        """Press the first button with this text or accessible name, after filling the form it belongs to.

        :param within: only a button near this text: in the same list item, card or form.
        :param fields: what is typed or ticked; a list for several of one name, False for an empty box.
        """
        for button in _called(label, self._buttons()):
            if within in _surroundings(button):
                return self.browser.submit(self, _form_of(self._root, button), button, fields)
        raise NotThere(
            f"{self.url} has no button “{label}”. It has: {self._labels('//button|//input[@type=`submit`]')}"
        )

    def _buttons(self) -> list[HtmlElement]:
        return self.find("//button[not(@type) or @type='submit']|//input[@type='submit']")

    def _labels(self, xpath: str) -> str:
        names = [name for thing in self.find(xpath.replace("`", "'")) for name in _names(thing)[:1]]
        return ", ".join(dict.fromkeys(filter(None, names))) or "none"


def _called(label: str, elements: list[HtmlElement]) -> list[HtmlElement]:
    """Return those with exactly this name, or where there are none those whose name contains it."""
    exact = [element for element in elements if label in _names(element)]
    return exact or [element for element in elements if any(label in name for name in _names(element))]


def _names(element: HtmlElement) -> list[str]:
    """Return what an element is called: its text, and its accessible name."""
    text = " ".join(element.text_content().split())
    return [text, element.get("aria-label") or "", element.get("value") or "" if element.tag == "input" else ""]


def _surroundings(element: HtmlElement) -> str:
    near = element.xpath("ancestor::*[self::li or self::tr or self::article or self::section][1]|ancestor::form[1]")
    return " ".join((near[0] if near else element).text_content().split())


def _form_of(root: HtmlElement, button: HtmlElement) -> HtmlElement:
    named = button.get("form")
    forms = root.xpath(f"//form[@id='{named}']") if named else button.xpath("ancestor::form")
    if not forms:
        raise NotThere(f"The button {_names(button)[0]} belongs to no form.")
    return forms[-1]


class Browser:
    """One person's cookies."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.session = requests.Session()
        self.session.trust_env = False
        self.requests = 0

    def get(self, address: str) -> Page:
        """Open an address, of the host if it is a path."""
        self.requests += 1
        return Page(self, self.session.get(urljoin(self.home, address), timeout=SECONDS))

    def status(self, address: str) -> int:
        """Return only the status an address answers with, before any redirect."""
        self.requests += 1
        return self.session.get(urljoin(self.home, address), timeout=SECONDS, allow_redirects=False).status_code

    def json(self, address: str) -> tuple[int, Any]:
        """Return the status of an address and its decoded body, None without one."""
        self.requests += 1
        answer = self.session.get(urljoin(self.home, address), timeout=SECONDS)
        return answer.status_code, answer.json() if answer.content else None

    def submit(self, page: Page, form: HtmlElement, button: HtmlElement, fields: dict[str, Any]) -> Page:
        """Send a form as a browser would: every successful control, changed by `fields`, and the button's own name."""
        values = list(_values(form, fields))
        if button.get("name"):
            values.append((button.get("name"), button.get("value") or ""))
        address = urljoin(page.url, button.get("formaction") or form.get("action") or page.url)
        self.requests += 1
        if (form.get("method") or "get").lower() == "get":
            return Page(self, self.session.get(address, params=values, timeout=SECONDS))
        headers = {"Referer": page.url}
        return Page(self, self.session.post(address, data=values, headers=headers, timeout=SECONDS))


def _values(form: HtmlElement, fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = {control.get("name") for control in form.inputs if control.get("name")}
    if unknown := fields.keys() - names:
        raise NotThere(f"The form has no {', '.join(unknown)}. It has: {', '.join(sorted(names))}")
    for control in form.inputs:
        name = control.get("name")
        if name and name not in fields and not _is_button(control) and control.get("disabled") is None:
            yield from ((name, value) for value in _given(control))
    for name, value in fields.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is not False:
                yield name, "1" if each is True else str(each)


def _is_button(control: HtmlElement) -> bool:
    return control.tag == "button" or control.get("type") in ("submit", "button", "reset", "image")


def _given(control: HtmlElement) -> list[str]:
    """Return what a control sends as it stands."""
    if control.get("type") in ("checkbox", "radio"):
        return [control.get("value") or "on"] if control.get("checked") is not None else []
    value = control.value
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
