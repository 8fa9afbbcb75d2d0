"""A SLURM of one machine, with two nodes that are both this machine; for tests."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "scancel")
_CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmctldPort={ports[0]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
KillWait=15
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
"""


@dataclass(frozen=True, slots=True)
class Slurm:
    """It runs.

    Attributes:
        folder: for its files. environment: of commands that talk to it.
    """

    folder: Path
    environment: dict[str, str]

    def command(self, *words: str, where: Path | None = None) -> str:
        """What a command of SLURM's prints."""
        done = subprocess.run(
            words, cwd=where, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def job(self, number: str) -> dict[str, str]:
        """What is known of a job, by the names that `scontrol show job` has."""
        words = self.command("scontrol", "--oneliner", "show", "job", number).split()
        return dict(word.partition("=")[::2] for word in words if "=" in word)


def until(holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it does not hold in that time; with what `otherwise` says.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.2)


@contextmanager
def running_slurm(folder: Path) -> Iterator[Slurm]:
    """A SLURM with the nodes "one" and "two", ended with all of its jobs.

    The test is skipped where SLURM is not installed, or may not be started.
    """
    if missing := [name for name in _PROGRAMS if shutil.which(name, path=_path()) is None]:
        pytest.skip(f"no {', '.join(missing)}: SLURM (Debian's slurm-wlm) is not installed")
    if os.geteuid() != 0:
        pytest.skip("only root may start SLURM's servers")
    (folder / "state").mkdir()
    (folder / "munge.key").touch(0o400)
    (folder / "munge.key").write_bytes(os.urandom(1024))
    ports = _free_ports(3)
    host = socket.gethostname().partition(".")[0]
    values = {"folder": folder, "host": host, "ports": ports}
    (folder / "slurm.conf").write_text(_CONFIGURATION.format(**values))
    environment = os.environ | {"PATH": _path(), "SLURM_CONF": str(folder / "slurm.conf")}
    files = {name: f"{folder}/munge{name}" for name in (".key", ".sock", ".pid", ".seed", ".log")}
    munged = ["munged", "--foreground", "--force", f"--key-file={files['.key']}"]
    munged += [f"--socket={files['.sock']}", f"--pid-file={files['.pid']}"]
    munged += [f"--seed-file={files['.seed']}", f"--log-file={files['.log']}"]
    commands = {"munged": munged, "controller": ["slurmctld", "-D"]}
    commands |= {name: ["slurmd", "-D", "-N", name] for name in ("one", "two")}
    servers: list[subprocess.Popen[bytes]] = []
    slurm = Slurm(folder, environment)
    try:
        for name, command in commands.items():
            with (folder / f"{name}.out").open("wb") as log:
                server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            servers.append(server)
            if command is munged:
                until(Path(files[".sock"]).exists, 30, lambda: _said(folder))
        until(lambda: _idle_nodes(slurm) == 2, 60, lambda: _said(folder))
        yield slurm
        _end_jobs(slurm)
    finally:
        for server in reversed(servers):
            server.terminate()
        for server in servers:
            server.wait(60)


def _end_jobs(slurm: Slurm) -> None:
    slurm.command("scancel", "--user=root")
    jobs = ("squeue", "--noheader")
    until(lambda: not slurm.command(*jobs).strip(), 60, lambda: slurm.command(*jobs))


def _idle_nodes(slurm: Slurm) -> int:
    done = subprocess.run(
        ("sinfo", "--noheader", "--format=%D", "--states=idle"),
        env=slurm.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return sum(map(int, done.stdout.split())) if done.returncode == 0 else 0


def _said(folder: Path) -> str:
    return "\n".join(f"{file.name}: {file.read_text()}" for file in folder.glob("*.out"))


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
