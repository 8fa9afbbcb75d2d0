"""Exports that cannot be written or read: who says so, and in which words."""

import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from space import InputError
from tests.trainers.export.samples import trained
from tests.trainers.tiny import architecture
from trainers.export import NotEqual, Parity, export_network, onnx_file, program_file, text_files
from trainers.export.folder import checked_place, written_whole
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
