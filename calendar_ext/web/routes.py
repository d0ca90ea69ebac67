"""Every address of ours with who may use it: declared beside its view, denied where it is not declared (T-17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

#: Permissions of decisions.md section 15.
VIEW, CONNECT, ADMIN = "calendar.view", "calendar.connect", "calendar.admin"

View = Callable[..., Any]
Access = Literal["admin", "user", "provider", "monitor", "public"]


@dataclass(frozen=True, slots=True)
class Route:
    """One address below our prefix.

    :param access: who uses it; `public` and `monitor` need no sign-in.
    :param permission: what the person must have besides being signed in; '' where nobody signs in.
    :param when_inactive: what it answers while the extension is not active: `404`, `410`, or `200` = as always.
    """

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    view: View
    access: Access
    permission: str
    when_inactive: str = "404"


class Routes:
    """The routes of one module, in the order they stand there."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(
        self,
        rule: str,
        endpoint: str,
        *methods: str,
        permission: str = VIEW,
        access: Access = "user",
        when_inactive: str = "404",
    ) -> Callable[[View], View]:
        """Declare a view; without methods it is a GET."""

        def declare(view: View) -> View:
            self._routes.append(Route(rule, endpoint, methods or ("GET",), view, access, permission, when_inactive))
            return view

        return declare
