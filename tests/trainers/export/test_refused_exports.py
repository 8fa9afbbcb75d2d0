"""Exports that cannot be written or read: who says so, and in which words."""

import json
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from space import InputError
from space.input.paths import ROOM, written_path
from tests.trainers.export.samples import trained
from tests.trainers.tiny import architecture
from trainers.export import NotEqual, Parity, export_network, onnx_file, program_file, text_files
from trainers.export.folder import (
    checked_place,
    write_manifest,
    written_files,
    written_whole,
)
from trainers.export.text_files import read_text


def test_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError) as refused:
        checked_place(str(tmp_path), force=False)
    assert str(refused.value) == f"to: {tmp_path} cannot be read: Permission denied"


def test_many_files_of_others_are_counted(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text('{"format": "mixspace export 1", "files": {"a": {}}}')
    for name in "abcdefg":
        (tmp_path / name).touch()
    with pytest.raises(InputError) as refused:
        checked_place(str(tmp_path), force=True)
    said = "has files that no export wrote: b, c, d, e, f and 1 more; move them away"
    assert str(refused.value) == f"to: {tmp_path} {said}"
    (tmp_path / "g").unlink()
    with pytest.raises(InputError, match=r"wrote: b, c, d, e, f; move them away$"):
        checked_place(str(tmp_path), force=True)


def test_folders_above_it_go_with_an_export_that_breaks_off(tmp_path: Path) -> None:
    def breaks_off() -> None:
        with written_whole(tmp_path / "a" / "b" / "to") as partial:
            assert partial.parent == tmp_path / "a" / "b"
            (tmp_path / "a" / "mine").touch()
            raise KeyError

    with pytest.raises(KeyError):
        breaks_off()
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")] == ["a", "a/mine"]


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "_LARGEST", 5)
    path = tmp_path / "a.txt"
    path.write_text("abcde")
    assert read_text(path) == "abcde"
    os.truncate(path, 6)
    with pytest.raises(InputError) as refused:
        read_text(path)
    assert str(refused.value) == f"a.txt: {path} is too large for what it should hold"


def test_what_is_not_equal_is_no_fault_of_tracing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*_: Any) -> NoReturn:
        raise NotEqual("another network")

    monkeypatch.setattr(program_file, "traced", other)
    with pytest.raises(NotEqual, match=r"^another network$"):
        export_network(trained(tmp_path), tmp_path / "to", without=["onnx", "standalone"])
    assert not (tmp_path / "to").exists()


def test_onnx_alone_is_traced_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def traced(network: Any, of: Any) -> Any:
        seen.append(of)
        return "a program"

    def write(path: Path, program: Any, network: Any, of: Any, names: Any) -> Parity:
        seen.append((program, of))
        path.write_bytes(b"a model")
        return Parity(0.0, 1e-4)

    monkeypatch.setattr(program_file, "traced", traced)
    monkeypatch.setattr(onnx_file, "write_onnx", write)
    told: list[str] = []
    done = export_network(
        trained(tmp_path), tmp_path / "to", without=["pt2", "standalone"], say=told.append
    )
    assert seen == [architecture(), ("a program", architecture())]
    assert list(done.parities) == ["model.onnx"]
    assert "model.onnx, compared with the network in ONNX Runtime" in told
    assert done.files["model.onnx"] == 7


def test_a_manifest_lists_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"abc")
    (tmp_path / "a.txt").write_bytes(b"")
    content = write_manifest(tmp_path, {"told": 1})
    assert (tmp_path / "export.json").read_text("utf-8") == json.dumps(content, indent=2) + "\n"
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert list(content["files"]) == ["a.txt", "b.txt"]
    assert content["files"]["a.txt"] == {"bytes": 0, "sha256": empty}
    assert (content["format"], content["told"]) == ("mixspace export 1", 1)
    assert written_files(tmp_path) == content["files"]


def refused_place(to: object, *, force: bool = False) -> str:
    with pytest.raises(InputError) as refused:
        checked_place(to, force=force)
    return str(refused.value)


def test_places_that_are_taken_are_refused_in_words(tmp_path: Path) -> None:
    manifest, start = tmp_path / "export.json", f"to: {tmp_path} "
    assert checked_place(str(tmp_path), force=False) == tmp_path.resolve()
    assert checked_place(str(tmp_path / "new"), force=False) == tmp_path.resolve() / "new"
    manifest.write_text("{}")
    assert refused_place(str(tmp_path)) == f"{start}holds an earlier export; force=True replaces it"
    damaged = f"export.json: {manifest} is no list of what an export wrote"
    assert refused_place(str(tmp_path), force=True) == damaged
    manifest.write_text('{"format": "mixspace export 1", "files": []}')
    assert refused_place(str(tmp_path), force=True) == damaged
    manifest.rename(tmp_path / "other")
    said = "is not empty, and no earlier export; name another folder"
    assert refused_place(str(tmp_path), force=True) == start + said
    file = tmp_path / "other"
    assert refused_place(str(file)) == f"to: {file} is a file; an export is a folder"
    mount = "to: /proc is a mount point and stays one; name a folder in it"
    assert refused_place("/proc") == mount
    with pytest.raises(ValueError, match=r".") as wrong:
        written_path("", ROOM)
    assert refused_place("") == f"to: {wrong.value}"
