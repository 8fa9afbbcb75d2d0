"""Real namespaces of the kernel, in which a process sees others as a container does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
PRIVATE_PIDS = ("--pid", "--fork", "--mount-proc")


def run_in(*options: str, arguments: list[str]) -> str:
    """What Python prints, run with these arguments under `unshare` with these options.

    Skips the test where namespaces cannot be made.
    """
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("making namespaces needs root and unshare")
    if subprocess.run([unshare, *options, "true"], capture_output=True, check=False).returncode:
        pytest.skip(f"this kernel does not allow unshare {' '.join(options)}")
    done = subprocess.run(
        [unshare, *options, sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
