"""Install, activate, deactivate, upgrade, uninstall: the state machine of host-contract.md section 4.

One `installation` row is the truth that SQL asks. The host's registry says who runs which operation and how far it is;
every operation writes our row first and the registry after it, and repeated, mends whichever a crash left behind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.types import OperationResult, Registry
from ..errors import CalendarExtError, NeedsPerson
from ..sync.ports.running import InstallationRecord, State, Tables
from ..sync.ports.store import Store
from . import terms
from .lifecycle_steps import Step, Steps, Work

log = logging.getLogger(__name__)

CLAIM_SECONDS = 120
STALE = "This page is out of date: somebody changed Calendar meanwhile. Reload it and look again."
BROKEN = "Calendar could not do this. Nothing was changed; the server's log says what happened."

_INSTALLED: tuple[State, ...] = ("installed", "inactive", "active")


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation: where it may begin, its steps in order, where it ends, and how it is undone."""

    name: str
    allowed: tuple[State, ...]
    #: None: the state stays what it was, and the operation may be repeated at will.
    ends: State | None
    steps: tuple[Step, ...]
    finish: Callable[[Work], Mapping[str, Any]] = lambda work: {}
    undo: Step | None = None
    #: Nothing of ours is left afterwards: the registry is told first and forgotten last.
    leaves_nothing: bool = False
    #: Carried out although the state is reached: kept data may still go.
    again: bool = False


class Lifecycle:
    """The operations behind the marketplace's buttons. None raises; each says what happened.

    :param changed: called after our row was written, so that this process drops its copy of it.
    :param announce: tells colleagues after an activation; returns a sentence for the success page, or ''.
    """

    def __init__(
        self,
        *,
        steps: Steps,
        store: Store,
        tables: Tables,
        registry: Registry,
        changed: Callable[[], None],
        announce: Callable[[str | None], str] = lambda actor_id: "",
    ) -> None:
        self._steps = steps
        self._store = store
        self._tables = tables
        self._registry = registry
        self._changed = changed
        self._announce = announce

    def installation(self) -> InstallationRecord:
        """Return our row; `available` where there is none."""
        with self._store.read() as unit:
            return unit.installations.get()

    def upgrade_waiting(self) -> bool:
        """Return whether the package is newer than what was installed."""
        installation = self.installation()
        return installation.state in _INSTALLED and installation.version != self._steps.version

    def install(
        self,
        *,
        actor_id: str | None,
        options: Mapping[str, Any] | None = None,
        accepted_permissions: Collection[str] = (),
        expected_generation: int | None = None,
    ) -> OperationResult:
        """Make the tables and default settings. Old data of an earlier installation are found again."""
        do = self._steps
        steps = (do.check_compatibility, do.check_secrets, do.accept_permissions, do.migrate, do.default_settings)

        def facts(work: Work) -> dict[str, Any]:
            return do.facts() | {"options": terms.default_options()}

        plan = Plan("install", ("available", "uninstalled", "failed"), "installed", steps, facts, do.undo_install)
        return self._run(plan, actor_id, expected_generation, accepted=accepted_permissions)

    def activate(
        self,
        *,
        actor_id: str | None,
        options: Mapping[str, Any] | None = None,
        expected_generation: int | None = None,
    ) -> OperationResult:
        """Open the gate in every process, wake every account, and compare ten seconds later.

        While active it changes the options that differ, as the marketplace's Settings do.
        """
        if self._differ(options):
            return self.change_options(
                actor_id=actor_id, options=options or {}, expected_generation=expected_generation
            )
        do = self._steps
        steps = (do.check_schema, do.check_keys, do.check_health, do.accept_fees)

        def facts(work: Work) -> dict[str, Any]:
            return {"options": terms.chosen_options(work.options, work.before.options)}

        plan = Plan("activate", ("installed", "inactive"), "active", steps, facts)
        result = self._run(plan, actor_id, expected_generation, options=options)
        if result.ok and (options or {}).get("tell_colleagues") is True:
            return self._told(result, actor_id)
        return result

    def _differ(self, options: Mapping[str, Any] | None) -> bool:
        now = self.installation()
        chosen = terms.chosen_options({}, now.options)
        asked = {key: value for key, value in (options or {}).items() if key not in terms.MANNERS}
        return now.state == "active" and chosen | asked != chosen

    def deactivate(self, *, actor_id: str | None, expected_generation: int | None = None) -> OperationResult:
        """Close the gate in every process and end every run; nothing is deleted."""
        plan = Plan("deactivate", ("active",), "inactive", ())
        return self._run(plan, actor_id, expected_generation)

    def upgrade(
        self,
        *,
        actor_id: str | None,
        accepted_permissions: Collection[str] | None = None,
        expected_generation: int | None = None,
    ) -> OperationResult:
        """Bring the tables to the installed package; the state stays what it was.

        :param accepted_permissions: None = nothing new is asked for, so nothing has to be agreed to again.
        """
        do = self._steps
        asked = () if accepted_permissions is None else (do.accept_permissions,)
        steps = (do.check_compatibility, do.check_version, *asked, do.migrate)
        plan = Plan("upgrade", (*_INSTALLED, "failed"), None, steps, lambda work: do.facts())
        return self._run(plan, actor_id, expected_generation, accepted=accepted_permissions or ())

    def change_options(
        self, *, actor_id: str | None, options: Mapping[str, Any], expected_generation: int | None = None
    ) -> OperationResult:
        """Switch options on or off; a fee must be agreed to where one is switched on."""

        def facts(work: Work) -> dict[str, Any]:
            return {"options": terms.chosen_options(work.options, work.before.options)}

        plan = Plan("options", _INSTALLED, None, (self._steps.accept_fees,), facts)
        return self._run(plan, actor_id, expected_generation, options=options)

    def uninstall(
        self, *, actor_id: str | None, data: str = "keep", expected_generation: int | None = None
    ) -> OperationResult:
        """Close the gate, revoke every sign-in and delete it, then keep, export or delete the rest.

        The host's appointments and the events in people's calendars are never touched.
        """
        do = self._steps
        if data not in ("keep", "export_then_delete", "delete"):
            return OperationResult(False, "", "Choose what happens to the data first.")
        rest = {"keep": (), "export_then_delete": (do.export, do.drop), "delete": (do.drop,)}[data]
        steps = (do.close, do.revoke, do.forget_secrets, *rest)

        def facts(work: Work) -> dict[str, Any]:
            return {"purge_at": do.purge_at()}

        goes = data != "keep"
        allowed: tuple[State, ...] = (*_INSTALLED, "failed", *(("uninstalled",) if goes else ()))
        plan = Plan("uninstall", allowed, "uninstalled", steps, facts, leaves_nothing=goes, again=goes)
        return self._run(plan, actor_id, expected_generation, data=data)

    def purge(self, *, actor_id: str | None, expected_generation: int | None = None) -> OperationResult:
        """Drop what an uninstall kept; repeatable."""
        allowed: tuple[State, ...] = ("uninstalled", "available")
        plan = Plan("purge", allowed, "available", (self._steps.drop,), leaves_nothing=True, again=True)
        return self._run(plan, actor_id, expected_generation)

    def _run(self, plan: Plan, actor_id: str | None, expected: int | None, **asked: Any) -> OperationResult:
        try:
            answer = self._answered(plan)
            if answer:
                return answer
            op_id = self._registry.claim(terms.ID, plan.name, expected, CLAIM_SECONDS, actor_id)
            if op_id is None:
                return self._taken()
            answer = self._answered(plan)
            if answer:
                # Somebody finished between our look and our claim.
                self._registry.finish(op_id, answer.state)
                return answer
            work = Work(actor_id, self.installation(), self._tables.current(), **asked)
            return self._carry_out(plan, op_id, work)
        except Exception as error:
            return OperationResult(False, "failed", self._sentence(error))

    def _answered(self, plan: Plan) -> OperationResult | None:
        """Answer at once what needs no work, or may not begin here; None = go on.

        Where the registry says otherwise than our row, the operation is carried out again, which mends it.
        """
        state = self.installation().state
        if state == plan.ends and not plan.again and self._registry.read(terms.ID).state == state:
            return OperationResult(True, state, f"Calendar is {state} already.")
        if state in plan.allowed or state == plan.ends:
            return None
        return OperationResult(False, state, f"This is not possible while Calendar is {state}.")

    def _taken(self) -> OperationResult:
        entry = self._registry.read(terms.ID)
        state = self.installation().state
        if entry.op:
            return OperationResult(False, state, f"In progress by {entry.op_owner}: {entry.op}.")
        return OperationResult(False, state, STALE)

    def _carry_out(self, plan: Plan, op_id: str, work: Work) -> OperationResult:
        try:
            for step in plan.steps:
                self._registry.step(op_id, getattr(step, "__name__", plan.name))
                step(work)
            state = self._finish(plan, op_id, work)
        except Exception as error:
            return self._failed(plan, op_id, work, error)
        finally:
            self._changed()
        return OperationResult(True, state, notes=tuple(work.notes), details=work.details)

    def _finish(self, plan: Plan, op_id: str, work: Work) -> State:
        before: State = "installed" if work.before.state == "failed" else work.before.state
        state = plan.ends or before
        if plan.leaves_nothing:
            self._registry.finish(op_id, state, last_error="", purge_at=None)
            getattr(self._registry, "forget", lambda: None)()
            return state
        facts = dict(plan.finish(work))
        self._steps.finish(work, state, **facts)
        if work.accepted:
            facts["accepted_permissions"] = sorted(work.accepted)
        self._registry.finish(op_id, state, last_error="", **facts)
        return state

    def _failed(self, plan: Plan, op_id: str, work: Work, error: Exception) -> OperationResult:
        """Go back to the state before; only where that fails too is a person needed."""
        sentence = self._sentence(error)
        state: State = work.before.state
        try:
            if plan.undo:
                plan.undo(work)
            state = self.installation().state
        except Exception as second:
            log.error("Undoing %s failed: %s", plan.name, type(second).__name__)
            state = self._mark_failed()
        self._registry.finish(op_id, state, last_error=sentence)
        return OperationResult(False, state, sentence)

    def _mark_failed(self) -> State:
        try:
            with self._store.write() as unit:
                unit.installations.write(state="failed")
        except Exception as error:
            log.error("The state could not be written: %s", type(error).__name__)
        return "failed"

    def _told(self, result: OperationResult, actor_id: str | None) -> OperationResult:
        try:
            note = self._announce(actor_id)
        except Exception as error:
            log.error("Colleagues could not be told: %s", type(error).__name__)
            note = "Colleagues could not be told by mail."
        return OperationResult(
            True, result.state, result.message, (*result.notes, *filter(None, [note])), result.details
        )

    @staticmethod
    def _sentence(error: Exception) -> str:
        """Return what a person is told: our own errors are sentences, others go to the log without their content."""
        if not isinstance(error, CalendarExtError):
            log.error("A lifecycle operation failed: %s", type(error).__name__, exc_info=error)
            return BROKEN
        remedy = error.remedy if isinstance(error, NeedsPerson) else ""
        return f"{error} {remedy}".strip()
