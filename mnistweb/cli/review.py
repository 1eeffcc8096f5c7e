"""`mnistweb review`: the password of the review."""

import click
from werkzeug.security import generate_password_hash

SHORTEST = 12
"""Characters of a password."""


@click.group()
def review() -> None:
    """Set up the review, in which operators decide what drawings are."""


@review.command()
def password() -> None:
    """Ask for a new password, and write the line for `.env` that holds its hash.

    The site reads it when it starts. All logins with the former password end.
    """
    chosen = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    if len(chosen) < SHORTEST:
        raise click.ClickException(f"A password has {SHORTEST} characters or more.")
    # Shells and Docker Compose would replace what follows a dollar sign.
    written = generate_password_hash(chosen, "scrypt").replace("$", "/")
    click.echo(f"REVIEW_PASSWORD_HASH={written}")
