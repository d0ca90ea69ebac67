"""Hints that an account has work: how urgent, and why. They say *look again* and nothing else."""

from __future__ import annotations

#: A person is waiting; the background; a long listing that stands back behind everybody else.
PERSON, BACKGROUND, LISTING = 0, 10, 20

#: Pulled rows concern links or edits on their way; inserted with the rows, so that a crash cannot lose it.
SETTLE = "settle"
#: Somebody looks at the Calendar page.
PAGE = "page"
#: Compare with the host's appointments.
COMPARE = "compare"
#: Reasons after which a run compares with the host.
COMPARING = frozenset({COMPARE, "connected", "chosen", "resumed", "activated", "activation"})
