"""Finding every page of the extension that somebody can reach, and what must not be in any of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from flask import Flask
from lxml.html import HtmlElement
from werkzeug.exceptions import HTTPException

from demo.browser import Browser, Page

PREFIX = "/calendar/"
#: Where a walk begins: our own pages, and those of the host that show something of ours.
DOORS = ("/calendar/", "/calendar/?view=list", "/calendar/settings", "/activities/", "/account", "/")
#: Pages of one kind that are looked at: the months before and after each other would have no end.
OF_ONE_KIND = 4
FORMS_OF_ONE_KIND = 2
#: Views that take something away from those before them.
ENDING = ("delete", "calendars", "disconnect")
#: Attributes whose value a browser opens.
LEADING = ("href", "src", "action", "formaction")
_ON_SOMETHING = re.compile(r"on[a-z]+\Z")


@dataclass
class Walk:
    """What one person found: pages by address, and the status of every address asked."""

    pages: dict[str, Page] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def broken(self) -> dict[str, int]:
        """Return the addresses behind which something broke."""
        return {address: status for address, status in self.statuses.items() if status >= 500}

    def forms(self, app: Flask) -> Iterator[tuple[str, Page, HtmlElement]]:
        """Yield some forms of ours of each kind with their addresses; those that end something come last."""
        found: dict[str, dict[str, tuple[str, Page, HtmlElement]]] = {}
        for page in self.pages.values():
            for form in page.find("//form[translate(@method,'POST','post')='post']"):
                if address := _ours(page.browser, urljoin(page.url, form.get("action") or page.url)):
                    found.setdefault(_kind(app, address), {}).setdefault(address, (address, page, form))
        for kind in sorted(found, key=lambda kind: (_ending(kind), kind)):
            yield from list(found[kind].values())[:FORMS_OF_ONE_KIND]


def _ending(kind: str) -> int:
    return next((place for place, name in enumerate(ENDING, 1) if f".{name} " in kind), 0)


def walk(app: Flask, person: Browser, also: tuple[str, ...] = ()) -> Walk:
    """Follow every link of ours that can be found, and ask for the addresses of `also`.

    The provider's pages are not followed: a sign-in is started once and left there.
    """
    found, seen, waiting = Walk(), Counter[str](), [*DOORS, *also]
    while waiting:
        address = waiting.pop(0)
        kind = _kind(app, address)
        if address in found.statuses or (seen[kind] >= OF_ONE_KIND and address not in also):
            continue
        seen[kind] += 1
        answer = person.session.get(urljoin(person.home, address), allow_redirects=False, timeout=60)
        found.statuses[address] = answer.status_code
        if answer.is_redirect:
            waiting += filter(None, [_ours(person, answer.headers["Location"])])
        elif "html" in answer.headers.get("Content-Type", ""):
            found.pages[address] = Page(person, answer)
            waiting += _links(found.pages[address])
    return found


def _kind(app: Flask, address: str) -> str:
    """Return which view answers an address, and with which questions."""
    parts = urlsplit(address)
    try:
        endpoint, _ = app.url_map.bind("").match(parts.path)
    except HTTPException:
        endpoint = parts.path
    return f"{endpoint} {sorted(part.partition('=')[0] for part in parts.query.split('&'))}"


def _links(page: Page) -> list[str]:
    return list(filter(None, (_ours(page.browser, urljoin(page.url, link)) for link in page.find("//a/@href"))))


def _ours(person: Browser, address: str) -> str:
    parts = urlsplit(urljoin(person.home, address))
    ours = f"{parts.scheme}://{parts.netloc}" == person.home and parts.path.startswith(PREFIX)
    return f"{parts.path}?{parts.query}".rstrip("?") if ours else ""


def inline(page: Page) -> list[str]:
    """Return everything in a page that a strict policy would have to forbid."""
    found = [f"<style> in {page.url}" for _ in page.find("//style")]
    for element in page.find("//*"):
        found += [f"{name} at <{element.tag}> in {page.url}" for name in element.attrib if _forbidden(name)]
        found += [
            f"{name}=javascript: at <{element.tag}> in {page.url}" for name in LEADING if _runs(element.get(name))
        ]
    scripts = page.find("//script[not(@src)][not(@type='application/json')]")
    return [*found, *(f"<script> in {page.url}" for _ in scripts)]


def _runs(address: str | None) -> bool:
    return (address or "").strip().lower().startswith("javascript:")


def _forbidden(attribute: str) -> bool:
    return attribute == "style" or bool(_ON_SOMETHING.match(attribute))
