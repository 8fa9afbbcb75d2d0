"""`ray job submit` to a Ray head of our own, with token authentication, as on a cluster."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from search.store import NoStore, TrialState, open_store
from space import InputError

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RAY = str(BIN / "ray")


@dataclass(frozen=True)
class Head:
    address: str
    gcs: str
    environment: dict[str, str]

    def jobs(self, action: str, *arguments: str) -> str:
        """What `ray job ACTION` says."""
        command = [RAY, "job", action, "--address", self.address, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, check=False, timeout=120
        )
        return done.stdout + done.stderr

    def submit(
        self, *entrypoint: str, token: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [RAY, "job", "submit", "--address", self.address, "--working-dir", str(ROOT)]
        environment = self.environment | ({} if token is None else {"RAY_AUTH_TOKEN": token})
        return subprocess.run(
            [*command, "--", *entrypoint],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=240,
        )


def free_ports(number: int) -> list[str]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """A Ray head with its own ports, folder and token; ended by the process that was started."""
    gcs, dashboard, client, agent, runtime = free_ports(5)
    # The path of Ray's sockets may have 107 characters at most, so not below pytest's folder.
    with tempfile.TemporaryDirectory(prefix="mixhead-", ignore_cleanup_errors=True) as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            # No worker for each core and driver that no trial will use.
            "RAY_prestart_worker_first_driver": "0",
        }
        command = [RAY, "start", "--head", "--block", "--num-cpus=2", "--disable-usage-stats"]
        command += [f"--port={gcs}", f"--dashboard-port={dashboard}", f"--temp-dir={folder}"]
        command += [f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}"]
        command += [f"--runtime-env-agent-port={runtime}", "--node-ip-address=127.0.0.1"]
        log = Path(folder) / "head.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            # A job that is submitted before the agent listens is refused after ten seconds.
            for port in (dashboard, agent):
                wait_for_port(int(port), process, log)
            yield Head(f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{gcs}", environment)
        finally:
            process.terminate()  # `--block` ends the processes of this head, and no others
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.3)


@pytest.mark.thorough
def test_the_quickstart_as_a_ray_job(head: Head, tmp_path: Path) -> None:
    store = tmp_path / "job.db"
    job = head.submit(
        *("python", "-m", "search", "run", "configs/quickstart.yaml"),
        *("--store", str(store), "--set", "checkpoints=relative"),
        *("--set", "trials=3", "--set", "protocol.epochs=2", "--set", "protocol.batch_size=100"),
        *("--set", "data.limit_train=500", "--set", "data.limit_validation=100"),
        *("--set", "resources.concurrent_trials=1"),
    )
    output = job.stdout + job.stderr
    assert job.returncode == 0, output
    assert "succeeded" in output
    assert "3 of 3 trials done" in output
    assert "warning: the checkpoints folder relative is a relative path" in output
    assert "warning: the store" not in output
    with open_store(str(store), create=False) as opened:
        study = opened.studies.get("quickstart")
        trials = opened.trials.of_study(study.id)
        assert len(trials) == 3
        assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
        assert all(t.epochs_done == 2 for t in trials)
        assert opened.runs.of_study(study.id)[0].machine["cluster"]["cpus"] == 2


@pytest.mark.slow
def test_a_stopped_job_has_ended_its_run_within_the_seconds_that_it_has(
    head: Head, tmp_path: Path
) -> None:
    """Ray sends SIGTERM to all that belongs to the job, and SIGKILL three seconds later."""
    store, job = str(tmp_path / "job.db"), "stopped"
    search = f"python -m search run {ROOT}/configs/quickstart.yaml --store {store}"
    search += f" --set checkpoints={tmp_path}/checkpoints --set protocol.epochs=2000"
    search += " --set data.limit_train=500 --set data.limit_validation=100"
    head.jobs("submit", "--no-wait", "--submission-id", job, "--", *search.split())
    deadline = time.monotonic() + 120
    while not epochs(store):
        assert time.monotonic() < deadline, head.jobs("logs", job)
        time.sleep(0.3)
    head.jobs("stop", job)
    assert "was stopped" in head.jobs("status", job)
    log = head.jobs("logs", job)
    assert "Traceback" not in log
    assert log.count("Stopped: interrupted by SIGTERM. To go on: python -m search run ") == 1
    with open_store(store, create=False) as opened:
        study = opened.studies.get("quickstart")
        (run,) = opened.runs.of_study(study.id)
        unended = [t for t in opened.trials.of_study(study.id) if not t.state.is_terminal]
    assert run.end_reason == "interrupted by SIGTERM"
    assert {t.state for t in unended} == {TrialState.PREEMPTED}


def epochs(store: str) -> int:
    try:
        with open_store(store, create=False) as opened:
            return sum(
                t.epochs_done for t in opened.trials.of_study(opened.studies.get("quickstart").id)
            )
    except (NoStore, InputError):
        return 0


NOT_OURS = "does not take our token; give the cluster's token by"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("settings", "version", "said"),
    [
        ({"RAY_AUTH_TOKEN": "f" * 64}, "", NOT_OURS),
        ({"RAY_AUTH_MODE": "disabled"}, "", NOT_OURS),
        ({}, "9.9.9", "cannot be used: Version mismatch: "),
    ],
)
def test_a_head_that_does_not_take_us_is_told_in_a_line_before_anything_is_written(
    settings: dict[str, str], version: str, said: str, head: Head, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        f"import ray\nray.__version__ = {version!r} or ray.__version__\n"
    )
    path = f"{tmp_path}:{ROOT}"
    environment = head.environment | {"RAY_ADDRESS": head.gcs, "PYTHONPATH": path} | settings
    command = [sys.executable, "-m", "search", "run", f"{ROOT}/configs/quickstart.yaml"]
    command += ["--store", str(tmp_path / "a.db"), "--set", f"checkpoints={tmp_path}/checkpoints"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert line == done.stderr.splitlines()[-1]
    assert said in line
    assert not (tmp_path / "a.db").exists()


@pytest.mark.thorough
def test_a_wrong_token_is_refused(head: Head) -> None:
    job = head.submit("python", "-c", "1", token=secrets.token_hex(32))
    assert job.returncode != 0
    assert "authentication" in job.stderr
