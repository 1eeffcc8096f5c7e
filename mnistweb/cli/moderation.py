"""`mnistweb hide`, `unhide` and `approve`: the operator decides what the public sees."""

import re
import uuid
from collections.abc import Callable, Collection

import click

from mnistweb.cli.database import on_database
from mnistweb.database.models import Review
from mnistweb.predictions import moderation

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def drawing_id(text: str) -> uuid.UUID:
    """Find the id of a drawing in a text: the id itself, or an address that contains it."""
    found = UUID.findall(text)
    if len(found) != 1:
        raise click.BadParameter(f'"{text}" is neither the id of a drawing nor the address of its page.')
    return uuid.UUID(found[0])


IDS = click.argument("ids", type=drawing_id, nargs=-1, required=True)


@click.command()
@IDS
def hide(ids: tuple[uuid.UUID, ...]) -> None:
    """Hide drawings from everyone but their authors.

    IDS are the ids in the addresses of drawings, or whole addresses. Authors see that theirs was hidden.
    """
    _change(ids, lambda given: moderation.set_review(given, Review.HIDDEN), "hidden", "There is no drawing")


@click.command()
@IDS
def unhide(ids: tuple[uuid.UUID, ...]) -> None:
    """Take back that drawings are hidden.

    With PUBLIC_HISTORY "reviewed" they stay private until they are approved.
    """
    _change(ids, moderation.unhide, "no longer hidden", "There is no hidden drawing")


@click.command()
@IDS
def approve(ids: tuple[uuid.UUID, ...]) -> None:
    """Make drawings public where PUBLIC_HISTORY is "reviewed", hidden ones included."""
    _change(
        ids, lambda given: moderation.set_review(given, Review.APPROVED), "approved", "There is no drawing"
    )


def _change(
    ids: Collection[uuid.UUID],
    change: Callable[[Collection[uuid.UUID]], set[uuid.UUID]],
    done: str,
    missing: str,
) -> None:
    """Change the drawings that exist, and report. Raises ClickException that names the others."""
    with on_database():
        changed = change(ids)
    if changed:
        click.echo(f"{len(changed)} drawing{'s are' if len(changed) > 1 else ' is'} {done}.")
    if others := sorted(map(str, {*ids} - changed)):
        raise click.ClickException(f"{missing} {', '.join(others)}.")
