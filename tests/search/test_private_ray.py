"""The Ray of a run's own: nobody else can reach it, and no setting of the user's breaks it."""

import os
import stat
from pathlib import Path

import pytest

from search.ray_executor.connection import connected_to_ray
from search.ray_executor.watchdog_process import belonging

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
USERS = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN_PATH": "/nonexistent/token",
    "RAY_AUTH_TOKEN": "of a cluster",
}


def listening(pids: list[int]) -> set[str]:
    """The addresses at which processes listen, as the kernel writes them."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


NEEDED = {"gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"}
PROGRAMS_OF_OURS = {"pytest", "watchdog_process.py", "default_worker.py", "ray::IDLE"}


def program(pid: int) -> str:
    """What a process calls itself, or the script that an interpreter runs."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    scripts = (word for word in words[1:] if word.endswith(".py"))
    name = next(scripts, words[0]) if "python" in Path(words[0]).name else words[0]
    return name if name.startswith("ray::") else Path(name).name


@pytest.mark.thorough
def test_it_listens_on_loopback_only_and_its_token_is_its_users_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in USERS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    with connected_to_ray(None) as cluster:
        import ray

        assert ray.util.get_node_ip_address() == "127.0.0.1"
        assert cluster.watchdog is not None
        servers = belonging(cluster.watchdog.mark, cluster.watchdog.folder)
        addresses = listening([*servers, os.getpid()])
        running = {program(pid) for pid in servers if pid != os.getpid()}
        assert {"gcs_server", "raylet"} <= running
        # None that a trial does not need: an autoscaler, a web page, a reader of logs.
        assert not {"dashboard.py", "monitor.py", "log_monitor.py"} & running
        assert len(running - PROGRAMS_OF_OURS) <= len(NEEDED), running
        assert addresses
        assert addresses <= LOOPBACK
        token = cluster.watchdog.folder / "token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert os.environ["RAY_AUTH_TOKEN_PATH"] == str(token)
    assert {name: os.environ[name] for name in USERS} == USERS
    assert not (tmp_path / "none").exists()  # where Ray itself would have written one
    assert belonging(cluster.watchdog.mark, cluster.watchdog.folder) == []
