"""L14: a disconnect is a state; the grant ends at the provider only when nobody else uses it, the row comes last."""

from __future__ import annotations

from sqlalchemy import Engine, select

from calendar_ext.persistence.tables import Account, Credential, Event
from calendar_ext.persistence.unit_of_work import SqlStore

from .rows import account as insert_account
from .story import MIRA, Story


def status(engine: Engine, key: int) -> str:
    with engine.connect() as connection:
        return connection.execute(select(Account.status).where(Account.id == key)).scalar_one()


def test_L14_a_disconnect_is_a_state_that_the_next_run_carries_out(store: SqlStore, engine: Engine) -> None:
    story = Story(store)
    story.put("theirs")
    story.connect()
    story.run()
    story.tending.disconnect(MIRA, story.connection, remove_here=True, remove_there=False)
    assert status(engine, story.account) == "disconnecting"
    assert not story.world.revoked
    story.run()
    assert status(engine, story.account) == "disconnected"
    assert story.world.revoked
    with engine.connect() as connection:
        assert connection.execute(select(Credential.id)).all() == []
        assert connection.execute(select(Event.id).where(Event.deleted_at.is_(None))).all() == []


def test_L14_a_grant_that_another_organisation_uses_goes_on(store: SqlStore, engine: Engine) -> None:
    story = Story(store)
    story.connect()
    with store.read() as unit:
        mine = unit.accounts.get(story.account)
    insert_account(engine, number=9, tenant_id="t2", provider=mine.provider, issuer=mine.issuer, subject=mine.subject)
    story.tending.disconnect(MIRA, story.connection, remove_here=False, remove_there=False)
    story.run()
    assert status(engine, story.account) == "disconnected"
    assert not story.world.revoked
