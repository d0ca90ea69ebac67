"""What a host runs in its own continuous integration: subclass `HostConformance`, give it one fixture.

class TestMyHost(HostConformance):
    @pytest.fixture
    def host(self, app):
        return HostUnderTest(app=app, pm=app.pm, db=db, user_id="1",
                             save=…, change=…, cancel=…, save_but_roll_back=…)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import contract
from .hookspecs import hookimpl


@dataclass(frozen=True)
class HostUnderTest:
    """What the checks need of a host.

    :param user_id: somebody who owns appointments and may connect a calendar.
    :param save: makes an appointment with this title, commits, returns its id; by the host's ordinary path.
    :param change: gives it another title and commits.
    :param cancel: cancels it and commits.
    :param save_but_roll_back: makes one and rolls the transaction back.
    """

    app: Any
    pm: Any
    db: Any
    user_id: str
    save: Callable[[str], str]
    change: Callable[[str, str], None]
    cancel: Callable[[str], None]
    save_but_roll_back: Callable[[str], None]


@dataclass
class Listener:
    """Hears every appointment hook, as an extension would."""

    heard: list[tuple[str, contract.Appointment, str | None]] = field(default_factory=list)

    @hookimpl
    def appointment_created(self, session: Any, appointment: contract.Appointment, origin: str | None) -> None:
        """Remember it; the id must exist by now."""
        self.heard.append(("created", appointment, origin))

    @hookimpl
    def appointment_updated(self, session: Any, appointment: contract.Appointment, origin: str | None) -> None:
        """Remember it."""
        self.heard.append(("updated", appointment, origin))

    @hookimpl
    def appointment_cancelled(self, session: Any, appointment: contract.Appointment, origin: str | None) -> None:
        """Remember it."""
        self.heard.append(("cancelled", appointment, origin))

    def kinds(self) -> list[str]:
        """Return what was heard, in order."""
        return [kind for kind, _, _ in self.heard]


class Broken:
    """Fails in every appointment hook, as a bad extension would."""

    @hookimpl
    def appointment_created(self) -> None:
        """Fail."""
        raise RuntimeError("broken on purpose")

    @hookimpl
    def appointment_updated(self) -> None:
        """Fail."""
        raise RuntimeError("broken on purpose")

    @hookimpl
    def appointment_cancelled(self) -> None:
        """Fail."""
        raise RuntimeError("broken on purpose")


class HostConformance:
    """Thirteen promises of a host (docs/hosting.md). Subclass it; `host` is yours to define."""

    @staticmethod
    def listen(host: HostUnderTest) -> Listener:
        """Return a listener that hears the host from now on."""
        listener = Listener()
        host.pm.register(listener)
        return listener

    def test_a_created_appointment_is_told_once_and_has_an_id(self, host: HostUnderTest) -> None:
        """Flush, then fire."""
        listener = self.listen(host)
        ref = host.save("Conformance")
        assert listener.kinds() == ["created"]
        assert listener.heard[0][1].ref == ref

    def test_what_is_rolled_back_leaves_nothing_to_find(self, host: HostUnderTest) -> None:
        """A hook may have been fired; the appointment is not there."""
        host.save_but_roll_back("Never was")
        page = self.page(host)
        assert "Never was" not in [item.title for item in page.items]

    def test_a_change_is_told_once(self, host: HostUnderTest) -> None:
        """Once per committed change."""
        ref = host.save("Before")
        listener = self.listen(host)
        host.change(ref, "After")
        assert [(kind, value.title) for kind, value, _ in listener.heard] == [("updated", "After")]

    def test_versions_grow(self, host: HostUnderTest) -> None:
        """An older change must be told from a newer one."""
        listener = self.listen(host)
        ref = host.save("One")
        host.change(ref, "Two")
        host.change(ref, "Three")
        versions = [value.version for _, value, _ in listener.heard]
        assert versions == sorted(set(versions))

    def test_a_cancellation_is_told_with_the_last_values(self, host: HostUnderTest) -> None:
        """The object still carries its title."""
        ref = host.save("Called off")
        listener = self.listen(host)
        host.cancel(ref)
        assert listener.kinds() == ["cancelled"]
        assert listener.heard[0][1].title == "Called off"

    def test_the_origin_comes_back(self, host: HostUnderTest) -> None:
        """What a calendar asked for is told with the origin it gave."""
        ref = host.save("Ours")
        listener = self.listen(host)
        self.apply(host, ref, "Theirs", self.current(host, ref).version)
        assert [(kind, origin) for kind, _, origin in listener.heard] == [("updated", "conformance")]

    def test_an_outdated_version_is_a_conflict_and_writes_nothing(self, host: HostUnderTest) -> None:
        """Optimistic locking, by the expected version."""
        ref = host.save("Newest")
        answer = self.apply(host, ref, "Stale", self.current(host, ref).version - 1)
        assert isinstance(answer, contract.Conflict)
        assert self.current(host, ref).title == "Newest"

    def test_an_appointment_is_read_back_as_it_was_told(self, host: HostUnderTest) -> None:
        """`host_get_appointment` and the hook agree."""
        listener = self.listen(host)
        ref = host.save("Same")
        assert self.current(host, ref) == listener.heard[0][1]

    def test_a_listing_pages_through_everything_once(self, host: HostUnderTest) -> None:
        """Stable order, opaque cursor, no row twice."""
        wanted = {host.save(f"Page {n}") for n in range(5)}
        seen, cursor = [], None
        while True:
            page = self.page(host, cursor, 2)
            seen += [item.ref for item in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert wanted <= set(seen)
        assert len(seen) == len(set(seen))

    def test_a_broken_extension_costs_no_save(self, host: HostUnderTest) -> None:
        """Catch what a listener raises."""
        host.pm.register(Broken())
        ref = host.save("Survives")
        host.change(ref, "Still survives")
        assert self.current(host, ref).title == "Still survives"

    def test_an_unknown_user_is_nobody(self, host: HostUnderTest) -> None:
        """None, and no permission."""
        with host.app.app_context():
            assert host.pm.hook.host_get_user(user_id="no such user") is None
            assert not host.pm.hook.host_has_permission(user_id="no such user", permission="calendar.connect")

    def test_a_known_user_has_an_organisation_and_a_zone(self, host: HostUnderTest) -> None:
        """Both are asked for on every page."""
        with host.app.app_context():
            profile = host.pm.hook.host_get_user(user_id=host.user_id)
        assert profile.tenant_id
        assert profile.zone

    def test_the_base_address_is_absolute(self, host: HostUnderTest) -> None:
        """Redirect addresses are built from it, never from a request."""
        with host.app.app_context():
            assert host.pm.hook.host_base_url().startswith(("https://", "http://"))

    @staticmethod
    def current(host: HostUnderTest, ref: str) -> contract.Appointment:
        """Return the appointment as the host has it now."""
        with host.app.app_context():
            return host.pm.hook.host_get_appointment(appointment_id=ref)

    @staticmethod
    def page(host: HostUnderTest, cursor: str | None = None, limit: int = 500) -> contract.AppointmentPage:
        """Return one page of the user's appointments."""
        with host.app.app_context():
            return host.pm.hook.host_list_appointments(
                user_id=host.user_id, changed_since=None, cursor=cursor, limit=limit
            )

    @staticmethod
    def apply(host: HostUnderTest, ref: str, title: str, version: int) -> contract.Applied | contract.Conflict:
        """Ask the host to write a title, as the engine would, and commit."""
        draft = contract.AppointmentDraft(ref=ref, fields=frozenset({"title"}), title=title)
        with host.app.app_context():
            session = host.db.session
            answer = host.pm.hook.host_apply_appointment(
                session=session, user_id=host.user_id, draft=draft, expected_version=version, origin="conformance"
            )
            session.commit()
            session.remove()
        return answer
