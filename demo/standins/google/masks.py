"""The `fields` parameter: partial answers.

Source: guide "Performance tips", partial response (developers.google.com/workspace/calendar/api/guides/performance):
`a,b`, `a/b`, `a(b,c)`, `*`; an unknown name is refused with 400 `invalidParameter`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .errors import ApiError

Tree = dict[str, "Tree | None"]

_TOKEN = re.compile(r"[A-Za-z0-9_.$:@*-]+|[(),/]")


@dataclass(frozen=True)
class Mask:
    """A parsed selection; `tree` None lets everything through. Masks compare by their text."""

    text: str
    tree: Tree | None = field(compare=False)

    def names(self) -> set[str]:
        """Return the names asked for at the top."""
        return set(self.tree or ())

    def apply(self, value: Any) -> Any:
        """Return the part of a JSON value that was asked for."""
        return value if self.tree is None else _cut(value, self.tree)

    def below(self, name: str) -> Mask | None:
        """Return the mask for a member, or None where the member itself is not asked for."""
        if self.tree is None:
            return self
        if name in self.tree:
            return Mask(f"{self.text}>{name}", self.tree[name])
        return Mask(f"{self.text}>{name}", self.tree["*"]) if "*" in self.tree else None


def _cut(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_cut(each, tree) for each in value]
    if not isinstance(value, dict):
        return value
    if "*" in tree:
        below = tree["*"]
        return value if below is None else {name: _cut(each, below) for name, each in value.items()}
    found = {}
    for name, below in tree.items():
        if name in value:
            found[name] = value[name] if below is None else _cut(value[name], below)
    return found


@lru_cache(maxsize=256)
def parse(text: str) -> Mask:
    """Return the mask of a `fields` value; the empty text is the mask that lets everything through.

    :raises ApiError: 400 `invalidParameter` for what cannot be read.
    """
    if not text:
        return Mask("", None)
    compact = re.sub(r"\s+", "", text)
    tokens = _TOKEN.findall(compact)
    if "".join(tokens) != compact:
        raise refused(text)
    tree, rest = _selection(tokens, text)
    if rest:
        raise refused(text)
    return Mask(compact, tree)


def refused(name: str) -> ApiError:
    """Return the 400 for a selection that names nothing."""
    return ApiError(400, "invalidParameter", f"Invalid field selection {name}", location="fields")


def _selection(tokens: list[str], text: str) -> tuple[Tree, list[str]]:
    """Read `a/b(c,d),e` up to a closing bracket; return it with the tokens that are left."""
    tree: Tree = {}
    while True:
        path, tokens = _path(tokens, text)
        below: Tree | None = None
        if tokens[:1] == ["("]:
            below, tokens = _selection(tokens[1:], text)
            if tokens[:1] != [")"]:
                raise refused(text)
            tokens = tokens[1:]
        _plant(tree, path, below)
        if tokens[:1] != [","]:
            return tree, tokens
        tokens = tokens[1:]


def _path(tokens: list[str], text: str) -> tuple[list[str], list[str]]:
    path: list[str] = []
    while True:
        if not tokens or tokens[0] in "(),/":
            raise refused(text)
        path.append(tokens[0])
        tokens = tokens[1:]
        if tokens[:1] != ["/"]:
            return path, tokens
        tokens = tokens[1:]


def _plant(tree: Tree, path: list[str], below: Tree | None) -> None:
    for name in path[:-1]:
        node = tree.setdefault(name, {})
        if node is None:
            return
        tree = node
    last = path[-1]
    present = tree.get(last, {})
    tree[last] = None if below is None or present is None else {**present, **below}
