"""A person at the stand-in's pages: opens an address, fills forms, presses buttons. Plain HTTP, no script."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class _Forms(HTMLParser):
    """Forms of a page: address, method, values, and the boxes that are ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "form":
            self.forms.append({"action": facts.get("action") or "", "values": []})
        elif tag == "select":
            self._select = facts.get("name") or ""
        elif not self.forms:
            return
        elif tag == "option" and self._select:
            self.forms[-1]["values"].append((self._select, facts.get("value") or ""))
            self._select = ""
        elif tag in ("input", "textarea") and "name" in facts:
            box = facts.get("type") in ("checkbox", "radio")
            if not box or "checked" in facts:
                self.forms[-1]["values"].append((facts["name"] or "", facts.get("value") or ""))


class Browser:
    """One person's session. `page` is what was answered last, redirects to the application not followed."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self.page = requests.Response()

    def open(self, url: str) -> Browser:
        """Open an address."""
        self.page = self._session.get(url)
        return self

    def press(self, index: int = 0, **values: str | None) -> Browser:
        """Send a form of the page with some values changed; None leaves a value out."""
        parser = _Forms()
        parser.feed(self.page.text)
        form = parser.forms[index]
        kept = [(name, value) for name, value in form["values"] if name not in values]
        sent = kept + [(name, value) for name, value in values.items() if value is not None]
        return self.post(urljoin(self.page.url, form["action"]), sent)

    def post(self, url: str, sent: list[tuple[str, str]]) -> Browser:
        """Post a form and follow redirects as long as they stay here."""
        self.page = self._session.post(url, data=sent, allow_redirects=False)
        while self.page.is_redirect and urljoin(url, self.page.headers["Location"]).startswith(self.base_url):
            self.page = self._session.get(urljoin(url, self.page.headers["Location"]), allow_redirects=False)
        return self

    @property
    def sent_to(self) -> str:
        """Return the address outside that the last answer sends to."""
        return self.page.headers["Location"]

    def sign_in(self, url: str, email: str = "mira@example.test") -> Browser:
        """Go through chooser and password up to the consent page, or back to the application."""
        return self.open(url).press(email=email).press()
