"""`dashboard`: the server of the pages, from wherever the package is installed."""

import os
import shlex
import sys

import click

from search.next_steps import STORE_VARIABLE
from search.own_packages import ROOT

_STORES = f"{STORE_VARIABLE}S"


@click.command("dashboard")
@click.option(
    "--store",
    "stores",
    multiple=True,
    metavar="URL",
    help="A store to look at: a file, sqlite:///FILE or postgresql://USER@HOST/DATABASE. May be "
    f"given many times. Taken from {_STORES} or {STORE_VARIABLE} if not given, else mixspace.db.",
)
@click.argument("arguments", nargs=-1, metavar="[-- OPTIONS OF STREAMLIT]")
def command(stores: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Look at studies in a browser of this machine, until Ctrl-C.

    \b
    Examples:
      python -m search dashboard
      python -m search dashboard --store mixspace.db --store other.db
      python -m search dashboard -- --server.port 8600

    What comes behind -- is for Streamlit. Looking changes nothing, and nobody else may look: README
    says how others may.
    """
    if stores:
        # Not by the command line, which every user of a machine can read: it may be a password.
        os.environ[_STORES] = shlex.join(stores)
    # It would ask for an address of mail, and open a browser where a person may be far away.
    os.environ.setdefault("STREAMLIT_SERVER_HEADLESS", "true")
    sys.stdout.flush()
    # -P: in the working folder there may be a module of the user's by any name that Streamlit uses.
    words = ["-P", "-m", "streamlit", "run", str(ROOT / "dashboard"), *arguments]
    os.execv(sys.executable, [sys.executable, *words])
