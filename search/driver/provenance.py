"""What machine and what code a run used, for people who read its numbers later."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from search.own_packages import ROOT

_PACKAGES = ("torch", "timm", "ray", "optuna", "numpy")


def describe_machine(cluster: dict[str, float]) -> dict[str, Any]:
    """Processor, memory, versions, and what the Ray cluster offers.

    Args:
        cluster: `ray.cluster_resources()`.
    """
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "cluster": {
            "cpus": cluster.get("CPU", 0),
            "gpus": cluster.get("GPU", 0),
            "accelerators": sorted(
                name.removeprefix("accelerator_type:")
                for name in cluster
                if name.startswith("accelerator_type:")
            ),
            "nodes": sum(name.startswith("node:") and "__" not in name for name in cluster),
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def code_version() -> str:
    """Such as "0.1.0+g1a2b3c4d" or "0.1.0+g1a2b3c4d.changed"."""
    base = _version("mixspace") or "0"
    commit = commit_of(ROOT)
    return f"{base}+g{commit}" if commit else base


def commit_of(root: Path) -> str | None:
    """Eight digits of the commit of a source tree, `.changed` behind them where files differ.

    None where the folder is no working tree of git, and where git does not answer.
    """
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
