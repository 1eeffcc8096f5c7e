"""The command line. Commands are imported on demand, so that reading a picture needs no web framework."""

import errno
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "approve": "mnistweb.cli.moderation",
    "backup": "mnistweb.cli.backup",
    "clean-pictures": "mnistweb.cli.database",
    "data": "mnistweb.cli.data",
    "evaluate": "mnistweb.cli.training",
    "hide": "mnistweb.cli.moderation",
    "migrate": "mnistweb.cli.database",
    "models": "mnistweb.cli.models",
    "predict": "mnistweb.cli.recognition",
    "prune": "mnistweb.cli.database",
    "recount": "mnistweb.cli.database",
    "restore": "mnistweb.cli.backup",
    "retrain": "mnistweb.cli.retraining",
    "review": "mnistweb.cli.review",
    "serve": "mnistweb.cli.serve",
    "settings": "mnistweb.cli.settings",
    "train": "mnistweb.cli.training",
    "unhide": "mnistweb.cli.moderation",
}
TRAIN_EXTRA = {"HersheyFonts", "scipy", "torchvision", "tqdm"}


class LazyGroup(click.Group):
    """A group that knows its commands' modules by name, and imports one when it is called.

    The module has a function of the command's name, with underscores. A file that cannot be read or written
    ends the command with one line.
    """

    def __init__(self, *arguments: Any, modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None. A missing extra gives a command that says so."""
        if cmd_name not in self._modules:
            return None
        try:
            module = import_module(self._modules[cmd_name])
        except ModuleNotFoundError as error:
            if error.name not in TRAIN_EXTRA:
                raise
            return _missing_extra(cmd_name, ctx.command_path, error.name)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises ClickException in place of an OSError."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads the output any more, which click ends quietly
                raise
            named = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise click.ClickException(named) from None


def _missing_extra(name: str, group: str, module: str) -> click.Command:
    sentence = f'"{group} {name}" needs {module}: install it with pip install "mnistweb[train]".'

    # --help lists all commands, so the error is raised only when this one is called.
    @click.command(name, short_help=sentence, context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1)
    def command(arguments: tuple[str, ...]) -> None:  # noqa: ARG001
        raise click.ClickException(sentence)

    return command


@click.group(cls=LazyGroup, modules=COMMANDS)
@click.version_option(package_name="mnistweb")
def main() -> None:
    """Recognize hand-drawn digits: read pictures, train and evaluate networks, prepare the database."""
