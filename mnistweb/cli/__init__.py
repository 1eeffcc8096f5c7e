"""The command line. Each command is imported when it is called: reading a picture needs no web framework."""

from importlib import import_module

import click

COMMANDS = {
    "evaluate": "mnistweb.cli.training",
    "migrate": "mnistweb.cli.database",
    "models": "mnistweb.cli.recognition",
    "predict": "mnistweb.cli.recognition",
    "recount": "mnistweb.cli.database",
    "serve": "mnistweb.cli.serve",
    "settings": "mnistweb.cli.settings",
    "train": "mnistweb.cli.training",
}
TRAIN_EXTRA = {"HersheyFonts", "matplotlib", "torchvision", "tqdm"}


class LazyGroup(click.Group):
    """A group that knows its commands by name, and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of the commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, None where there is none. Raises ClickException without its extra."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = import_module(COMMANDS[cmd_name])
        except ModuleNotFoundError as error:
            if error.name not in TRAIN_EXTRA:
                raise
            return _missing_extra(cmd_name, error.name)
        command: click.Command = getattr(module, cmd_name)
        return command


def _missing_extra(name: str, module: str) -> click.Command:
    sentence = f'"mnistweb {name}" needs {module}: install it with pip install "mnistweb[train]".'

    # Help lists all commands, so the sentence waits until this one is called.
    @click.command(name, short_help=sentence, context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1)
    def command(arguments: tuple[str, ...]) -> None:  # noqa: ARG001
        raise click.ClickException(sentence)

    return command


@click.group(cls=LazyGroup)
@click.version_option(package_name="mnistweb")
def main() -> None:
    """Recognize hand-drawn digits: read pictures, train and evaluate networks, prepare the database."""
