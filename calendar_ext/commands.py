"""`flask calendar …`: for hosts without a marketplace page, for operators, for cron. Thin: the services do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from .errors import CalendarExtError
from .jobs.apscheduler import ApschedulerEngine
from .jobs.serving import run_until_stopped, tick_once
from .persistence.vault import new_key
from .services import terms

if TYPE_CHECKING:
    from .bootstrap import Parts
    from .contract import OperationResult

calendar_commands = AppGroup("calendar", help="Calendar synchronization.")
db_commands = AppGroup("db", help="Our tables: separate from the host's migrations.")
key_commands = AppGroup("keys", help="Keys that stored sign-ins are sealed with.")
calendar_commands.add_command(db_commands)
calendar_commands.add_command(key_commands)


def _parts() -> Parts:
    return current_app.extensions[terms.ID]


def _tell(result: OperationResult, done: str) -> None:
    """Print what happened; an operation that changed nothing ends the command with status 1."""
    if not result.ok:
        raise click.ClickException(result.message)
    for line in (result.message or done, *result.notes, *(f"{name}: {fact}" for name, fact in result.details.items())):
        click.echo(line)


@calendar_commands.command()
@click.option("--yes", is_flag=True, help="Agree to what Calendar asks for.")
def install(yes: bool) -> None:
    """Make the tables."""
    if not yes:
        click.echo("Calendar asks for: " + ", ".join(terms.PERMISSIONS))
        click.confirm("Agree?", abort=True)
    accepted = (*terms.PERMISSIONS, *terms.OPTIONAL_PERMISSIONS)
    _tell(_parts().lifecycle.install(actor_id=None, accepted_permissions=accepted), "Calendar is installed.")


@calendar_commands.command()
@click.option("--scheduler/--no-scheduler", default=None, help="Booking links.")
@click.option("--accept-fees", is_flag=True, help="Agree that additional monthly fees may apply.")
@click.option("--tell-colleagues", is_flag=True, help="Mail everybody who may connect a calendar.")
def activate(scheduler: bool | None, accept_fees: bool, tell_colleagues: bool) -> None:
    """Switch on, in every running process."""
    chosen = {} if scheduler is None else {"scheduler_active": scheduler}
    options = {**chosen, "accept_fees": accept_fees, "tell_colleagues": tell_colleagues}
    _tell(_parts().lifecycle.activate(actor_id=None, options=options), "Calendar is active.")


@calendar_commands.command()
def deactivate() -> None:
    """Switch off, in every running process; nothing is deleted."""
    _tell(_parts().lifecycle.deactivate(actor_id=None), "Calendar is not active any more. Nothing was deleted.")


@calendar_commands.command()
@click.option("--data", type=click.Choice(["keep", "export_then_delete", "delete"]), default="keep", show_default=True)
@click.confirmation_option(prompt="All connections stop and their sign-ins are revoked. Go on?")
def uninstall(data: str) -> None:
    """Revoke every sign-in, then keep, export or delete what was stored."""
    _tell(_parts().lifecycle.uninstall(actor_id=None, data=data), "Calendar is uninstalled.")


@calendar_commands.command()
@click.confirmation_option(prompt="What the uninstall kept is deleted for good. Go on?")
def purge() -> None:
    """Delete what an uninstall kept."""
    _tell(_parts().lifecycle.purge(actor_id=None), "Nothing of Calendar is left in the database.")


@calendar_commands.command()
def doctor() -> None:
    """Say what is set up unsafely or not at all; status 1 if there is anything but advice."""
    parts = _parts()
    found = list(parts.checks.findings())
    for question in (parts.vault.ready, _tables_are_current):
        try:
            question()
        except CalendarExtError as error:
            found.append(str(error))
    for sentence in found:
        click.echo(f"- {sentence}")
    if any(not sentence.startswith("Advice") for sentence in found):
        raise click.exceptions.Exit(1)
    click.echo("Nothing stands against Calendar here.")


def _tables_are_current() -> None:
    schema = _parts().schema
    if schema.current() != schema.head():
        raise CalendarExtError("The tables are not those of this version: `flask calendar db current`.")


@calendar_commands.command()
@click.option("--worker", is_flag=True, help="Run accounts although another process leads (PostgreSQL).")
def run(worker: bool) -> None:
    """Do the background work in the foreground, until SIGTERM."""
    parts = _parts()
    engine = parts.engine if isinstance(parts.engine, ApschedulerEngine) else ApschedulerEngine(parts.tasks)
    run_until_stopped(engine, worker=worker, ready=lambda: click.echo("Background work has begun."))


@calendar_commands.command()
def tick() -> None:
    """Do what is due now, once."""
    click.echo(f"{tick_once(_parts().tasks)} accounts were run.")


@db_commands.command()
def upgrade() -> None:
    """Bring the tables to this version."""
    schema = _parts().schema
    schema.upgrade()
    click.echo(schema.current())


@db_commands.command()
def current() -> None:
    """Print the revision of the tables, and the newest one."""
    schema = _parts().schema
    click.echo(f"{schema.current() or 'none'} (newest: {schema.head()})")


@db_commands.command()
def check() -> None:
    """Compare the tables with what this version expects; status 1 if they differ."""
    differences = _parts().schema.drift()
    for difference in differences:
        click.echo(f"- {difference}")
    if differences:
        raise click.exceptions.Exit(1)
    click.echo("The tables are what they should be.")


@db_commands.command()
@click.option("--dialect", type=click.Choice(["sqlite", "postgresql"]), help="Default: the host's own.")
def sql(dialect: str | None) -> None:
    """Print the statements that make the tables, to be run by hand."""
    click.echo(_parts().schema.sql(dialect))


@key_commands.command()
def new() -> None:
    """Print a fresh key for CALENDAR_EXT_ENCRYPTION_KEYS; put it first and keep the older ones behind it."""
    click.echo(new_key())
