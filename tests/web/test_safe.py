"""The lists of trust.md appendix C: where to go next, and what becomes a link."""

from __future__ import annotations

import pytest

from calendar_ext.web.safe import safe_next, safe_url

DEFAULT = "/default"
NEXT = [
    "//evil.com", "///evil.com", "////evil.com", "/\\evil.com", "\\/evil.com", "\\\\evil.com", "https://evil.com",
    "https:evil.com", "https:/evil.com", "http:///evil.com", "//evil.com@host/", "/%09/evil.com\t", "/\t/evil.com",
    "\0//evil.com", " //evil.com", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
    "//host.example.evil.com", "evil.com", ".evil.com", "@evil.com", "/x\r\nSet-Cookie:a=b", "/x\nLocation://evil",
    "/.//evil.com", "/..//evil.com", "//[::1]/", "//%5cevil.com", "/\u2028/evil", "\u3000//evil", "?next=//evil",
    "#//evil", "//evil.com/%2f..", "/a//evil.com", "", "x" * 600,
]  # fmt: skip
LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
    "javascript://x.com/%0aalert(1)", "data:text/html,<b>x</b>", "vbscript:x", "https:javascript:alert(1)", "https://",
    "//evil", "/x", "blob:https://x", "filesystem:x", "file:///c:/", "ms-word:ofe|u|https://x", "zoommtg://x",
    "intent://x#Intent;", "view-source:https://x", 'https://x"onmouseover=alert(1)', "https://x'><script>", "https://a@b",
    "https://x\\@y", "\u202ehttps://x", "https://x:99999", "&#106;avascript:alert(1)", "feed:https://x",
    "search-ms:query=x", "tel:1;x", "https://exa mple", " https://x",
]  # fmt: skip


@pytest.mark.parametrize("address", NEXT)
def test_T08_what_leads_elsewhere_leads_to_the_default(address: str) -> None:
    assert safe_next(address, DEFAULT) == DEFAULT


@pytest.mark.parametrize("address", ["/calendar/settings", "/calendar/?view=week&d=2026-11-20", "/a/b-c_d.html"])
def test_T08_a_page_of_this_site_is_kept(address: str) -> None:
    assert safe_next(address, DEFAULT) == address


def test_T08_the_lists_are_whole() -> None:
    assert len(NEXT) == 36 and len(LINKS) == 30
    assert safe_next(None, DEFAULT) == DEFAULT and safe_url(None) == ""


@pytest.mark.parametrize("address", LINKS)
def test_T33_what_is_no_plain_web_address_becomes_no_link(address: str) -> None:
    assert safe_url(address) == ""


@pytest.mark.parametrize(
    "address", ["https://meet.example/abc", "http://x.example:8080/a?b=c#d", "https://x.example/%40"]
)
def test_T33_a_web_address_becomes_a_link(address: str) -> None:
    assert safe_url(address) == address


def test_T33_a_very_long_address_is_text() -> None:
    assert safe_url("https://x.example/" + "a" * 2_048) == ""
