"""Guards of provider addresses: constants, which only a stand-in passed in code may replace (host-contract.md 12)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar
from urllib.parse import urlsplit

from ..errors import Refused
from .http import Transport

#: `.invalid` can never resolve (RFC 6761 section 6.4): such an address is useless without a stand-in's transport.
STANDIN_SUFFIX = ".standin.invalid"
#: The environment variable without which no stand-in is reached.
SWITCH = "CALENDAR_EXT_ALLOW_STANDINS"
#: The environment variable that makes the sign-in library accept plain HTTP.
INSECURE = "OAUTHLIB_INSECURE_TRANSPORT"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of one provider: a subclass has one field per address, each https."""

    def addresses(self) -> dict[str, str]:
        """Return field name and address."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def hosts(self) -> frozenset[str]:
        """Return the hosts that may be reached."""
        return frozenset(urlsplit(address).netloc for address in self.addresses().values())


AnyEndpoints = TypeVar("AnyEndpoints", bound=Endpoints)


def checked_endpoints(
    default: AnyEndpoints,
    override: AnyEndpoints | None,
    transport: Transport,
    environ: Mapping[str, str] = os.environ,
) -> AnyEndpoints:
    """Return `override` if every guard lets it pass, `default` if there is none.

    :raises Refused: the switch is off, the transport is not a stand-in's, or an address is a real host's.
    """
    if override is None or override == default:
        return default
    if not standins_allowed(environ) or not transport.standin:
        raise Refused("Provider addresses cannot be changed here.", reason="standins_not_allowed")
    for address in override.addresses().values():
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.netloc.endswith(STANDIN_SUFFIX):
            raise Refused(f"Provider addresses may only end in {STANDIN_SUFFIX}.", reason="not_a_standin")
    return override


def standins_allowed(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process may use accounts made through a stand-in."""
    return environ.get(SWITCH) == "1"


def refuse_insecure_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Return if sign-ins are safe in this process; connecting and the health check ask.

    :raises Refused: `OAUTHLIB_INSECURE_TRANSPORT` is set.
    """
    if environ.get(INSECURE):
        raise Refused(f"{INSECURE} is set: sign-ins would not be protected. Unset it.", reason="insecure_transport")
