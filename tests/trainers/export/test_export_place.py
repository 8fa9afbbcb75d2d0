"""Where an export is written: there as a whole or not at all, and never over files of others."""

import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from space import InputError
from tests.space.own_mixers import mixers
from tests.support.without_rights import in_own_mounts
from tests.trainers.export.samples import (
    NO_PROGRAMS,
    breaks,
    names,
    refused,
    trained,
)
from trainers.export import (
    ExportFailed,
    NotEqual,
    export_network,
)

__all__ = ["mixers"]


def test_only_an_earlier_export_is_replaced_and_only_on_request(tmp_path: Path) -> None:
    given, to = trained(tmp_path), tmp_path / "to"
    to.mkdir()
    export_network(given, to, without=NO_PROGRAMS)
    before = {path.name: path.read_bytes() for path in to.iterdir()}
    assert "holds an earlier export; force=True replaces it" in refused(given, tmp_path)
    (to / "__pycache__").mkdir()  # what Python leaves when network.py is imported
    export_network(given, to, without=[*NO_PROGRAMS, "standalone"], force=True)
    assert names(to) == before.keys() - {"network.py", "infer.py"}
    (to / "notes.txt").write_text("mine")
    said = refused(given, tmp_path, force=True)
    assert "has files that no export wrote: notes.txt; move them away" in said
    (to / "notes.txt").rename(tmp_path / "notes.txt")
    (to / "export.json").unlink()
    assert "is not empty, and no earlier export" in refused(given, tmp_path, force=True)
    (to / "export.json").write_text("{}")
    assert "is no list of what an export wrote" in refused(given, tmp_path, force=True)


def test_a_link_stays_and_the_folder_behind_it_is_written(tmp_path: Path) -> None:
    given = trained(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    done = export_network(given, tmp_path / "link", without=NO_PROGRAMS)
    assert done.folder == (tmp_path / "real").resolve()
    assert (tmp_path / "link").is_symlink()
    assert "model.safetensors" in names(tmp_path / "real")


@pytest.mark.parametrize("to", ["", "a\0b", "x" * 300, 7])
def test_paths_that_are_none_are_refused(tmp_path: Path, to: Any) -> None:
    with pytest.raises(InputError, match=r"^to: "):
        export_network(trained(tmp_path), to, without=NO_PROGRAMS)


@pytest.mark.parametrize("error", [NotEqual("differs"), KeyboardInterrupt(), OSError(28, "full")])
@pytest.mark.parametrize("earlier", [False, True])
def test_of_an_export_that_breaks_off_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, earlier: bool
) -> None:
    given, to = trained(tmp_path), tmp_path / "a" / "b" / "to"
    if earlier:
        export_network(given, to, without=NO_PROGRAMS)
        before = {path.name: path.read_bytes() for path in to.iterdir()}
    monkeypatch.setattr("trainers.export.export.model_card", breaks(error))
    wanted = ExportFailed if isinstance(error, OSError) else type(error)
    with pytest.raises(wanted):
        export_network(given, to, without=NO_PROGRAMS, force=True)
    if earlier:
        assert {path.name: path.read_bytes() for path in to.iterdir()} == before
        assert names(to.parent) == {"to"}
    else:
        assert names(tmp_path) == {"checkpoint.safetensors"}


def test_a_mount_point_is_refused_before_work(tmp_path: Path) -> None:
    """As of a container: it cannot be moved away, and its folder may not be written."""
    with pytest.raises(InputError, match=r"^to: /proc is a mount point and stays one; name a "):
        export_network(trained(tmp_path), "/proc", without=NO_PROGRAMS)


def test_an_earlier_export_is_back_where_the_move_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, to = trained(tmp_path), tmp_path / "to"
    export_network(given, to, without=NO_PROGRAMS)
    before = {path.name: path.read_bytes() for path in to.iterdir()}
    rename = Path.rename

    def refuse_the_new(self: Path, target: Path) -> Path:
        if self.suffix == ".partial":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(ExportFailed, match="Permission denied"):
        export_network(given, to, without=NO_PROGRAMS, force=True)
    assert {path.name: path.read_bytes() for path in to.iterdir()} == before
    assert names(tmp_path) == {"checkpoint.safetensors", "to"}


FULL = """mount -t tmpfs -o size=$2 disk "$1"
"$3" -c "$4" "$1"
ls -A "$1"
"""
EXPORT = """import sys
from pathlib import Path
from tests.trainers.export.samples import trained
from trainers.export import ExportFailed, export_network
import tempfile
with tempfile.TemporaryDirectory() as beside:
    given = trained(Path(beside))
    try:
        export_network(given, Path(sys.argv[1]) / "to", without=["onnx", "pt2"])
        print("exported")
    except ExportFailed as error:
        print(str(error).partition(" cannot be ")[2])
"""


@pytest.mark.parametrize("room", [100, 5_000, 20_000])
def test_where_a_file_finds_no_room_nothing_is_left(tmp_path: Path, room: int) -> None:
    given = trained(tmp_path)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most[1]))
    try:
        with pytest.raises(ExportFailed, match="File too large; nothing of it is left"):
            export_network(given, tmp_path / "a" / "to", without=NO_PROGRAMS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert names(tmp_path) == {"checkpoint.safetensors"}


@pytest.mark.slow
@pytest.mark.parametrize(("size", "said"), [("32k", False), ("4m", True)])
def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, size: str, said: bool) -> None:
    process = in_own_mounts(FULL, str(tmp_path), size, sys.executable, EXPORT)
    printed = process.communicate()[0].split("\n")
    failed = "written: No space left on device; nothing of it is left"
    assert printed == (["exported", "to", ""] if said else [failed, ""])


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"^to: .*file cannot be written: File exists$"):
        export_network(trained(tmp_path), tmp_path / "file" / "to", without=NO_PROGRAMS)


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    from tests.support.without_rights import give_away, python_without_rights

    place = tmp_path / "theirs"
    place.mkdir()
    give_away(place)
    code = EXPORT.replace("except ExportFailed", "except (ExportFailed, ValueError)")
    process = python_without_rights(code, str(place))
    assert process.communicate()[0] == "written: Permission denied\n"
