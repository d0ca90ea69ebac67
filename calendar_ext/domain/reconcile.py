"""Base, local, remote into one Decision: the table the whole product rests on (architecture.md section 5).

Pure: no clock, no network, no names. `None` means that a side has no such event; an event whose status is cancelled
counts as none. Two versions are the same if nobody edited anything between them (`fingerprint.py`), so our own write
coming back is *nothing*, and an answer to an invitation never is an edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .fingerprint import content, differences, event_from_content
from .model import CONTENT_FIELDS, Event, Status

LOCAL, REMOTE = "local", "remote"
#: A series' start and rule say one thing together: one side's rule on the other side's start would be nobody's wish.
_SERIES = frozenset(("when", "rules"))
#: The name under which a deletion that lost is kept on record.
DELETION = "deleted"


class Kind(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    PUSH_CREATE = "push_create"
    PULL_CREATE = "pull_create"
    LINK = "link"
    PUSH_UPDATE = "push_update"
    PULL_UPDATE = "pull_update"
    #: Both sides made the same edit: only the base is to be written.
    REMEMBER = "remember"
    CONFLICT = "conflict"
    PUSH_DELETE = "push_delete"
    PULL_DELETE = "pull_delete"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Lost:
    """A value that did not win, kept so that a person can see it and take it back. Both values are plain JSON."""

    field: str
    winner: str
    local: Any
    remote: Any


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides agreed on last time.

    They differ where the provider rewrote what it was sent (a status it does not know, a text it shortened): each side
    is then compared with its own version, or the rewriting would be sent back and forth for ever.
    """

    local: Event
    remote: Event

    @classmethod
    def agreed(cls, event: Event) -> Base:
        """Return a base on which both sides are the same."""
        return cls(event, event)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with one event.

    :param event: how it is to look afterwards on both sides; None where nothing is left of it.
    :param push: fields to write to the remote side.
    :param pull: fields to write to the local side.
    :param lost: the losing value of every field both sides edited, and a deletion that an edit outranked.
    """

    kind: Kind
    event: Event | None = None
    push: tuple[str, ...] = ()
    pull: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()


def decide(
    base: Event | Base | None,
    local: Event | None,
    remote: Event | None,
    *,
    local_at: int | None = None,
    remote_at: int | None = None,
    direction: str = "both",
) -> Decision:
    """Return the decision for one event.

    :param local_at: when each side was last edited, in one unit; the later edit of the same field wins, a tie or an
        unknown time goes to the remote side.
    :param direction: `both`, `pull` (the remote side is never written, and wins) or `push` (the other way round).
    """
    known = Base.agreed(base) if isinstance(base, Event) else base
    ours, theirs = _present(local), _present(remote)
    winner = _winner(local_at, remote_at, direction)
    if known is None:
        decision = _met(ours, theirs, winner)
    elif ours is None or theirs is None:
        decision = _after_deletion(known, ours, theirs)
    else:
        decision = _merged(known, ours, theirs, winner)
    return decision if direction == "both" else _one_way(decision, direction)


def _winner(local_at: int | None, remote_at: int | None, direction: str) -> str:
    if direction != "both":
        return REMOTE if direction == "pull" else LOCAL
    return LOCAL if local_at is not None and remote_at is not None and local_at > remote_at else REMOTE


def _present(event: Event | None) -> Event | None:
    return None if event is None or event.status == Status.CANCELLED else event


def _met(local: Event | None, remote: Event | None, winner: str) -> Decision:
    if local is None or remote is None:
        if local is not None:
            return Decision(Kind.PUSH_CREATE, local, push=CONTENT_FIELDS)
        return Decision(Kind.PULL_CREATE, remote, pull=CONTENT_FIELDS) if remote else Decision(Kind.NOTHING)
    different = set(differences(local, remote))
    return replace(_merge(local, remote, different, different, winner), kind=Kind.LINK)


def _after_deletion(base: Base, local: Event | None, remote: Event | None) -> Decision:
    """An edit outranks a deletion; where nothing was edited the deletion stands."""
    if local is not None:
        if differences(base.local, local):
            lost = (Lost(DELETION, LOCAL, content(local), None),)
            return Decision(Kind.PUSH_CREATE, local, push=CONTENT_FIELDS, lost=lost)
        return Decision(Kind.PULL_DELETE)
    if remote is not None:
        if differences(base.remote, remote):
            lost = (Lost(DELETION, REMOTE, None, content(remote)),)
            return Decision(Kind.PULL_CREATE, remote, pull=CONTENT_FIELDS, lost=lost)
        return Decision(Kind.PUSH_DELETE)
    return Decision(Kind.FORGET)


def _merged(base: Base, local: Event, remote: Event, winner: str) -> Decision:
    mine, theirs = set(differences(base.local, local)), set(differences(base.remote, remote))
    if not mine and not theirs:
        return Decision(Kind.NOTHING, remote)
    merged = _merge(local, remote, mine, theirs, winner)
    if mine and theirs:
        return merged if merged.push or merged.pull else replace(merged, kind=Kind.REMEMBER)
    return replace(merged, kind=Kind.PUSH_UPDATE if mine else Kind.PULL_UPDATE)


def _merge(local: Event, remote: Event, mine: set[str], theirs: set[str], winner: str) -> Decision:
    """Field by field: who alone edited a field has it; where both did, the winner."""
    mine, theirs = _whole_series(mine, local, remote), _whole_series(theirs, local, remote)
    different = set(differences(local, remote))
    kept = mine if winner == LOCAL else mine - theirs
    push = _ordered(kept & different)
    pull = _ordered((theirs - kept) & different)
    lost = _losses(local, remote, _ordered(mine & theirs & different), winner)
    changes = {name: getattr(local, name) for name in push}
    event = replace(remote, **changes, uid=remote.uid or local.uid, marker=local.marker or remote.marker)
    return Decision(Kind.CONFLICT, event, push, pull, lost)


def _losses(local: Event, remote: Event, fields: tuple[str, ...], winner: str) -> tuple[Lost, ...]:
    if not fields:
        return ()
    ours, others = content(local), content(remote)
    return tuple(Lost(name, winner, ours[name], others[name]) for name in fields)


def _ordered(fields: set[str]) -> tuple[str, ...]:
    return tuple(name for name in CONTENT_FIELDS if name in fields)


def _whole_series(fields: set[str], local: Event, remote: Event) -> set[str]:
    return fields | _SERIES if fields & _SERIES and (local.rules or remote.rules) else fields


def _one_way(decision: Decision, direction: str) -> Decision:
    """What is left of a decision where only one side may be written."""
    if decision.kind in (Kind.CONFLICT, Kind.LINK):
        pull, push = (decision.pull, ()) if direction == "pull" else ((), decision.push)
        kind = decision.kind if pull or push or decision.kind is Kind.LINK else Kind.NOTHING
        return replace(decision, kind=kind, push=push, pull=pull)
    if decision.kind.startswith(("pull_", "push_")) and not decision.kind.startswith(direction):
        return Decision(Kind.NOTHING, decision.event)
    return decision


def base_content(base: Base) -> dict[str, Any]:
    """Return a base as plain JSON values, for `link.base`: the remote version, and where it differs the local one."""
    facts, ours = content(base.remote), content(base.local)
    sent = {name: ours[name] for name in differences(base.local, base.remote)}
    return facts | {"sent": sent} if sent else facts


def base_from_content(facts: Mapping[str, Any]) -> Base:
    """Return the base `base_content` was made from, or one made from the `content` of an event."""
    return Base(event_from_content({**facts, **facts.get("sent", {})}), event_from_content(facts))
