"""Alembic's door. `persistence/schema.py` hands over the connection, inside the transaction that holds the lock."""

from __future__ import annotations

from alembic import context

from calendar_ext.persistence.schema import COMPARE
from calendar_ext.persistence.tables import Installation

ATTRIBUTES = context.config.attributes
METADATA = Installation.metadata


def main() -> None:
    """Run the revisions on the given connection, or print their SQL for the given dialect."""
    if context.is_offline_mode():
        context.configure(dialect_name=ATTRIBUTES["dialect"], target_metadata=METADATA, literal_binds=True, **COMPARE)
    else:
        connection = ATTRIBUTES["connection"]
        batch = connection.dialect.name == "sqlite"  # it cannot alter a column in place
        context.configure(connection=connection, target_metadata=METADATA, render_as_batch=batch, **COMPARE)
    with context.begin_transaction():
        context.run_migrations()


main()
