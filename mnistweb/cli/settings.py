"""`mnistweb settings`: generate docs/configuration.md and .env.example from the declarations."""

import re
import textwrap

import click

from mnistweb.settings.declarations import COMPOSE, GROUPS, PACKAGE, Group, Setting
from mnistweb.settings.kinds import ANY, NOT_EMPTY, TWO_NUMBERS

LINE_WIDTH = 118
# Kinds that .env.example does not repeat, since the descriptions of settings and groups name them.
OBVIOUS = (ANY, NOT_EMPTY, TWO_NUMBERS)

PAGE = """\
# Configuration

Settings come from the environment or from a file `.env` in the checkout; the environment wins.
A value outside its range stops the start, and the message names its key.

`make docs` writes this page and [.env.example](../.env.example) from the declarations in
`mnistweb/settings/declarations.py`.
"""
EXAMPLE = """\
# Copy this file to .env and change what you need. Variables of the environment win over it.
# Brackets hold the accepted values.
# Made by `make docs` from mnistweb/settings/declarations.py.
"""


@click.command()
@click.option("--markdown", "form", flag_value="markdown", default=True, help="As docs/configuration.md.")
@click.option("--env", "form", flag_value="env", help="As .env.example.")
def settings(form: str) -> None:
    """Print all settings with their defaults, ranges and descriptions."""
    write = _env if form == "env" else _markdown
    click.echo(
        "\n".join([PAGE if form == "markdown" else EXAMPLE, *map(write, [*GROUPS, COMPOSE])]), nl=False
    )


def _markdown(group: Group) -> str:
    linked = re.sub(r"docs/(\S+/)?(\w+)\.md", r"[\2](\1\2.md)", group.introduction)
    introduction = textwrap.fill(linked, LINE_WIDTH, break_on_hyphens=False)
    rows = [
        f"| `{setting.key}` | {_shown_default(setting)} | {setting.kind.accepts} | {setting.description} |"
        for setting in group.settings
    ]
    head = ["| key | default | must be | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {group.title}", "", introduction, "", *head, *rows, ""])


def _shown_default(setting: Setting) -> str:
    return f"`{_default(setting)}`" if setting.default else f"empty: {setting.empty}"


def _default(setting: Setting) -> str:
    """Return the default as a user writes it: a path in the checkout is relative to it."""
    return setting.default.removeprefix(f"{PACKAGE.parent}/")


def _env(group: Group) -> str:
    lines = [_comment(f"--- {group.title}: {group.introduction}")]
    for setting in group.settings:
        accepts = "" if setting.kind in OBVIOUS else f" [{setting.kind.accepts}]"
        empty = f" Empty: {setting.empty}." if setting.empty else ""
        lines += [
            "",
            _comment(f"{setting.description}{empty}{accepts}"),
            f"#{setting.key}={_default(setting) or setting.example}",
        ]
    return "\n".join([*lines, ""])


def _comment(text: str) -> str:
    plain = text.replace("`", "")
    return textwrap.fill(
        plain, LINE_WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
