"""Our pages inside the host's layout, or alone: a small template made for the block names there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import BaseLoader, Environment, TemplateNotFound, nodes

#: What pages extend: inside the host's layout, and alone, for people the host's layout may not be drawn for.
INSIDE, ALONE = "calendar_ext/frame.html", "calendar_ext/alone.html"
_OWN_BASE = "calendar_ext/plain.html"
_BLOCK = re.compile(r"[A-Za-z_]\w*\Z")

_LINKS = "<link rel=\"stylesheet\" href=\"{{ url_for('calendar_ext.static', filename='cx.css') }}\">"
_SCRIPT = "<script type=\"module\" src=\"{{ url_for('calendar_ext.static', filename='cx.js') }}\"></script>"


class FrameLoader(BaseLoader):
    """Makes `INSIDE` and `ALONE`, one of which every page of ours extends.

    :param base: the host's template, or '' for our own.
    :param block: its block for content; a `head` block is used where it has one, else the stylesheet stands in the
        content, which HTML allows.
    """

    def __init__(self, base: str, block: str) -> None:
        inside = (base or _OWN_BASE, block if base and _BLOCK.match(block) else "content")
        self._frames = {INSIDE: inside, ALONE: (_OWN_BASE, "content")}

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        """Return the frame's source; anything else is not ours."""
        if template not in self._frames:
            raise TemplateNotFound(template)
        base, block = self._frames[template]
        return self._source(base, block, set(blocks_of(environment, base))), None, None

    def _source(self, base: str, block: str, known: set[str]) -> str:
        pieces = [f'{{% extends "{base}" %}}']
        if "title" in known:
            pieces.append("{% block title %}{% block cx_title %}{% endblock %}{% endblock %}")
        if "head" in known:
            pieces.append(f"{{% block head %}}{{{{ super() }}}}{_LINKS}{{% endblock %}}")
        content = ("" if "head" in known else _LINKS) + "{% block cx_page %}{% endblock %}"
        if "scripts" in known:
            pieces.append(f"{{% block scripts %}}{{{{ super() }}}}{_SCRIPT}{{% endblock %}}")
        else:
            content += _SCRIPT
        pieces.append(f"{{% block {block} %}}{content}{{% endblock %}}")
        return "\n".join(pieces)


def blocks_of(environment: Environment, name: str) -> Iterator[str]:
    """Yield the blocks of a template and of those it extends by a constant name."""
    for _ in range(10):
        if environment.loader is None:
            return
        source, _, _ = environment.loader.get_source(environment, name)
        tree = environment.parse(source)
        yield from (block.name for block in tree.find_all(nodes.Block))
        parent = next((node.template for node in tree.find_all(nodes.Extends)), None)
        if not isinstance(parent, nodes.Const):
            return
        name = str(parent.value)
