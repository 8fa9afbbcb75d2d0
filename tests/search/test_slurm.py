"""deploy/slurm.sbatch on a real SLURM: it is requeued by a signal, and loses nothing."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.store import TrialState, open_store
from tests.support.slurm import Slurm, running_slurm, until

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "slurm.sbatch"

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    # Paths of sockets may have 107 characters at most.
    with (
        tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder,
        running_slurm(Path(folder)) as running,
    ):
        yield running


def test_a_job_is_requeued_and_goes_on(slurm: Slurm, tmp_path: Path) -> None:
    """Once by the signal that comes before its time is over, once by SLURM itself."""
    store, log = tmp_path / "job.db", tmp_path / "job.log"
    here = {"MIXSPACE_NODE_ADDRESS": "127.0.0.1", "MIXSPACE_VENV": sys.prefix}
    slurm.environment.update(here, PYTHONPATH=str(ROOT))
    number = slurm.command(
        *("sbatch", "--parsable", "--nodes=2", "--cpus-per-task=1", "--gpus-per-node=0"),
        *("--time=30", f"--output={log}", str(SCRIPT), "quickstart", "--store", str(store)),
        *("--set", "trials=6", "--set", "protocol.epochs=12", "--set", "data.limit_train=2000"),
        *("--set", "data.limit_validation=200", "--set", "scheduler={name: none}"),
        where=tmp_path,
    ).strip()

    def said() -> str:
        return log.read_text() if log.exists() else f"nothing; {slurm.job(number)}"

    def epochs() -> int:
        return _epochs(store)

    until(lambda: epochs() >= 3, 600, said)
    slurm.command("scancel", "--signal=USR1", "--batch", number)
    until(lambda: slurm.job(number)["Restarts"] == "1", 120, said)
    assert "Stopped: interrupted by SIGTERM" in said()
    at_first = epochs()
    until(lambda: epochs() >= at_first + 3, 900, said)
    slurm.command("scontrol", "requeue", number)
    until(lambda: slurm.job(number)["Restarts"] == "2", 120, said)
    under_way = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING")
    until(lambda: slurm.job(number)["JobState"] not in under_way, 1200, said)
    job = slurm.job(number)
    assert (job["JobState"], job["ExitCode"], job["Restarts"]) == ("COMPLETED", "0:0", "2"), said()
    with open_store(str(store), create=False) as opened:
        study = opened.studies.get("quickstart")
        trials = opened.trials.of_study(study.id)
        assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 6
        assert [trial.epochs_done for trial in trials] == [12] * 6
        assert max(trial.attempts for trial in trials) >= 2
    # What is lost of a trial is the epoch under way: no checkpoint was ever behind the store.
    assert "trained again" not in said()
    assert not list(Path("/tmp").glob(f"mixspace-{number}-*"))


def test_a_job_whose_words_are_wrong_ends_and_is_not_requeued(slurm: Slurm, tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    number = slurm.command(
        *("sbatch", "--parsable", "--cpus-per-task=1", "--gpus-per-node=0", f"--output={log}"),
        *(str(SCRIPT), "quickstart", "--set", "trials=none"),
        where=tmp_path,
    ).strip()
    until(lambda: slurm.job(number)["JobState"] == "FAILED", 300, lambda: str(slurm.job(number)))
    job = slurm.job(number)
    assert (job["ExitCode"], job["Restarts"]) == ("2:0", "0")
    assert "error: trials:" in log.read_text()


def _epochs(store: Path) -> int:
    """How many are in the store, which may not be there yet."""
    if not store.exists() or not store.stat().st_size:
        return 0
    with open_store(str(store), create=False) as opened:
        if not opened.studies.exists("quickstart"):
            return 0
        study = opened.studies.get("quickstart")
        return sum(trial.epochs_done for trial in opened.trials.of_study(study.id))
