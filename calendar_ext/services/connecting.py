"""Signing in: an attempt is bound to browser and person, taken once, and becomes a connection (T-01 to T-05)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from ..contract import OwnerProfile
from ..errors import CalendarExtError, Gone, NeedsPerson, SignInFailed
from ..limits import Limits
from ..providers.base import Grant, OAuthClient, ProviderType
from ..providers.registry import Registry
from ..sync.ports.people import AccountRecord, AttemptRecord, ConnectionRecord
from ..sync.ports.running import Sealed, Vault
from ..sync.ports.store import Store, UnitOfWork
from .welcoming import Keeper, Kept, welcome

#: What a provider says in `error` instead of giving a code, and the reason it is for us. Anything else is `denied`.
REFUSALS = {
    "access_denied": "denied",
    "admin_policy_enforced": "policy",
    "org_internal": "policy",
    "disallowed_useragent": "policy",
    "consent_required": "consent_needed",
    "interaction_required": "consent_needed",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of calendar that can be connected here.

    :param source: whose application signs people in: `tenant`, `platform`, or '' where none is configured.
    """

    key: str
    label: str
    company: str
    source: str = ""
    standin: bool = False

    @property
    def ready(self) -> bool:
        """Return whether a sign-in can start."""
        return self.source != ""


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and the value its cookie must bring back."""

    url: str
    attempt: str
    binding: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider's redirect brought to the callback."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    error: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A sign-in that ended in a connection. `missing`: the person left a permission out, so nothing is synchronized."""

    connection: str
    email: str
    provider: str
    next: str
    created: bool
    missing: bool = False


class Connecting:
    """Starts and finishes sign-ins.

    :param clients: returns the application an organisation signs in with; raises `NeedsPerson` where none is set up.
    :param guard: raises `Refused` while sign-ins would not be safe in this process.
    """

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        providers: Registry,
        grants: Keeper,
        clients: Callable[[str, str], OAuthClient],
        limits: Limits,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._vault, self._providers, self._grants = store, vault, providers, grants
        self._clients, self._limits, self._guard = clients, limits, guard

    def offers(self, tenant_id: str) -> list[Offer]:
        """Return what an organisation can connect, in the order of the registry."""
        return [self._offer(kind, tenant_id) for kind in self._providers.all()]

    def _offer(self, kind: ProviderType, tenant_id: str) -> Offer:
        try:
            source = self._clients(kind.key, tenant_id).source
        except NeedsPerson:
            source = ""
        return Offer(kind.key, kind.label, kind.company, source, kind.standin)

    def offer(self, provider: str, tenant_id: str) -> Offer:
        """Return one kind of calendar.

        :raises Gone: there is none of that name.
        """
        if provider not in self._providers:
            raise Gone("There is no such provider.")
        return self._offer(self._providers.get(provider), tenant_id)

    def ready(self) -> None:
        """Return if sign-ins could be kept safe.

        :raises Refused: they would not be protected in this process.
        :raises KeyMissing: the vault has no usable key.
        """
        self._guard()
        self._vault.ready()

    def start(
        self,
        user: OwnerProfile,
        provider: str,
        *,
        redirect_uri: str,
        next: str = "",
        repairs: str = "",
        again: bool = False,
    ) -> Started:
        """Store an attempt and return where to send the browser.

        :param repairs: public id of the connection to repair, which then must be this person's own.
        :param again: let the provider ask for consent once more.
        :raises KeyMissing: nothing could be kept safe; or Refused, as `ready`.
        :raises SignInFailed: with reason `not_configured`.
        :raises Gone: no such provider, or the connection to repair is not theirs.
        """
        self.ready()
        client = self._client(user, provider)
        account = self._repaired(user, repairs) if repairs else None
        state, nonce, binding = (secrets.token_urlsafe(32) for _ in range(3))
        sign_in = self._providers.get(provider).authorization(
            client,
            redirect_uri=redirect_uri,
            state=state,
            nonce=nonce,
            login_hint=account.email if account else "",
            again=again or bool(repairs),
        )
        bound = {"provider": provider, "redirect_uri": redirect_uri, "next": next, "repairs": repairs, "nonce": nonce}
        attempt = _attempt_of(user, binding, **bound)
        self._store_attempt(attempt, state, sign_in.verifier)
        return Started(sign_in.url, attempt.public_id, binding)

    def _store_attempt(self, attempt: AttemptRecord, state: str, verifier: str) -> None:
        sealed = self._vault.seal(verifier, attempt.tenant_id, attempt.public_id, "verifier").packed()
        with self._store.write(only_active=True) as unit:
            ends = unit.now() + self._limits.attempt_seconds
            unit.attempts.add(replace(attempt, verifier=sealed, expires_at=ends), hashed(state))

    def _client(self, user: OwnerProfile, provider: str) -> OAuthClient:
        offer = self.offer(provider, user.tenant_id)
        if not offer.ready:
            raise SignInFailed(reason="not_configured", provider=offer.company)
        return self._clients(provider, user.tenant_id)

    def _repaired(self, user: OwnerProfile, public_id: str) -> AccountRecord:
        with self._store.read() as unit:
            connection = unit.connections.find(public_id, user.tenant_id, user.user_id)
            account = unit.accounts.get(connection.account_id) if connection else None
        if account is None:
            raise Gone("This connection is no longer there.")
        return account

    def finish(self, user: OwnerProfile, provider: str, answer: Answer, *, redirect_uri: str, binding: str) -> Finished:
        """Compare, take the attempt, exchange the code, and make the connection; each step only after the one before.

        :raises SignInFailed: `reason` says why; `facts["next"]` is where the person came from, if that is known.
        :raises CalendarExtError: the provider could not be asked; nothing was changed.
        """
        attempt = self._compared(user, provider, answer, redirect_uri, binding)
        try:
            return self._completed(user, attempt, answer)
        except CalendarExtError as error:
            self._note(attempt, getattr(error, "reason", error.code.partition(".")[2]))
            error.facts.setdefault("next", attempt.next)
            raise

    def _compared(
        self, user: OwnerProfile, provider: str, answer: Answer, redirect_uri: str, binding: str
    ) -> AttemptRecord:
        """The seven bindings, then one conditional UPDATE; only its winner goes on to the token endpoint."""
        with self._store.write(only_active=True) as unit:
            attempt = unit.attempts.by_state(hashed(answer.state)) if answer.state else None
            wrong = "state" if attempt is None else _foreign(attempt, user, provider, redirect_uri, binding)
            if attempt and not wrong and not unit.attempts.consume(attempt.id, unit.now()):
                wrong = "used_or_expired"
            if wrong:
                facts = {"outcome": "refused", "binding": wrong, "provider": provider[:32]}
                unit.audit.add(
                    "connect",
                    actor=user.user_id,
                    tenant_id=user.tenant_id,
                    object=attempt.public_id if attempt else "",
                    after=facts,
                )
        if wrong or attempt is None:
            raise SignInFailed(reason="invalid")
        return attempt

    def _completed(self, user: OwnerProfile, attempt: AttemptRecord, answer: Answer) -> Finished:
        kind = self._providers.get(attempt.provider)
        if answer.error or not answer.code:
            raise SignInFailed(reason=REFUSALS.get(answer.error, "denied"), provider=kind.company)
        self._check_issuer(kind, answer.issuer)
        place = (user.tenant_id, attempt.public_id, "verifier")
        grant = kind.exchange(
            self._client(user, attempt.provider),
            code=answer.code,
            verifier=self._vault.open(Sealed.unpacked(attempt.verifier), *place),
            redirect_uri=attempt.redirect_uri,
            nonce=attempt.nonce,
        )
        repaired = self._same_account(user, attempt, grant)
        kept = welcome(self._store, self._grants, kind, user, grant, repaired)
        self._note(attempt, "limited" if grant.missing else "connected", kept)
        return Finished(
            kept.connection.public_id, grant.email, kind.company, attempt.next, kept.created, bool(grant.missing)
        )

    def _check_issuer(self, kind: ProviderType, issuer: str) -> None:
        """RFC 9207: an issuer that is named must be the one we sent the person to, or no token request leaves."""
        known: Collection[str] = getattr(getattr(kind, "endpoints", None), "issuers", ())
        if issuer and known and issuer not in known:
            raise SignInFailed(reason="invalid")

    def _same_account(self, user: OwnerProfile, attempt: AttemptRecord, grant: Grant) -> ConnectionRecord | None:
        """Return the connection that is repaired; a different account never takes over its calendars (T-04)."""
        if not attempt.repairs:
            return None
        account = self._repaired(user, attempt.repairs)
        if (account.issuer, account.subject) != (grant.issuer, grant.subject):
            facts = {"expected": account.email, "signed_in": grant.email, "connection": attempt.repairs}
            raise SignInFailed(reason="wrong_account", **facts)
        with self._store.read() as unit:
            return unit.connections.find(attempt.repairs, user.tenant_id, user.user_id)

    def _note(self, attempt: AttemptRecord, outcome: str, kept: Kept | None = None) -> None:
        connection = kept.connection.public_id if kept else ""
        with self._store.write() as unit:
            unit.attempts.finish(attempt.id, outcome, connection)
            _audit(unit, attempt, outcome, connection)

    def attempt(self, user: OwnerProfile, public_id: str) -> AttemptRecord:
        """Return a sign-in of this person, for the page that waits for it.

        :raises Gone: it is not theirs, or was removed.
        """
        with self._store.read() as unit:
            found = unit.attempts.find(public_id, user.tenant_id, user.user_id)
        return found or _gone()


def hashed(secret: str) -> str:
    """Return the form in which a state or a binding is stored and compared."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _attempt_of(user: OwnerProfile, binding: str, **bound: Any) -> AttemptRecord:
    """Return an attempt bound to a person and their browser, without its sealed verifier."""
    return AttemptRecord(
        id=0,
        public_id=secrets.token_urlsafe(16),
        binding_hash=hashed(binding),
        tenant_id=user.tenant_id,
        user_id=user.user_id,
        verifier=b"",
        **bound,
    )


def _gone() -> NoReturn:
    raise Gone("There is no such sign-in.")


def _foreign(attempt: AttemptRecord, user: OwnerProfile, provider: str, redirect_uri: str, binding: str) -> str:
    """Return the first binding that does not hold, or ''."""
    held = {
        "provider": attempt.provider == provider,
        "redirect_uri": attempt.redirect_uri == redirect_uri,
        "tenant": attempt.tenant_id == user.tenant_id,
        "user": attempt.user_id == user.user_id,
        "browser": hmac.compare_digest(attempt.binding_hash, hashed(binding)),
    }
    return next((name for name, holds in held.items() if not holds), "")


def _audit(unit: UnitOfWork, attempt: AttemptRecord, outcome: str, connection: str) -> None:
    unit.audit.add(
        "reconnect" if attempt.repairs else "connect",
        actor=attempt.user_id,
        tenant_id=attempt.tenant_id,
        object=connection or attempt.public_id,
        after={"outcome": outcome, "provider": attempt.provider},
    )
