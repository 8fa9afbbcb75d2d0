"""Which code ran: the version of the package, and the commit where it runs from a repository."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code_version() -> str:
    """Such as "0.1.0+g1a2b3c4d" or "0.1.0+g1a2b3c4d.changed"."""
    try:
        base = version("mixspace")
    except PackageNotFoundError:
        base = "0"
    commit = _commit()
    return f"{base}+g{commit}" if commit else base


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "--short=8", "HEAD")
    if not head:
        return None
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}.changed" if changed else head


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
