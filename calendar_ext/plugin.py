"""The entry point: what the host loads, registers and calls. Each hook hands over in one line and never raises."""

from __future__ import annotations

from typing import Any

from flask import current_app, has_app_context

from .bootstrap import Parts, build, parts_of
from .guarding import broken, guarded
from .services import terms


class Plugin:
    """One object for all applications of a process; what belongs to one stands in its `Parts`."""

    def __init__(self) -> None:
        self.hook_errors = 0
        self._apps: list[Any] = []

    def init_app(self, app: Any, *, pm: Any, db: Any, registry: Any = None, transport: Any = None) -> None:
        """Register blueprint, commands and hooks, whatever the state; `bootstrap.build` says the rest."""
        build(app, pm=pm, db=db, registry=registry, transport=transport)
        self._apps.append(app)
        if not pm.is_registered(self):
            pm.register(self, name=terms.ID)
        pm.check_pending()

    def stop(self, timeout: float = 10.0) -> None:
        """End the background work of this process, in every application."""
        while self._apps:
            parts_of(self._apps.pop()).engine.stop(timeout)

    def _parts(self) -> Parts:
        """Return the services of the application that fires; without a context, of the one started last."""
        return parts_of(current_app if has_app_context() else self._apps[-1])

    @guarded()
    def appointment_created(self, session: Any, appointment: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "appointment_created", appointment, actor_id, origin)

    @guarded()
    def appointment_updated(self, session: Any, appointment: Any, changes: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "appointment_updated", appointment, actor_id, origin)

    @guarded()
    def appointment_cancelled(self, session: Any, appointment: Any, reason: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "appointment_cancelled", appointment, actor_id, origin)

    @guarded()
    def activity_created(self, session: Any, activity: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "activity_created", activity, actor_id, origin)

    @guarded()
    def activity_updated(self, session: Any, activity: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "activity_updated", activity, actor_id, origin)

    @guarded()
    def activity_deleted(self, session: Any, activity: Any, actor_id: Any, origin: Any) -> None:
        self._parts().recording.record(session, "activity_deleted", activity, actor_id, origin)

    @guarded()
    def contact_changed(self, session: Any, contact: Any) -> None:
        self._parts().recording.record(session, "contact_changed", contact)

    @guarded()
    def user_changed(self, session: Any, user: Any) -> None:
        self._parts().recording.record(session, "user_changed", user)

    @guarded()
    def user_deleted(self, session: Any, user_id: Any) -> None:
        self._parts().recording.record(session, "user_deleted", user_id)

    @guarded(list)
    def account_tabs(self, user: Any) -> list[Any]:
        return self._parts().panels.account_tabs(user)

    @guarded(list)
    def navigation(self, user: Any) -> list[Any]:
        return self._parts().panels.navigation(user)

    @guarded(list)
    def admin_pages(self, user: Any) -> list[Any]:
        return self._parts().panels.admin_pages(user)

    @guarded(list)
    def activity_panels(self, user: Any) -> list[Any]:
        return self._parts().panels.activity_panels(user)

    @guarded(list)
    def appointment_panels(self, user: Any, appointment: Any) -> list[Any]:
        return self._parts().panels.appointment_panels(user, appointment)

    @guarded(list)
    def staff_panels(self, user: Any, staff_user: Any) -> list[Any]:
        return self._parts().panels.staff_panels(user, staff_user)

    @guarded(broken)
    def extension_install(self, app: Any, actor_id: Any, options: Any, accepted_permissions: Any) -> Any:
        return parts_of(app).lifecycle.install(actor_id=actor_id, accepted_permissions=accepted_permissions)

    @guarded(broken)
    def extension_activate(self, app: Any, actor_id: Any, options: Any) -> Any:
        return parts_of(app).lifecycle.activate(actor_id=actor_id, options=options)

    @guarded(broken)
    def extension_deactivate(self, app: Any, actor_id: Any) -> Any:
        return parts_of(app).lifecycle.deactivate(actor_id=actor_id)

    @guarded(broken)
    def extension_upgrade(self, app: Any, actor_id: Any, from_version: Any) -> Any:
        return parts_of(app).lifecycle.upgrade(actor_id=actor_id)

    @guarded(broken)
    def extension_uninstall(self, app: Any, actor_id: Any, data: Any) -> Any:
        return parts_of(app).lifecycle.uninstall(actor_id=actor_id, data=data)


plugin = Plugin()
