"""Where Ray's session folder goes, and when there is no place for it: real, full file systems."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from search.ray_executor.watchdog import new_session_folder
from space import InputError
from tests.search.small import values

BELOW = "session_2026-12-31_23-59-59_123456_4194304/sockets/plasma_store"


@given(st.integers(1, 100))
def test_a_folder_is_given_if_and_only_if_the_sockets_of_ray_fit_below_it(length: int) -> None:
    with tempfile.TemporaryDirectory(prefix="m", dir="/tmp") as own:
        place = Path(own) / ("x" * length)
        place.mkdir()
        fits = len(os.fsencode(place / "mixspace-ray-12345678" / BELOW)) <= 107
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_TMPDIR", str(place))
            if not fits:
                with pytest.raises(InputError, match=r"RAY_TMPDIR: .* too long"):
                    new_session_folder()
                return
            folder = new_session_folder()
        assert folder.parent == place


@pytest.mark.parametrize("place", ["none", "file"])
def test_what_is_no_folder_is_refused_by_the_name_of_the_variable(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (Path("/tmp") / f"mixfile-{os.getpid()}").touch()
    where = f"/tmp/mix{place}-{os.getpid()}"
    monkeypatch.setenv("RAY_TMPDIR", where)
    try:
        with pytest.raises(InputError, match="is not a folder; set RAY_TMPDIR") as error:
            new_session_folder()
        assert [problem.where for problem in error.value.problems] == ["RAY_TMPDIR"]
    finally:
        (Path("/tmp") / f"mixfile-{os.getpid()}").unlink()


def test_a_home_that_nobody_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "~nobody-of-this-name/ray")
    with pytest.raises(InputError) as error:
        new_session_folder()
    assert [problem.where for problem in error.value.problems] == ["RAY_TMPDIR"]


def may_mount() -> bool:
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def is_hidden() -> bool:
    """Whether the program itself lies in /tmp, where another file system would hide it."""
    places = (Path(__file__).resolve(), Path(sys.prefix).resolve(), Path(sys.executable))
    return any(place.is_relative_to("/tmp") for place in places)


@pytest.mark.thorough
@pytest.mark.skipif(is_hidden(), reason="the program lies in /tmp, which the test hides")
@pytest.mark.skipif(not may_mount(), reason="only root may mount")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("size=100k", "it cannot be written: No space left on device"),
        ("size=8m", "MiB are free, and 32 are needed"),
        ("ro", "it cannot be written: Read-only file system"),
    ],
)
def test_a_tmp_that_is_full_or_read_only_is_refused_in_a_line_before_anything_is_written(
    options: str, said: str, tmp_path: Path
) -> None:
    # The test's own folder lies in /tmp, where the other file system hides it.
    content = values(store="/mnt/tiny.db", checkpoints="/mnt/checkpoints")
    search = [sys.executable, "-m", "search", "run", "/mnt/tiny.yaml"]
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    script = (
        f"mount --bind {tmp_path} /mnt && mount -t tmpfs -o {options} none /tmp && "
        '{ head -c 100k /dev/zero > /tmp/fill; cd /mnt && exec "$@"; } 2>&1'
    )
    environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *search],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 2, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert len(lines) == 1
    assert lines[0].startswith("error: /tmp: Ray's session folder cannot be in /tmp: ")
    assert said in lines[0]
    assert "Traceback" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]
