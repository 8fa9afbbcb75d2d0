"""A package of somebody else brings a searcher and a scheduler: installed, held, run, shown."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from search.store import open_store
from search.testing import SchedulerSuite, SearcherSuite
from search.testing.registered_suite import RegisteredSuite
from tests.search.small import values

ROOT = Path(__file__).parents[2]

MODULE = '''
import statistics

import numpy as np
from pydantic import Field

from search.options import Options
from search.schedulers import CONTINUE, Decision, Scheduler
from search.searchers import Searcher


class Walk(Searcher):
    """Goes from neighbour to neighbour, some steps at a time."""

    class Options(Options):
        """Options of the walk.

        Attributes:
            steps: between two points.
        """

        steps: int = Field(default=1, ge=1, le=9)

    def __init__(self, task, seed, **options):
        super().__init__(task, seed, **options)
        self.told = {}

    def ask(self, attempt=0):
        rng = np.random.default_rng([self.seed, len(self.told), attempt])
        if not self.told:
            return self.task.space.sample(rng)
        point = next(reversed(self.told.values()))
        for _ in range(self.options.steps):
            near = list(self.task.space.neighbours(point)) or [point]
            point = near[int(rng.integers(len(near)))]
        return point

    def tell(self, point, observation):
        self.told.setdefault(self.task.space.key(point), point)


class FirstEpoch(Scheduler):
    """Stops after its first epoch who is worse than half of those before."""

    multi_objective = False

    def __init__(self, objectives, fidelities, **options):
        super().__init__(objectives, fidelities, **options)
        self.seen = {}

    def report(self, trial, epoch, values):
        late = epoch >= self.fidelities or trial in self.seen
        if late or not self.objectives.has(values):
            return CONTINUE
        before = list(self.seen.values())
        violation = self.objectives.violation(values)
        own = self.seen[trial] = (violation, 0 if violation else -self.objectives.vector(values)[0])
        if before and own > statistics.median_high(before):
            return Decision(stop=True, reason=f"half of {len(before)} were better")
        return CONTINUE


class Calm(FirstEpoch):
    """As that, after a grace, which may be left out."""

    class Options(Options):
        """Options of the calm one.

        Attributes:
            grace_epochs: no trial is stopped before that epoch.
        """

        grace_epochs: int | None = None

        def refusals(self, fidelities, called):
            if self.grace_epochs is None or self.grace_epochs < fidelities:
                return {}
            return {"grace_epochs": f"nothing is left of {called} ({fidelities})"}

    def report(self, trial, epoch, values):
        if epoch < (self.options.grace_epochs or 1):
            return CONTINUE
        return super().report(trial, epoch, values)


class Abstract(Searcher):
    pass


class Loose(Walk):
    Options = dict


NoSearcher = dict
'''
ENTRY_POINTS = """
[mixspace.searchers]
walk = walking:Walk
half = walking:Abstract
dict = walking:NoSearcher
gone = walking.gone:Walk
loose = walking:Loose
random = walking:Walk

[mixspace.schedulers]
first-epoch = walking:FirstEpoch
calm = walking:Calm
"""
ITS_TESTS = """
from search.testing import SchedulerSuite, SearcherSuite


class TestWalk(SearcherSuite):
    name = "walk"
    options = {"steps": 2}


class TestFirstEpoch(SchedulerSuite):
    name = "first-epoch"


class TestCalm(SchedulerSuite):
    name = "calm"
    variants = ({}, {"grace_epochs": 2})
"""
METADATA = "Metadata-Version: 2.1\nName: walking\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has put the package."""
    folder = tmp_path_factory.mktemp("plug-in")
    wheel = folder / "walking-1.0-py3-none-any.whl"
    files = {
        "walking.py": MODULE,
        "walking-1.0.dist-info/METADATA": METADATA,
        "walking-1.0.dist-info/WHEEL": WHEEL,
        "walking-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
    }
    record = "".join(f"{name},,\n" for name in [*files, "walking-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (files | {"walking-1.0.dist-info/RECORD": record}).items():
            archive.writestr(name, text)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*command, "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def python(
    installed: Path, *words: str, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """A program that has the package."""
    return subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])},
        cwd=installed if cwd is None else cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def run(installed: Path, code: str) -> str:
    """What a program prints that has the package."""
    done = python(installed, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.thorough
def test_its_own_tests_hold_it_to_the_published_suites(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_walking.py").write_text(ITS_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_walking.py")
    done = python(installed, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:]
    passed = int(re.findall(r"(\d+) passed", done.stdout)[0])
    suites = [*vars(SearcherSuite), *2 * [*vars(SchedulerSuite)], *3 * [*vars(RegisteredSuite)]]
    assert passed > sum(name.startswith("test_") for name in suites) > 25
    assert "skipped" not in done.stdout


@pytest.mark.thorough
def test_a_searcher_that_breaks_its_word_fails_them(installed: Path, tmp_path: Path) -> None:
    """With the values of what failed, though the suite is not a module of its tests."""
    text = """
from search.testing import SearcherSuite
from walking import Walk

class TestFickle(SearcherSuite):
    name = "walk"

    def make(self, task, seed):
        made = super().make(task, seed)
        steady = made.inner.ask
        made.inner.ask = lambda attempt=0: steady(next(turns))
        return made

turns = iter(range(100_000))
"""
    (tmp_path / "test_fickle.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    chosen = "lattice and (asking or same_seed or every_kind)"
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_fickle.py", "-k", chosen)
    done = python(installed, *words, cwd=tmp_path)
    assert done.returncode == 1, done.stdout[-5000:]
    assert "2 failed, 1 passed" in done.stdout
    assert "assert (" in done.stdout, "the points are shown"


IN_PROCESS = """
from search import optimize
from search.testing.toy_spaces import ToySpace

space = ToySpace()

def objective(point):
    for epoch in range(1, 4):
        yield space.value(point) * epoch / 3

result = optimize(space, objective, "walk", "first-epoch", 8, 1, fidelities=3,
                  searcher_options={"steps": 2})
print(*(each.state for each in result.evaluations))
print(len({each.point for each in result.evaluations}))
"""


def test_it_runs_in_this_process(installed: Path) -> None:
    states, distinct = run(installed, IN_PROCESS).splitlines()
    assert {*states.split()} == {"complete", "pruned"}
    assert len(states.split()) == 8
    assert distinct == "8", "it is wrapped so that it proposes nothing twice"


@pytest.fixture(scope="module")
def searched(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that was run as a person runs it, on Ray and with real trainings."""
    folder = tmp_path_factory.mktemp("search")
    content = values(
        store="tiny.db",
        trials=4,
        searcher={"name": "walk", "steps": 3},
        scheduler="first-epoch",
        resources={"concurrent_trials": 1},
    )
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    ran = python(installed, "-m", "search", "run", "tiny.yaml", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.thorough
@pytest.mark.ray
def test_it_runs_on_ray_and_stands_in_the_store(searched: Path) -> None:
    """A trial is stopped at the first of two epochs, for the reason that the scheduler gave."""
    with open_store(str(searched / "tiny.db"), create=False) as store:
        study = store.studies.get("tiny")
        trials = store.trials.of_study(study.id)
    assert (study.searcher, study.scheduler) == ("walk", "first-epoch")
    assert study.config["searcher"] == {"name": "walk", "steps": 3}
    assert [trial.origin for trial in trials] == ["walk"] * 4
    assert {str(trial.state) for trial in trials} <= {"complete", "pruned"}
    stopped = [trial.reason for trial in trials if trial.state == "pruned"]
    assert all("were better" in (reason or "") for reason in stopped)


@pytest.mark.thorough
@pytest.mark.ray
def test_its_study_is_not_gone_on_with_where_the_package_is_gone(searched: Path) -> None:
    done = python(ROOT, "-m", "search", "run", "tiny.yaml", "--resume", cwd=searched)
    assert done.returncode == 2
    assert "searcher.name: 'walk' is not allowed" in done.stderr


@pytest.mark.ray
@pytest.mark.thorough
def test_the_dashboard_shows_it_with_its_options(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the package is not installed, as here."""
    monkeypatch.setenv("MIXSPACE_STORE", str(searched / "tiny.db"))
    shown = AppTest.from_file(str(ROOT / "dashboard/streamlit_app.py"), default_timeout=60).run()
    shown = shown.switch_page("views/progress_view.py").run()
    assert not shown.exception
    said = "\n".join(caption.value for caption in shown.caption)
    assert "Searcher: walk (steps 3). Scheduler: first-epoch." in said


REFUSALS = """
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.errors import InputError

for chosen in ("half", "dict", "gone", "loose", {"name": "walk", "steps": 0},
               {"name": "walk", "colour": 1}, "wolk"):
    try:
        print(SEARCHERS.options(chosen))
    except InputError as error:
        print(error)
print(SEARCHERS.kind("random").__module__, SCHEDULERS.names[-1])
"""


LENGTHS = """
from search import optimize
from search.config import Config
from search.testing.toy_spaces import ToySpace
from space.errors import InputError
from tests.search.small import values

print(Config.from_dict(values(scheduler="calm")).scheduler)
try:
    Config.from_dict(values(scheduler={"name": "calm", "grace_epochs": 2}))
except InputError as error:
    print(error)
try:
    optimize(ToySpace(), print, "random", "calm", fidelities=3,
             scheduler_options={"grace_epochs": 3})
except InputError as error:
    print(error)
"""


def test_its_options_are_judged_by_itself_beside_the_length_of_a_training(installed: Path) -> None:
    """Also one that is called as one of ours, and means something of its own."""
    read, config, in_process = run(installed, LENGTHS).splitlines()
    assert read == "name='calm' grace_epochs=None"
    assert config == "scheduler.grace_epochs: nothing is left of protocol.epochs (2)"
    assert in_process == "scheduler.grace_epochs: nothing is left of fidelities (3)"


NO_OPTIONS = "Loose.Options is no subclass of search.options.Options"


def test_what_cannot_be_used_is_refused_by_name(installed: Path) -> None:
    half, no_class, gone, loose, *options, near, others = run(installed, REFUSALS).splitlines()
    whose = "of the package walking cannot be"
    assert half == f"name: 'half' {whose} used: Abstract does not define ask, tell"
    assert no_class.startswith(f"name: 'dict' {whose} used: <class 'dict'> is no subclass of")
    assert gone.startswith(f"name: 'gone' {whose} loaded: ModuleNotFoundError")
    assert loose == f"name: 'loose' {whose} used: {NO_OPTIONS}"
    assert options == [
        "steps: must be at least 1; got 0",
        "colour: unknown option of 'walk'; allowed: steps",
    ]
    assert "'walk'; did you mean 'walk'?" in near
    assert others == "search.searchers.random_search first-epoch", "ours cannot be replaced"


def test_it_is_listed_with_its_options(installed: Path) -> None:
    """Among ours; what cannot be used is listed with the reason, and keeps nothing else away."""
    done = python(installed, "-m", "search", "methods", "--json")
    assert done.returncode == 0, done.stderr
    found = {(each["kind"], each["name"]): each for each in json.loads(done.stdout)}
    walk = found["searcher", "walk"]
    assert (walk["package"], walk["multi_objective"], walk["problem"]) == ("walking", True, None)
    assert walk["words"] == "Goes from neighbour to neighbour, some steps at a time."
    (steps,) = walk["options"]
    assert (steps["default"], steps["allowed"]) == (1, "whole number, 1 to 9")
    assert steps["words"] == "between two points."
    assert found["scheduler", "calm"]["options"][0]["allowed"] == "whole number, or null"
    assert found["searcher", "loose"]["problem"].endswith(NO_OPTIONS)
    assert found["searcher", "random"]["package"] is None
    shown = python(installed, "-m", "search", "methods").stdout
    words = " ".join(shown.split())
    assert re.search(r"walk Goes from neighbour .*? \[objectives: any; package: walking\]", words)
    assert re.search(r"half 'half' of the package walking cannot be used: .*? tell \[pack", words)


IGNORED = "The searcher random of the package walking is ignored: mixspace has one of that name.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [([], IGNORED), (["--json"], IGNORED), (["random"], IGNORED), (["walk"], "In a config")],
)
def test_what_has_the_name_of_one_of_ours_is_said_to_be_ignored(
    installed: Path, words: list[str], said: str
) -> None:
    done = python(installed, "-m", "search", "methods", *words)
    assert (done.returncode, done.stderr[: len(said)]) == (0, said)


CHOSEN = """
from search import optimize
from search.searchers import SEARCHERS
from search.testing.toy_spaces import ToySpace

for name in ("tpe", "random", "random"):
    {}
"""


@pytest.mark.parametrize(
    "choice", ["SEARCHERS.options(name)", "optimize(ToySpace(), lambda point: 1.0, name, budget=1)"]
)
def test_whoever_chooses_that_name_hears_of_it_once(installed: Path, choice: str) -> None:
    done = python(installed, "-c", CHOSEN.format(choice))
    assert (done.returncode, done.stderr) == (0, IGNORED)


def test_the_options_of_what_cannot_be_used_are_refused(installed: Path) -> None:
    done = python(installed, "-m", "search", "methods", "gone")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: name: 'gone' of the package walking cannot be loaded")
