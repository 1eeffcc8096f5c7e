"""`mnistweb data`: data sets made of the drawings, and drawings of other sites."""

import click

from mnistweb.cli.data.exporting import export
from mnistweb.cli.data.forgetting import forget
from mnistweb.cli.data.importing import import_
from mnistweb.cli.data.statistics import stats


@click.group()
def data() -> None:
    """Make data sets of the drawings, and bring drawings of other sites."""


for _command in (export, import_, stats, forget):
    data.add_command(_command)
