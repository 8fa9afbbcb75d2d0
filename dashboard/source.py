"""Which stores the dashboard was started with, which of them is looked at, and opening it."""

import os
import shlex
import sys
from collections import Counter
from pathlib import Path

import click
import streamlit as st

from dashboard.scope import Scope
from search.store import Store, open_to_read
from search.store.sqlite_file import Identity, identity
from search.store.url import display, is_sqlite, parse_url, sqlite_path
from space.errors import InputError

VARIABLE = "MIXSPACE_STORE"
LIST_VARIABLE = "MIXSPACE_STORES"
DEFAULT = "mixspace.db"
SCRIPT = "streamlit_app.py"


def given_stores() -> dict[str, str]:
    """The URLs of the stores that the dashboard was started with, by what people read.

    Those of `--store`, which may be given many times, else of MIXSPACE_STORES, written as a shell
    reads words, else that of MIXSPACE_STORE, else the one in the working directory. A visitor can
    look at no other.

    Raises:
        InputError: the command line or MIXSPACE_STORES cannot be read.
    """
    # Where Streamlit runs this dashboard, the arguments are those behind its own "--".
    arguments = sys.argv[1:] if Path(sys.argv[0]).name == SCRIPT else []
    urls = list(dict.fromkeys(_of_command_line(arguments) or _of_environment()))
    names = [_name(url) for url in urls]
    often = Counter(names)
    long = [shown(url) if often[name] > 1 else name for url, name in zip(urls, names, strict=True)]
    often = Counter(long)
    numbered = [
        f"{name} ({place})" if often[name] > 1 else name for place, name in enumerate(long, 1)
    ]
    return dict(zip(numbered, urls, strict=True))


@click.command("dashboard", add_help_option=False)
@click.option("--store", "stores", multiple=True, metavar="URL")
def _stores(stores: tuple[str, ...]) -> list[str]:
    return [url.strip() for url in stores]


def _of_command_line(arguments: list[str]) -> list[str]:
    try:
        found: list[str] = _stores.main(args=arguments, standalone_mode=False)
    except click.ClickException:
        # Without the words: they may hold a password.
        message = "write streamlit run dashboard -- --store URL --store URL"
        raise InputError.of("the command line", message) from None
    return found


def _of_environment() -> list[str]:
    try:
        several = shlex.split(os.environ.get(LIST_VARIABLE, ""))
    except ValueError as error:
        message = f"cannot be read as a shell reads words ({error})"
        raise InputError.of(LIST_VARIABLE, message) from None
    return several or [os.environ.get(VARIABLE) or DEFAULT]


def shown(url: str) -> str:
    """The store for people: no password, and no URL that cannot be read, as it may hold one."""
    try:
        parsed = parse_url(url)
    except InputError:
        return "a store URL that cannot be read"
    return str(sqlite_path(parsed)) if is_sqlite(parsed) else display(parsed)


def open_scope(url: str) -> Scope:
    """The whole store at `url`, to be read; it stays open between reruns.

    Raises:
        InputError: as `open_to_read` does.
    """
    path = _file(url)
    # Tells a file from another that has taken its place.
    file = None if path is None else identity(path)
    store = _opened(url, file)
    return Scope(store, f"{store.url} {file}", url=url)


def store_option(scope: Scope) -> str:
    """The option that names this store on a command line; "" where the default does.

    That of a server, which may need a password, is left to MIXSPACE_STORE.
    """
    path = _file(scope.store.url)
    if path is None or path == Path(DEFAULT).absolute():
        return ""
    return f" --store {shlex.quote(str(path))}"


def is_still_there(scope: Scope) -> bool:
    """Whether the store is the one that was opened: a file may be deleted or replaced meanwhile.

    What stays open keeps its blocks, so that a page would go on showing what is gone.
    """
    path = _file(scope.store.url)
    return path is None or scope.key == f"{scope.store.url} {identity(path)}"


@st.cache_resource(show_spinner=False, max_entries=8, on_release=lambda store: store.close())
def _opened(url: str, file: Identity | None) -> Store:
    return open_to_read(url)


def _file(url: str) -> Path | None:
    try:
        parsed = parse_url(url)
    except InputError:
        return None
    return sqlite_path(parsed) if is_sqlite(parsed) else None


def _name(url: str) -> str:
    """A file's name alone, as long as no other store has it."""
    path = _file(url)
    return shown(url) if path is None else path.name
