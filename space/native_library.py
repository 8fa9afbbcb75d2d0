"""A C++ file as functions of this process: compiled once for this CPU, and kept.

It takes about a second, once a machine, and needs a C++ compiler alone: neither PyTorch's headers
nor a build system. The functions get addresses of tensors, so that they are no extension of PyTorch
and fit any version of it.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from space.input.paths import cache_folder

_LOG = logging.getLogger(__name__)

COMPILERS = ("c++", "g++", "clang++")
OPTIONS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-fno-math-errno")
WAYS = (("-march=native", "-fopenmp"), ("-march=native",), ())
"""From the fastest on: not every compiler has threads, or knows the CPU that it runs on."""
LONGEST_S = 120.0
"""A compiler that takes longer hangs."""


def compiler() -> str | None:
    """The C++ compiler: $CXX, or the first of `COMPILERS` that is there."""
    asked = [given] if (given := os.environ.get("CXX")) else COMPILERS
    return next((path for name in asked if (path := shutil.which(name))), None)


@cache
def native_library(source: Path) -> ctypes.CDLL | None:
    """The functions of a C++ file; None where they cannot be made, which is said once.

    The file that is loaded lies in mixspace's cache folder, under a name that holds what it was
    made from: the source, the compiler and the CPU.
    """
    found = compiler()
    if found is None:
        _LOG.info(
            "There is no C++ compiler, so that some operators take their plain path, which is "
            "several times slower (%s): install g++ or clang++, or name one in CXX",
            source.stem,
        )
        return None
    try:
        return _loaded(source, found)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        _LOG.warning(
            "%s could not compile %s, so that its operators take their plain path, which is "
            "several times slower: %s",
            *(found, source.name, said.strip()[-500:]),
        )
        return None


def _loaded(source: Path, found: str) -> ctypes.CDLL:
    name = f"{source.stem}-{_fingerprint(source, found)}.so"
    with tempfile.TemporaryDirectory(prefix="mixspace-") as scratch:
        folder = _folder() or Path(scratch)
        kept = folder / name
        if kept.exists():
            try:
                return ctypes.CDLL(str(kept))
            except OSError:
                _LOG.debug("%s is broken and is made anew", kept)
        made = _compiled(source, found, Path(scratch))
        _put(made, kept)
        # What is mapped stays, whatever becomes of its file.
        return ctypes.CDLL(str(kept))


def _put(made: Path, kept: Path) -> None:
    """Whole or not at all, as several processes may make it at the same time."""
    if made == kept:
        return
    handle, beside = tempfile.mkstemp(dir=kept.parent, prefix=kept.name)
    os.close(handle)
    shutil.copyfile(made, beside)
    Path(beside).replace(kept)


def _folder() -> Path | None:
    """Where it is kept; None where nothing can be."""
    folder = cache_folder()
    if folder is None:
        return None
    folder = folder / "native"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _compiled(source: Path, found: str, scratch: Path) -> Path:
    made = scratch / f"{source.stem}.so"
    failed = subprocess.CalledProcessError(1, found)
    for options in WAYS:
        command = [found, *OPTIONS, *options, str(source), "-o", str(made)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST_S)
        except subprocess.CalledProcessError as error:
            failed = error
        else:
            return made
    raise failed


def _fingerprint(source: Path, found: str) -> str:
    """16 digits of the source, the compiler and the CPU: homes are shared between machines."""
    version = subprocess.run(
        [found, "--version"], check=True, capture_output=True, text=True, timeout=LONGEST_S
    ).stdout
    parts = source.read_text(encoding="utf-8"), version, repr((OPTIONS, WAYS)), _cpu()
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cpu() -> str:
    """What tells CPUs apart that a program may be made for."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = ("flags", "Features", "model name", "CPU part")
    kept = sorted({line for line in lines if line.split("\t")[0].split(":")[0].strip() in names})
    return "\n".join([platform.machine(), platform.processor(), *kept])
