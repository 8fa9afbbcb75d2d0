"""Processes that may not write what belongs to another, also where the tests run as root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ANOTHER = 65534
_CAPABILITIES = "-dac_override,-dac_read_search,-fowner"


def give_away(*paths: Path) -> None:
    """Root gives the paths to another user; others only lose the right to write them."""
    for path in paths:
        if os.geteuid() == 0:
            os.chown(path, _ANOTHER, _ANOTHER, follow_symlinks=False)
        elif not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)


def python_without_rights(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Python that runs the code, spoken to through its stdin and stdout."""
    return _started([*without_rights(), sys.executable, "-c", code, *arguments])


def in_own_mounts(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A shell script that may mount what nobody else sees; the test is skipped without root."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root may mount")
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mounts here, also for root")
    return _started(["unshare", "-m", "sh", "-euc", script, "sh", *arguments])


def without_rights() -> list[str]:
    """The beginning of a command that gives up what root may do with files of others."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root without setpriv may write everywhere")
    return ["setpriv", f"--bounding-set={_CAPABILITIES}", "--"]


def _started(command: list[str]) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


def ask(process: subprocess.Popen[str], line: str) -> str:
    """The line that the process answers to a line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()
