"""A cluster whose nodes do not share the folder of the checkpoints, of real Ray nodes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.search.test_ray_job import RAY, free_ports

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(280)]

LOOK = """
import logging, sys, time, ray
from pathlib import Path
from search.ray_executor.ray_servers import nodes_that_do_not_see, warning_of
from space.surface import COMMAND_LINE, speaking
ray.init(sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)
while len(ray.nodes()) < 2:
    time.sleep(0.2)
for folder in map(Path, sys.argv[2:]):
    found = nodes_that_do_not_see(folder)
    print(folder.name, len(found), list(folder.iterdir()))
    if found:
        with speaking(COMMAND_LINE):
            print(warning_of(folder, found))
"""


@dataclass(frozen=True)
class Nodes:
    """A head and a second node of one CPU each; `own` is another folder for the second."""

    address: str
    second: "subprocess.Popen[bytes]"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """Two nodes that share one folder of two."""
    if os.geteuid() != 0:
        pytest.skip("a mount of its own for a node needs root")
    mounts = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if mounts.returncode != 0:
        pytest.skip("no mount of its own for a node here")
    for name in ("own", "shared"):
        (tmp_path / name).mkdir()
    (port,) = free_ports(1)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environment |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    with tempfile.TemporaryDirectory(prefix="mixnodes-", ignore_cleanup_errors=True) as folder:
        common = [RAY, "start", "--block", "--num-cpus=1", "--node-ip-address=127.0.0.1"]
        head = [*common, "--head", f"--port={port}", f"--temp-dir={folder}"]
        head += ["--include-dashboard=false", "--disable-usage-stats"]
        apart = f'mount -t tmpfs tmpfs {tmp_path / "own"} && exec "$@"'
        node = ["unshare", "-m", "bash", "-c", apart, "bash", *common, "--address"]
        node += [f"127.0.0.1:{port}"]
        started = [
            subprocess.Popen(each, env=environment, stdout=subprocess.DEVNULL)
            for each in (head, node)
        ]
        try:
            yield Nodes(f"127.0.0.1:{port}", started[1])
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(timeout=60)


def test_nodes_that_do_not_share_the_checkpoints_are_named(nodes: Nodes, tmp_path: Path) -> None:
    folders = [str(tmp_path / name) for name in ("own", "shared")]
    environment = os.environ | {"RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", LOOK, nodes.address, *folders]
    seen = subprocess.run(command, text=True, capture_output=True, env=environment, check=False)
    assert seen.returncode == 0, seen.stderr
    own, warning, shared = seen.stdout.splitlines()
    assert own == "own 1 []"
    assert f" of the cluster cannot see {folders[0]}: a trial that moves there" in warning
    assert "--set checkpoints=FOLDER" in warning
    assert shared == "shared 0 []"
