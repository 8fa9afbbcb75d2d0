"""Store URLs: what a person may write, and how it is shown without its password."""

from pathlib import Path
from urllib.parse import quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from space.errors import InputError

WHERE = "store"
_ALLOWED = 'a file such as "mixspace.db", "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"'
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_SECRET_OPTIONS = ("password", "sslpassword")
_MASK = "***"


def parse_url(text: str) -> URL:
    """The SQLAlchemy URL of what a person wrote, with the driver named.

    Raises:
        InputError: not a store URL; the message shows no part that may hold a password.
    """
    text = text.strip()
    if not text:
        raise InputError.of(WHERE, f"empty; allowed is {_ALLOWED}")
    if "://" not in text:
        return _sqlite(URL.create("sqlite", database=text))
    scheme = text.split("://", 1)[0]
    if scheme not in _DRIVERS:
        raise InputError.of(WHERE, f"unknown scheme {scheme!r}; allowed is {_ALLOWED}")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InputError.of(
            WHERE, f"this {scheme} URL cannot be read; allowed is {_ALLOWED}"
        ) from None
    url = url.set(drivername=_DRIVERS[scheme])
    return _sqlite(url) if is_sqlite(url) else _postgresql(url)


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
    shown = {key: _MASK for key in url.query if key in _SECRET_OPTIONS}
    url = url.set(drivername="postgresql").update_query_dict(shown)
    return url.render_as_string(hide_password=True).replace(quote_plus(_MASK), _MASK)


def scrub(text: str, url: URL) -> str:
    """The text without the URL's passwords, plain or as they stand in a URL."""
    for secret in secrets(url):
        text = text.replace(secret, _MASK)
    return text


def secrets(url: URL) -> list[str]:
    """Every spelling of every password in the URL, longest first."""
    found: set[str] = set()
    plain = [url.password, *(url.query.get(option) for option in _SECRET_OPTIONS)]
    for value in plain:
        for secret in (value,) if isinstance(value, str) else value or ():
            escaped = URL.create("x", username="u", password=secret).render_as_string(False)
            found |= {secret, escaped.removeprefix("x://u:").removesuffix("@"), repr(secret)[1:-1]}
    return sorted(found - {""}, key=len, reverse=True)


def _sqlite(url: URL) -> URL:
    if url.host or url.username or url.password:
        raise InputError.of(
            WHERE, "an SQLite URL has three slashes and then the file: sqlite:///FILE"
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError.of(WHERE, f"a store in memory would be lost; allowed is {_ALLOWED}")
    if url.query:
        options = ", ".join(url.query)
        raise InputError.of(WHERE, f"an SQLite URL takes no options, got {options}")
    return url.set(
        drivername="sqlite+pysqlite", database=str(Path(url.database).expanduser().absolute())
    )


def _postgresql(url: URL) -> URL:
    # Behind the first "@" may stand the rest of a password, so the URL must not be shown.
    if "@" in (url.host or "") or "@" in (url.database or ""):
        raise InputError.of(
            WHERE, "this postgresql URL has more than one '@'; write '@' as %40 in a password"
        )
    if not url.database:
        raise InputError.of(
            WHERE, f"the URL {display(url)} names no database; allowed is {_ALLOWED}"
        )
    return url
