"""A C++ file as functions: compiled once, kept, and done without where it cannot be."""

import ctypes
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from space.native_library import compiler, native_library
from tests.support.without_rights import python_without_rights

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")

SOURCE = 'extern "C" long twice(long x) { return 2 * x; }\n'


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "twice.cpp"
    path.write_text(SOURCE)
    native_library.cache_clear()
    yield path
    native_library.cache_clear()


def kept(source: Path) -> list[Path]:
    return sorted((source.parent / "cache" / "native").iterdir())


def twice(library: ctypes.CDLL | None) -> int:
    assert library is not None
    found: int = library.twice(ctypes.c_long(21))
    return found


def test_it_is_compiled_once(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice(native_library(source)) == 42
    (made,) = kept(source)
    assert oct((source.parent / "cache" / "native").stat().st_mode)[-3:] == "700"
    native_library.cache_clear()
    before = made.stat().st_mtime_ns
    assert twice(native_library(source)) == 42
    assert kept(source) == [made]
    assert made.stat().st_mtime_ns == before


def test_another_source_has_another_file(source: Path) -> None:
    twice(native_library(source))
    source.write_text(SOURCE.replace("2 * x", "3 * x"))
    native_library.cache_clear()
    assert twice(native_library(source)) == 63
    assert len(kept(source)) == 2


def test_a_broken_file_is_made_anew(source: Path) -> None:
    process = f"from space.native_library import *; native_library(Path({str(source)!r}))"
    subprocess.run([sys.executable, "-c", process], check=True)
    (made,) = kept(source)
    made.write_bytes(made.read_bytes()[:100])
    assert twice(native_library(source)) == 42
    assert kept(source) == [made]


def test_without_a_compiler_it_is_said_once(
    source: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with caplog.at_level(logging.INFO):
        assert native_library(source) is None
        assert native_library(source) is None
    (record,) = caplog.records
    assert "There is no C++ compiler" in record.getMessage()
    assert "install g++ or clang++" in record.getMessage()


@pytest.mark.parametrize("text", ["this is no C++", '#include "is_not_there.h"'])
def test_what_does_not_compile_is_said_with_the_reason(
    source: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    source.write_text(text)
    assert native_library(source) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "could not compile twice.cpp" in record.getMessage()
    assert "error" in record.getMessage()


def test_a_compiler_that_is_none_is_said(
    source: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CXX", "false")
    assert native_library(source) is None
    assert "could not compile twice.cpp" in caplog.text


TWICE = """
import ctypes, sys
from pathlib import Path
from space.native_library import native_library
print(native_library(Path(sys.argv[1])).twice(ctypes.c_long(21)))
"""


def test_where_nothing_can_be_kept_it_is_made_for_the_process(source: Path) -> None:
    cache = source.parent / "cache"
    cache.mkdir(mode=0o500)
    process = python_without_rights(TWICE, str(source))
    said, _ = process.communicate(timeout=60)
    assert said == "42\n"
    assert not list(cache.iterdir())


def test_several_processes_may_make_it_at_once(source: Path) -> None:
    command = [sys.executable, "-c", TWICE, str(source)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=120)[0] for process in running] == ["42\n"] * 3
    assert len(kept(source)) == 1


@pytest.mark.parametrize(("given", "made"), [("g++ -m64", True), ("no-such-compiler -O1", False)])
def test_the_compiler_of_the_environment_may_have_options(
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    given: str,
    made: bool,
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    monkeypatch.setenv("CXX", given)
    with caplog.at_level(logging.INFO):
        assert (native_library(source) is not None) is made
    assert ("no-such-compiler -O1, the CXX of the environment" in caplog.text) is not made


def test_a_folder_that_others_may_write_to_is_not_used(source: Path) -> None:
    folder = source.parent / "cache" / "native"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert twice(native_library(source)) == 42
    assert not list(folder.iterdir())
