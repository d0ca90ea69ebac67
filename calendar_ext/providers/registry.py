"""Which providers there are: a key and its type; our own register like anyone else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import Refused
from .base import ProviderType
from .endpoints import STANDIN_SUFFIX, Endpoints
from .google import GoogleEndpoints, GoogleType
from .http import Transport


class Registry:
    """Provider types by key, in the order they were registered."""

    def __init__(self) -> None:
        self._types: dict[str, ProviderType] = {}

    def register(self, provider: ProviderType) -> ProviderType:
        """Add a provider type and return it.

        :raises Refused: the key is taken.
        """
        if provider.key in self._types:
            raise Refused(f"A provider called {provider.key!r} is registered already.", key=provider.key)
        self._types[provider.key] = provider
        return provider

    def get(self, key: str) -> ProviderType:
        """Return the type of `key`.

        :raises Refused: there is none.
        """
        try:
            return self._types[key]
        except KeyError:
            raise Refused("Calendar does not know this provider.", key=key) from None

    def all(self) -> list[ProviderType]:
        """Return every type."""
        return list(self._types.values())

    def __contains__(self, key: object) -> bool:
        return key in self._types


def builtin(transport: Transport, endpoints: Mapping[str, Endpoints], now: Callable[[], float]) -> Registry:
    """Return a registry with the providers that ship with the extension.

    :param endpoints: addresses of stand-ins by provider key; `{}` for the real ones.
    :param now: UTC seconds.
    """
    registry = Registry()
    registry.register(GoogleType(transport, endpoints.get("google"), now))
    return registry


def standins(transport: Transport) -> dict[str, Endpoints]:
    """Return the addresses a stand-in's transport leads to, by provider key; `{}` for the real door."""
    if not transport.standin:
        return {}
    return {"google": GoogleEndpoints.at(f"https://google{STANDIN_SUFFIX}")}
