"""A package of somebody else brings a searcher and a scheduler: installed, chosen, run."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODULE = '''
from pydantic import Field

from search.options import Options
from search.schedulers import CONTINUE, Decision, Scheduler
from search.searchers import Searcher


class Walk(Searcher):
    """Goes from neighbour to neighbour, some steps at a time."""

    class Options(Options):
        """Options of the walk: `steps` between two points."""

        steps: int = Field(default=1, ge=1, le=9)

    def __init__(self, task, seed, **options):
        super().__init__(task, seed, **options)
        self.told = []

    def ask(self, attempt=0):
        import numpy as np

        rng = np.random.default_rng([self.seed, len(self.told), attempt])
        if not self.told:
            return self.task.space.sample(rng)
        point = self.told[-1]
        for _ in range(self.options.steps):
            near = self.task.space.neighbours(point)
            point = near[int(rng.integers(len(near)))]
        return point

    def tell(self, point, observation):
        if point not in self.told:
            self.told.append(point)


class FirstEpoch(Scheduler):
    """Stops every other trial after its first epoch."""

    def report(self, trial, epoch, values):
        stop = trial % 2 == 1 and epoch < self.fidelities
        return Decision(stop=True, reason="it has an odd number") if stop else CONTINUE


class Abstract(Searcher):
    pass


NoSearcher = dict
'''
ENTRY_POINTS = """
[mixspace.searchers]
walk = walking:Walk
half = walking:Abstract
dict = walking:NoSearcher
gone = walking.gone:Walk
random = walking:Walk

[mixspace.schedulers]
first-epoch = walking:FirstEpoch
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


def run(installed: Path, code: str) -> str:
    """What a program prints that has the package."""
    path = os.pathsep.join([str(installed), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


IN_PROCESS = """
from search import optimize
from tests.search.toy import ToySpace

space = ToySpace()

def objective(point):
    for epoch in range(1, 4):
        yield space.value(point) * epoch / 3

result = optimize(space, objective, "walk", "first-epoch", 8, 1, fidelities=3,
                  searcher_options={"steps": 2})
print([str(each.state) for each in result.evaluations])
print(len({each.point for each in result.evaluations}))
"""


def test_it_runs_in_this_process(installed: Path) -> None:
    states, distinct = run(installed, IN_PROCESS).splitlines()
    assert states == str(["complete", "pruned"] * 4)
    assert distinct == "8", "it is wrapped so that it proposes nothing twice"


WITH_A_STORE = """
import json, sys
from pathlib import Path
from search.store import open_store
from tests.search.driving import begin, play
from tests.search.small import config

settings = config(Path(sys.argv[1] if len(sys.argv) > 1 else "."), trials=4,
                  searcher={"name": "walk", "steps": 3}, scheduler="first-epoch")
with open_store(settings.store, create=True) as store:
    session = begin(store, settings)
    play(session, 2)
    study = store.studies.get(settings.study)
    states = [str(trial.state) for trial in store.trials.of_study(study.id)]
print(json.dumps([settings.to_dict()["searcher"], study.searcher, study.scheduler, states]))
"""


def test_it_is_chosen_by_a_configuration_and_stands_in_the_store(installed: Path) -> None:
    said = run(installed, WITH_A_STORE).splitlines()[-1]
    assert said == (
        '[{"name": "walk", "steps": 3}, "walk", "first-epoch", '
        '["complete", "pruned", "complete", "pruned"]]'
    )


REFUSALS = """
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.errors import InputError

for chosen in ("half", "dict", "gone", {"name": "walk", "steps": 0}, {"name": "walk", "colour": 1},
               "wolk"):
    try:
        print(SEARCHERS.options(chosen))
    except InputError as error:
        print(error)
print(SEARCHERS.kind("random").__module__, SCHEDULERS.names[-1])
"""


def test_what_cannot_be_used_is_refused_by_name(installed: Path) -> None:
    half, no_class, gone, steps, colour, near, others = run(installed, REFUSALS).splitlines()
    whose = "of the package walking cannot be"
    assert half == f"name: 'half' {whose} used: Abstract does not define ask, tell"
    assert no_class.startswith(f"name: 'dict' {whose} used: <class 'dict'> is no subclass of")
    assert gone.startswith(f"name: 'gone' {whose} loaded: ModuleNotFoundError")
    assert steps == "steps: must be at least 1; got 0"
    assert colour == "colour: unknown option of 'walk'; allowed: steps"
    assert "'walk'; did you mean 'walk'?" in near
    assert others == "search.searchers.random_search first-epoch", "ours cannot be replaced"
