"""Processes whose standard streams are closed, full, left by their reader, or in any encoding."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
BUFFERING = ({}, {"PYTHONUNBUFFERED": "1"})
"""Environments: errors come when a stream is flushed, or at once."""

LOCALES = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


def python(
    *words: str,
    redirected: str = "",
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run this Python, which finds the modules under test from every folder.

    Args:
        words: its arguments.
        redirected: what a shell is told of the streams, such as ">&-".
        environment: what differs from that of the tests.
        cwd: the working folder.
    """
    unset = ("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    kept |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", f'exec "$0" "$@" {redirected}', sys.executable, *words],
        capture_output=True,
        env=kept | (environment or {}),
        cwd=cwd,
        check=False,
        timeout=120,
    )
