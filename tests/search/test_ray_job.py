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

from search.store import TrialState, open_store

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RAY = str(BIN / "ray")


@dataclass(frozen=True)
class Head:
    address: str
    environment: dict[str, str]

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
            wait_for_port(int(dashboard), process, log)
            yield Head(f"http://127.0.0.1:{dashboard}", environment)
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


def test_the_quickstart_as_a_ray_job(head: Head, tmp_path: Path) -> None:
    store = tmp_path / "job.db"
    job = head.submit(
        *("python", "-m", "search", "run", "configs/quickstart.yaml"),
        *("--store", str(store), "--set", "checkpoints=relative"),
        *("--set", "trials=3", "--set", "protocol.epochs=2", "--set", "protocol.batch_size=100"),
        *("--set", "data.limit_train=500", "--set", "data.limit_validation=100"),
    )
    output = job.stdout + job.stderr
    assert job.returncode == 0, output
    assert "succeeded" in output
    assert "3 of 3 trials done" in output
    assert "warning: the checkpoints folder relative is a relative path" in output
    assert "warning: the store" not in output
    with open_store(str(store), create=False) as opened:
        study = opened.study("quickstart")
        trials = opened.trials(study.id)
        assert len(trials) == 3
        assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
        assert all(t.epochs_done == 2 for t in trials)
        assert opened.runs(study.id)[0].machine["cluster"]["cpus"] == 2


def test_a_wrong_token_is_refused(head: Head) -> None:
    job = head.submit("python", "-c", "1", token=secrets.token_hex(32))
    assert job.returncode != 0
    assert "authentication" in job.stderr
