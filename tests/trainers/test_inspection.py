"""The pass over the files: its cache saves time and decides nothing, whatever happens to it."""

import hashlib
import os
import sqlite3
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import PIL
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from space.errors import InputError
from tests.support.without_rights import in_own_mounts
from tests.trainers.tiny import image_folder
from trainers import Protocol, describe_data
from trainers.data.image_folder import inspection, inspection_cache
from trainers.data.image_folder.inspection import Check, Inspection, inspect_files

GONE = "No such file or directory"
NAMES = ("good.png", "cut.png", "page.png", "empty.png", "gone.png")


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache is put; files that have just been written are kept at once."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MIXSPACE_CACHE", str(folder))
    monkeypatch.setattr(inspection_cache, "_SETTLED_NS", -1)
    return folder / "pictures-1.sqlite"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    Image.effect_noise((32, 32), 60).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.png").write_bytes(b"<html></html>")
    (tmp_path / "empty.png").write_bytes(b"")
    return tmp_path


def look(folder: Path, check: Check = "full", said: list[str] | None = None) -> Inspection:
    return inspect_files(folder, NAMES, check, None if said is None else said.append)


BROKEN = {"full": "cut page empty gone", "headers": "page empty gone", "none": "gone"}


@pytest.mark.parametrize("check", ["full", "headers", "none"])
def test_each_check_finds_what_it_looks_for(files: Path, cache: Path, check: Check) -> None:
    found = look(files, check)
    assert " ".join(NAMES[i].removesuffix(".png") for i in found.faults) == BROKEN[check]
    assert found.digests[4] == b""
    assert len(set(found.digests)) == 5
    said = {2: "no kind of picture that is known here", 3: "empty, 0 bytes", 4: GONE}
    assert {i: fault for i, fault in found.faults.items() if i != 1} == {
        i: said[i] for i in found.faults if i != 1
    }
    assert "truncated" in found.faults.get(1, "truncated")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(checks=st.lists(st.sampled_from(["full", "headers", "none"]), min_size=2, max_size=5))
def test_an_earlier_check_decides_nothing_for_a_later_one(
    files: Path, cache: Path, checks: list[Check]
) -> None:
    for check in checks:
        found = look(files, check)
        assert " ".join(NAMES[i].removesuffix(".png") for i in found.faults) == BROKEN[check]


@pytest.mark.parametrize(
    ("earlier", "later", "again"),
    [
        ("full", "full", ""),
        ("full", "headers", "cut page empty"),  # only what is whole passes every check
        ("full", "none", ""),
        ("headers", "full", "good cut page empty"),
        ("headers", "headers", ""),
        ("headers", "none", ""),
        ("none", "full", "good cut page empty"),
        ("none", "headers", "good cut page empty"),
        ("none", "none", ""),
    ],
)
def test_what_tells_enough_is_not_read_again(
    files: Path,
    cache: Path,
    earlier: Check,
    later: Check,
    again: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = look(files, earlier)
    read: list[str] = []

    def watched(file: BinaryIO, kind: str) -> Any:
        read.append(Path(file.name).stem)
        return file_digest(file, kind)

    file_digest = hashlib.file_digest
    monkeypatch.setattr(inspection.hashlib, "file_digest", watched)
    assert look(files, later).digests == first.digests
    assert sorted(read) == sorted(again.split())


def test_a_verdict_is_for_the_limit_that_it_was_found_under(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow refuses what is twice as large."""
    for limit, faults in ((2_000, {}), (400, {0}), (2_000, {})):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert {*inspect_files(files, ["good.png"], "full").faults} == {*faults}
        reader = f"full 2 pillow {PIL.__version__} {limit}"
        assert (inspection.reader_of("full"), inspection.reader_of("none")) == (reader, "none")


def test_what_changes_while_it_is_read_is_not_kept(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def growing(file: BinaryIO) -> None:
        with Path(file.name).open("ab") as same:
            same.write(b"x")

    monkeypatch.setattr(inspection, "decode", growing)
    first = inspect_files(files, ["good.png", "cut.png"], "full")
    assert not first.faults
    monkeypatch.undo()
    assert inspect_files(files, ["good.png", "cut.png"], "full").digests != first.digests
    content = (files / "good.png").read_bytes()
    assert inspect_files(files, ["good.png"], "none").digests == (hashlib.sha256(content).digest(),)


@pytest.mark.parametrize(
    ("inode", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**64 - 1, 2**63 - 1)]
)
def test_any_inode_fits_into_the_cache(inode: int, kept: int) -> None:
    state = SimpleNamespace(st_ino=inode, st_size=1, st_mtime_ns=2, st_ctime_ns=3)
    assert inspection_cache.FileState.of(state) == (1, 2, 3, kept)  # type: ignore[arg-type]


def test_a_file_is_kept_once_two_seconds_have_passed(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of a coarse clock it may change again under the same times."""
    monkeypatch.setattr(inspection_cache, "_SETTLED_NS", 2_000_000_000)
    changed = (files / "good.png").stat().st_ctime_ns
    for later, kept in ((2_000_000_000, False), (2_000_000_001, True)):
        monkeypatch.setattr(inspection_cache.time, "time_ns", lambda now=changed + later: now)
        inspect_files(files, ["good.png"], "full")
        assert cache.exists() == kept


def test_contents_that_change_under_the_old_size_and_time_are_read_again(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(files)
    good = files / "good.png"
    before = good.stat()
    content = bytearray(good.read_bytes())
    content[-20] ^= 1
    with good.open("r+b") as file:
        file.write(content)
    os.utime(good, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (good.stat().st_size, good.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert look(files).digests[0] != first.digests[0]


def test_files_of_the_future_are_kept_too(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(files / "good.png", (4e9, 4e9))
    first = look(files)
    monkeypatch.setattr(inspection, "_fault", None)
    assert inspect_files(files, NAMES[:4], "full").digests == first.digests[:4]


def test_what_pillow_reads_all_the_same_is_no_warning(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not inspect_files(files, ["good.png"], "full").faults
        with pytest.warns(Image.DecompressionBombWarning):
            Image.open(files / "good.png").close()


# --- what can happen to the cache -----------------------------------------------------------------


def _no_database(cache: Path) -> None:
    cache.write_bytes(b"no database" * 500)


def _other_columns(cache: Path) -> None:
    with sqlite3.connect(cache) as connection:
        connection.execute("CREATE TABLE files (path BLOB PRIMARY KEY)")
    connection.close()


def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "MIXSPACE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nobody)


@pytest.mark.parametrize("trouble", ["damaged", "columns", "folder", "below a file", "no home"])
def test_a_cache_that_cannot_be_used_is_told_and_not_missed(
    files: Path, cache: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = look(files)
    cache.unlink()
    if trouble == "folder":
        cache.mkdir()
    elif trouble == "below a file":
        monkeypatch.setenv("MIXSPACE_CACHE", str(files / "good.png"))
    elif trouble == "no home":
        _no_home(monkeypatch)
    else:
        {"damaged": _no_database, "columns": _other_columns}[trouble](cache)
    said: list[str] = []
    assert look(files, said=said) == expected
    (sentence,) = said
    lost = ": what was found out about the pictures is not kept."
    if trouble == "no home":
        assert sentence == f"You have no home, nor MIXSPACE_CACHE{lost}"
    else:
        place = files / "good.png/pictures-1.sqlite" if trouble == "below a file" else cache
        assert sentence.startswith(f"{place}, which may be deleted, is not used (")
        assert sentence.endswith(f"){lost}")
        assert "(None)" not in sentence


@pytest.mark.parametrize(
    "values",
    [
        "digest = NULL",
        "digest = x'00'",
        "digest = 'x'",
        "fault = x'00'",
        "reader = x'00'",
        "reader = CAST(x'ff' AS TEXT)",
    ],
)
def test_rows_that_nobody_wrote_are_not_believed(files: Path, cache: Path, values: str) -> None:
    expected = look(files)
    with sqlite3.connect(cache) as connection:
        assert connection.execute(f"UPDATE files SET {values}").rowcount == 4
    connection.close()
    assert look(files) == expected


def test_a_locked_cache_is_not_waited_for_twice(
    files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = look(files)
    monkeypatch.setattr(inspection_cache, "_PATIENCE", 0.0)
    said: list[str] = []
    holder = sqlite3.connect(cache, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert look(files, said=said) == expected
    holder.close()
    assert "is locked" in said[0]
    assert look(files, said=said) == expected
    assert len(said) == 1


def test_runs_at_the_same_time_find_the_same(files: Path, cache: Path) -> None:
    names = [f"{number}.png" for number in range(200)]
    for name in names:
        (files / name).write_bytes((files / "good.png").read_bytes() + name.encode())
    found: list[Inspection] = []
    runs = [
        threading.Thread(target=lambda: found.append(inspect_files(files, names, "full")))
        for _ in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 4
    assert all(each == found[0] for each in found)
    assert not found[0].faults


MOUNTED = """mount -t tmpfs -o size=4k cache "$2"
case "$1" in read-only) mount -o remount,ro "$2";; esac
MIXSPACE_CACHE="$2" exec "$3" -c "$4" "$5"
"""
LOOK = """import re, sys, time
from pathlib import Path
from trainers.data.image_folder import inspection_cache
from trainers.data.image_folder.inspection import inspect_files
inspection_cache._SETTLED_NS = -1
said = []
found = inspect_files(Path(sys.argv[1]), ["good.png", "cut.png"], "full", said.append)
why = re.search(r"is not used \\((.+)\\)", said[0])
print(sorted(found.faults), len(said), why is not None and why[1] != "None")
"""


@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_a_cache_on_a_disk_that_takes_nothing(files: Path, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    process = in_own_mounts(MOUNTED, kind, str(place), sys.executable, LOOK, str(files))
    assert process.communicate()[0].split("\n")[0] == "[1] 1 True"


# --- what is not decoded is told ------------------------------------------------------------------


def test_pictures_that_were_not_decoded_are_told(files: Path, cache: Path, tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "images", train=4, val=1)
    cut = folder / "train/red/000.png"
    cut.write_bytes(cut.read_bytes()[:60])
    protocol = Protocol.from_dict({"data": "image-folder", "validation_fraction": 0.25})

    def told(**changes: Any) -> str:
        config = {"name": "image-folder", "folder": str(folder)} | changes
        return "; ".join(describe_data(config, protocol).remarks)

    for check in ("headers", "none"):
        assert f"not decoded (data.check: {check})" in told(check=check)
    assert "not decoded" not in told(broken="leave_out")
    with pytest.raises(InputError, match="truncated"):
        told()


def test_the_time_left_is_told_before_the_first_picture_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspection, "_QUIET_SECONDS", 0.0)
    said: list[str] = []
    progress = inspection._Progress(10, said.append)
    progress.at(0)
    assert said[0].startswith("Looking at the pictures, once: 0 of 10, about ")
