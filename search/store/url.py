"""Store URLs: what a person may write, and how it is shown without its password."""

import os
import re
from pathlib import Path
from urllib.parse import quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from space import passwords
from space.errors import InputError
from space.input.paths import given_path
from space.passwords import MASK, SECRET_NAME, is_secret

WHERE = "store"
_ALLOWED = 'a file such as "mixspace.db", "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"'
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_SHORT = 4
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9.+-]{0,39}")
# What a person may have meant for a URL holds a password, which a file's name would show.
_LIKE_A_URL = re.compile(
    r":.*(@|%40)"
    r"|://"
    r"|^/*(jdbc|sqlite|postgres|postgresql|mysql|mariadb|mssql|oracle|mongodb|redis|cockroachdb)"
    r"[\w+]*(:|//)"
    rf"|(^|[\s?&;]){SECRET_NAME}\s*=",
    re.IGNORECASE | re.DOTALL,
)


def parse_url(text: str | os.PathLike[str]) -> URL:
    """The SQLAlchemy URL of what a person wrote, with the driver named.

    Raises:
        InputError: not a store URL; the message shows no part that may hold a password.
    """
    text = os.fspath(text).strip()
    if not text:
        raise InputError.of(WHERE, f"empty; allowed is {_ALLOWED}")
    if "\0" in text or not _is_unicode(text):
        raise InputError.of(
            WHERE, f"holds a NUL, or bytes that are no UTF-8; allowed is {_ALLOWED}"
        )
    if "://" not in text:
        return _sqlite(URL.create("sqlite", database=text), text)
    scheme, _, rest = text.partition("://")
    if scheme not in _DRIVERS:
        named = f" {scheme!r}" if _SCHEME.fullmatch(scheme) else ""
        raise InputError.of(WHERE, f"unknown scheme{named}; allowed is {_ALLOWED}")
    # Behind the first "@" may stand the rest of a password, so the URL must not be shown.
    if _DRIVERS[scheme].startswith("postgresql") and text.count("@") > 1:
        raise InputError.of(
            WHERE, "this postgresql URL has more than one '@'; write '@' as %40 in a password"
        )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InputError.of(
            WHERE, f"this {scheme} URL cannot be read; allowed is {_ALLOWED}"
        ) from None
    url = url.set(drivername=_DRIVERS[scheme])
    if not is_sqlite(url):
        return _postgresql(url)
    if "?" in rest:
        raise InputError.of(
            WHERE,
            "an SQLite URL takes no options; a file with '?' in its name is given by its path "
            "alone, without sqlite:///",
        )
    return _sqlite(url, rest)


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8; bytes of an argument that could not be read cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_sqlite(url: URL) -> bool:
    """Whether the URL names an SQLite file."""
    return url.get_backend_name() == "sqlite"


def sqlite_path(url: URL) -> Path:
    """The file that an SQLite URL names."""
    return Path(url.database or "")


def display(url: URL) -> str:
    """The URL for people: no password, no driver."""
    if is_sqlite(url):
        return f"sqlite:///{url.database}"
    shown = {key: MASK for key in url.query if is_secret(key)}
    url = url.set(drivername="postgresql").update_query_dict(shown)
    return url.render_as_string(hide_password=True).replace(quote_plus(MASK), MASK)


def scrub(text: str, url: URL) -> str:
    """The text without the URL's passwords, plain or as they stand in a URL."""
    for secret in secrets(url):
        # A few letters stand in many words, and taking them out there would tell what they are.
        alone = r"(?<=[:='\"])%s(?=[@&'\"]|$)" if len(secret) < _SHORT else "%s"
        text = re.sub(alone % re.escape(secret), MASK, text)
    return text


def masked(text: str) -> str:
    """A text that may quote a store's URL, well written or not, without what may be a password.

    For messages about input that was refused before it was read as a URL.
    """
    return _ALLOWED.join(passwords.masked(part) for part in text.split(_ALLOWED))


def secrets(url: URL) -> list[str]:
    """Every spelling of every password in the URL, longest first."""
    found: set[str] = set()
    plain = [url.password, *(value for option, value in url.query.items() if is_secret(option))]
    for value in plain:
        for secret in (value,) if isinstance(value, str) else value or ():
            escaped = URL.create("x", username="u", password=secret).render_as_string(False)
            found |= {secret, escaped.removeprefix("x://u:").removesuffix("@"), repr(secret)[1:-1]}
    return sorted(found - {""}, key=len, reverse=True)


def _sqlite(url: URL, written: str) -> URL:
    if url.host or url.username or url.password:
        raise InputError.of(
            WHERE, "an SQLite URL has three slashes and then the file: sqlite:///FILE"
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError.of(WHERE, f"a store in memory would be lost; allowed is {_ALLOWED}")
    if _LIKE_A_URL.search(written):
        raise InputError.of(
            WHERE,
            "looks like the URL of a server, which may hold a password, written in another way "
            f"than its own, so it is not shown; allowed is {_ALLOWED}",
        )
    path = given_path(url.database, WHERE).absolute()
    if not _is_unicode(str(path)):
        raise InputError.of(WHERE, "the working folder's name is no UTF-8, which SQLite asks for")
    return url.set(drivername="sqlite+pysqlite", database=str(path))


def _postgresql(url: URL) -> URL:
    if not url.database:
        raise InputError.of(
            WHERE, f"the URL {display(url)} names no database; allowed is {_ALLOWED}"
        )
    try:
        url.get_dialect()().create_connect_args(url)
    except (ArgumentError, ValueError):
        raise InputError.of(
            WHERE, "the options of this postgresql URL cannot be read: see its host and port"
        ) from None
    return url
