import shutil
from pathlib import Path

import pytest
import yaml

from search.store import open_store
from tests.search.small import values
from tests.search.test_session import begin, config, run_all


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a finished study of five trials, which takes long to play."""
    folder = tmp_path_factory.mktemp("finished")
    with open_store(str(folder / "tiny.db"), create=True) as opened:
        session = begin(opened, config(folder, initial=["named"]))
        run_all(session)
        opened.runs.end(opened.runs.of_study(session.record.id)[0].id, "the run ended")
    return folder / "tiny.db"


@pytest.fixture
def store(tmp_path: Path, finished: Path) -> str:
    """The same, for a single test."""
    return str(shutil.copy(finished, tmp_path))


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    content = values(store=str(tmp_path / "new.db"), checkpoints=str(tmp_path / "checkpoints"))
    path.write_text(yaml.safe_dump(content))
    return str(path)
