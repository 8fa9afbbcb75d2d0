"""A user's own modules called like our packages: ours are taken, or the refusal names theirs."""

import shutil
from pathlib import Path

import pytest
import yaml

from search.own_packages import PACKAGES, ROOT, place_of_foreign
from search.ray_executor.connection import refuse_foreign_search
from search.store import open_store
from space.errors import InputError
from tests.search.small import values
from tests.support.streams import python

THEIRS = "raise RuntimeError(f'{__file__} was imported')\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with modules that are called as our packages are, but for `search`."""
    (tmp_path / "space.py").write_text(THEIRS)
    (tmp_path / "dashboard.py").write_text(THEIRS)
    (tmp_path / "trainers").mkdir()
    (tmp_path / "trainers" / "__init__.py").write_text(THEIRS)
    return tmp_path


@pytest.fixture
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What an installation makes of the entry point `mixspace`; it does not look where it is."""
    path = tmp_path_factory.mktemp("bin") / "mixspace"
    path.write_text("import sys\nfrom search.cli import main\nsys.exit(main())\n")
    return str(path)


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which ours come last, as from site-packages: behind PYTHONPATH."""
    place = tmp_path_factory.mktemp("site")
    for package in PACKAGES:
        (place / package).symlink_to(ROOT / package)
    return {"PYTHONPATH": str(place)}


def test_ours_are_taken_in_the_working_folder(folder: Path) -> None:
    for words in (["space", "zoo", "--json"], ["run", "no.yaml"]):
        ran = python("-m", "search", *words, cwd=folder)
        assert "was imported" not in ran.stderr.decode()
        assert ran.returncode == (0 if words[0] == "space" else 2), ran.stderr


def test_ours_are_taken_where_theirs_come_first_in_pythonpath(
    folder: Path, script: str, installed: dict[str, str]
) -> None:
    path = f"{folder}:{installed['PYTHONPATH']}"
    program = "import search, space.mixer, trainers.protocol, dashboard; print(space.__file__)"
    ran = python("-c", program, environment={"PYTHONPATH": path})
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.decode().strip()).resolve().is_relative_to(ROOT / "space")
    ran = python(script, "space", "zoo", "--json", environment={"PYTHONPATH": path})
    assert ran.returncode == 0, ran.stderr


def test_theirs_that_were_imported_before_are_named(tmp_path: Path) -> None:
    (tmp_path / "space.py").write_text("")
    ran = python("-c", "import space, search", cwd=tmp_path)
    last = ran.stderr.decode().splitlines()[-1]
    assert last.startswith(f"ImportError: {tmp_path / 'space.py'} was imported as 'space'")


def test_their_other_modules_are_found(folder: Path) -> None:
    (folder / "mine.py").write_text("import search.store\nprint('mine')\n")
    ran = python("-c", "import search, mine", cwd=folder)
    assert ran.stdout == b"mine\n", ran.stderr


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("nested", [False, True])
def test_a_module_is_foreign_where_it_is_not_ours(
    package: str, nested: bool, tmp_path: Path
) -> None:
    assert place_of_foreign(package, ROOT) is None
    assert place_of_foreign(package, tmp_path) is None
    file = tmp_path / package / "__init__.py" if nested else tmp_path / f"{package}.py"
    file.parent.mkdir(exist_ok=True)
    (file.parent / "data.csv").touch()
    assert place_of_foreign(package, tmp_path) is None
    file.touch()
    assert place_of_foreign(package, tmp_path) == file


def test_a_folder_of_data_is_no_module(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    refuse_foreign_search(tmp_path)
    ran = python("-m", "search", "space", "zoo", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_a_run_is_refused_where_workers_would_find_another_search(
    folder: Path, script: str
) -> None:
    (folder / "search.py").write_text(THEIRS)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(values(store="tiny.db")))
    ran = python(script, "run", "tiny.yaml", cwd=folder)
    assert ran.returncode == 2
    last = ran.stderr.decode().splitlines()[-1]
    assert last.startswith(f"error: working folder: Ray's workers would take {folder}/search.py")
    assert not (folder / "tiny.db").exists()
    with pytest.raises(InputError):
        refuse_foreign_search(folder)


def test_a_copy_of_this_program_is_not_foreign(tmp_path: Path) -> None:
    for package in ("space", "trainers", "search"):
        ignored = shutil.ignore_patterns("__pycache__", "*.gz", "*.pyc")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    refuse_foreign_search(tmp_path)
    changed = tmp_path / "trainers" / "protocol.py"
    changed.write_text(changed.read_text() + "\n")
    with pytest.raises(InputError, match=r"search/__init__\.py"):
        refuse_foreign_search(tmp_path)
    changed.unlink()
    with pytest.raises(InputError):
        refuse_foreign_search(tmp_path)


@pytest.mark.ray
@pytest.mark.slow
def test_workers_take_ours(folder: Path, installed: dict[str, str]) -> None:
    content = values(store="tiny.db", trials=1, resources={"concurrent_trials": 1})
    content["protocol"] |= {"epochs": 1}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    path = {"PYTHONPATH": f"{folder}:{installed['PYTHONPATH']}"}
    ran = python("-m", "search", "run", "tiny.yaml", environment=path, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    with open_store(str(folder / "tiny.db"), create=False) as store:
        (trial,) = store.trials.of_study(store.studies.get("tiny").id)
    assert trial.state == "complete"


@pytest.mark.thorough
def test_the_dashboard_takes_ours(folder: Path, installed: dict[str, str]) -> None:
    (folder / "search").mkdir()
    (folder / "search" / "__init__.py").write_text(THEIRS)
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        f"app = {str(ROOT / 'dashboard' / 'streamlit_app.py')!r}\n"
        "test = AppTest.from_file(app).run(timeout=60)\n"
        "assert not test.exception, test.exception\n"
        "print(test.title[0].value)"
    )
    path = {"PYTHONPATH": f"{folder}:{installed['PYTHONPATH']}"}
    ran = python("-c", program, environment=path, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
