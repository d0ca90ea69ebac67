"""The product's one seam to stand-ins: `https://google.standin.invalid/…` leads to a port on this machine.

`.invalid` never resolves (RFC 6761 section 6.4), so such addresses mean nothing to a process without this transport,
and this transport reaches nothing but stand-ins (host-contract.md section 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from calendar_ext.errors import Refused
from calendar_ext.limits import Limits
from calendar_ext.providers.http import Transport

SUFFIX = ".standin.invalid"


class StandinTransport(Transport):
    """A transport to stand-ins and to nothing else.

    :param bases: the loopback address of each stand-in by provider name: `{"google": "http://127.0.0.1:5001"}`. All
        hosts of one provider (`google`, `accounts.google`, `oauth2.google`, each before the suffix) lead to one port.
    """

    standin = True

    def __init__(self, bases: Mapping[str, str], hosts: Iterable[str] = (), *, limits: Limits | None = None) -> None:
        super().__init__(hosts or [name + SUFFIX for name in bases], limits=limits)
        self._bases = dict(bases)

    def route(self, url: str) -> str:
        """Return where a request to a stand-in really goes.

        :raises Refused: the address is not a stand-in's, or its stand-in is not running.
        """
        parts = urlsplit(url)
        name = (parts.hostname or "").removesuffix(SUFFIX).rpartition(".")[2]
        base = self._bases.get(name) if (parts.hostname or "").endswith(SUFFIX) else None
        if base is None or parts.scheme != "https":
            raise Refused("This transport reaches stand-ins only.", reason="not_a_standin")
        return parts._replace(scheme="http", netloc=urlsplit(base).netloc).geturl()

    def browser_url(self, url: str) -> str:
        """Return the address on this machine that a person's browser opens for a stand-in's page."""
        return self.route(url)
