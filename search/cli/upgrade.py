"""`upgrade`: bring a store to the schema of this version."""

import click

from search.cli.options import store_option
from search.store import open_store


@click.command("upgrade")
@store_option()
def command(store: str) -> None:
    """Bring a store of an earlier version up to date, so that it can be looked at.

    `run`, `continue` and `repeat` do it by themselves, `best`, `show`, `studies` and the dashboard
    never do. Nothing is lost; the earlier version cannot read the store any more.

    \b
    Examples:
      python -m search upgrade
      python -m search upgrade --store postgresql://user@host/mixspace
    """
    with open_store(store, create=False) as opened:
        click.echo(f"{opened.url} is up to date.", err=True)
