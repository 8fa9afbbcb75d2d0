"""The distributions, built as for a release, and environments that have nothing but them."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
PACKAGES = ("mixspace", "space", "trainers", "search", "dashboard")
_SOURCE = (
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"),
    *("CITATION.cff", "CONTRIBUTING.md", "Makefile", "constraints.txt", "configs", "docs"),
    *("tests", "benchmarks", *PACKAGES),
)


@dataclass(frozen=True)
class Built:
    """A source distribution, and the wheel that was built of what is in it.

    Attributes:
        sdist, wheel: their files.
        source: the unpacked source distribution.
    """

    sdist: Path
    wheel: Path
    source: Path

    def in_sdist(self) -> set[str]:
        """The files of the source distribution."""
        found = (path for path in self.source.rglob("*") if path.is_file())
        return {str(path.relative_to(self.source)) for path in found}

    def in_wheel(self) -> dict[str, bytes]:
        """The files of the wheel with their content."""
        with ZipFile(self.wheel) as packed:
            return {name: packed.read(name) for name in packed.namelist()}


def build(folder: Path) -> Built:
    """Build both, by the backend that pip would call, from a copy of the checkout.

    Args:
        folder: empty; all is made in it.
    """
    copy, out = folder / "checkout", folder / "out"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for name in _SOURCE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    sdist = out / _backend(copy, f"build_sdist({str(out)!r})")
    shutil.unpack_archive(sdist, folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    before = Built(sdist, sdist, source).in_sdist()
    wheel = out / _backend(source, f"build_wheel({str(out)!r})")
    shutil.rmtree(source)
    shutil.unpack_archive(sdist, folder / "unpacked", filter="data")
    built = Built(sdist, wheel, source)
    assert built.in_sdist() == before
    return built


def _backend(folder: Path, call: str) -> str:
    """The name of the file that a hook of the build backend has written."""
    code = f"from setuptools import build_meta; print('made', build_meta.{call})"
    return checked([sys.executable, "-c", code], folder).split("made ")[-1].strip()


def clean_environment() -> dict[str, str]:
    """That of a person whose Python finds nothing but what is installed."""
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MIXSPACE_STORE")
    return {name: value for name, value in os.environ.items() if name not in left_out}


def checked(
    command: Sequence[str | Path], folder: Path, *, seconds: float = 120, code: int = 0
) -> str:
    """The standard output of a command that must exit with a code."""
    ran = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert ran.returncode == code, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        folder: that it lies in.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def program(self) -> Path:
        """The command `mixspace`."""
        return self.folder / "bin" / "mixspace"

    @property
    def packages(self) -> Path:
        """Where it has what is installed."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"


def empty_environment(folder: Path) -> Environment:
    """One with nothing in it; pip works on it from outside."""
    checked([sys.executable, "-m", "venv", "--without-pip", folder], folder.parent)
    return Environment(folder)


def borrowing_environment(folder: Path) -> Environment:
    """One that sees the packages of others that the tests have, and not the checkout.

    A folder that a path file names is searched, and its own path files, of which one names the
    checkout, are not read.
    """
    made = empty_environment(folder)
    (made.packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return made


def install(environment: Environment, *words: str | Path, seconds: float = 120) -> None:
    """Install with pip, which stays outside."""
    pip = [sys.executable, "-m", "pip", "--python", environment.python, "--quiet"]
    checked([*pip, "install", *words], environment.folder, seconds=seconds)
