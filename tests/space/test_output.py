"""Stdout and stderr of real processes: closed, full, left, and in encodings that lack much."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.cli.output import StdoutLost, on_standard_streams, report_may_be_lost
from tests.support.streams import BUFFERING, FULL, LOCALES, ROOT, python

pytestmark = pytest.mark.thorough

LOST = {
    ">&-": "Bad file descriptor",
    "1</dev/null": "Bad file descriptor",
    **({">/dev/full": "No space left on device"} if FULL.exists() else {}),
}
NO_STDERR = ["2>&-", *(["2>/dev/full"] if FULL.exists() else [])]


@pytest.mark.parametrize(
    ("words", "environment"), list(zip(["mixers --json", "zoo"], BUFFERING, strict=True))
)
@pytest.mark.parametrize("redirected", LOST)
def test_an_answer_that_cannot_be_written_is_told(
    redirected: str, words: str, environment: dict[str, str]
) -> None:
    ran = python("-m", "space", *words.split(), redirected=redirected, environment=environment)
    assert ran.stderr.decode() == f"error: stdout cannot be written: {LOST[redirected]}\n"
    assert ran.returncode == 1


@pytest.mark.parametrize("environment", BUFFERING)
def test_a_disk_that_fills_up_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=4k none {tmp_path}"
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root may mount a small disk, in a namespace of its own")
    program = f"{mount} && exec $0 -m space mixers --json >{tmp_path}/out"
    ran = subprocess.run(
        ["unshare", "-m", "bash", "-c", program, sys.executable],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment,
        check=False,
    )
    assert ran.stderr == b"error: stdout cannot be written: No space left on device\n"
    assert ran.returncode == 1


@pytest.mark.parametrize(
    ("redirected", "environment"), list(zip(NO_STDERR, BUFFERING, strict=False))
)
def test_no_command_needs_stderr(redirected: str, environment: dict[str, str]) -> None:
    words = ["-m", "space", "sample", "configs/spaces/fashion-quickstart.yaml", "--json"]
    ran = python(*words, redirected=redirected, environment=environment)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(json.loads(ran.stdout)) == 5
    ran = python("-m", "space", "count", "nothing", redirected=redirected, environment=environment)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, b"", b"")


@pytest.mark.parametrize("redirected", ["<&- >&- 2>&-", ">&- 2>/dev/full"])
def test_with_neither_the_exit_code_is_left(redirected: str) -> None:
    assert python("-m", "space", "zoo", redirected=redirected).returncode == 1
    assert python("-m", "space", "fly", redirected=redirected).returncode == 2


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    program = (
        "import os, sys\n"
        "from space.cli.output import on_standard_streams\n"
        "def work():\n"
        f"    opened = [os.open({str(path)!r}, os.O_RDWR | os.O_CREAT)]\n"
        "    os.system('echo to stdout; echo to stderr >&2')\n"
        "    return 0 if opened[0] > 2 and os.path.exists('/dev/fd/0') else 9\n"
        "sys.exit(on_standard_streams(work))"
    )
    ran = python("-c", program, redirected="<&- >&- 2>&-")
    assert ran.returncode == 0
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("words", "environment"),
    list(zip(["graph", "show swin_tiny", "mixers --help"], LOCALES, strict=True)),
)
def test_every_encoding_prints(words: str, environment: dict[str, str]) -> None:
    ran = python("-m", "space", *words.split(), environment=environment)
    assert (ran.returncode, ran.stderr) == (0, b"")
    text = ran.stdout.decode(environment.get("PYTHONIOENCODING", "ascii"))
    assert "?" not in text
    assert text.strip()


@pytest.mark.parametrize("environment", LOCALES)
def test_json_is_json_in_every_encoding(environment: dict[str, str]) -> None:
    ran = python("-m", "space", "graph", "--json", environment=environment)
    assert len(json.loads(ran.stdout)["nodes"]) == 12


@pytest.mark.parametrize("environment", [LOCALES[-1], {}])
def test_errors_name_what_the_encoding_lacks(environment: dict[str, str]) -> None:
    for name in ("поиск ✓.yaml", "caf\udce9.yaml"):
        ran = python("-m", "space", "count", name, environment=environment)
        assert (ran.returncode, ran.stdout) == (2, b"")
        error = ran.stderr.decode(environment.get("PYTHONIOENCODING", "utf-8"))
        assert error.startswith("error: ")
        assert error.count("\n") == 1


@given(st.lists(st.text(st.characters() | st.characters(categories=["Cs"]))), st.booleans())
def test_nothing_that_is_printed_ends_a_program(texts: list[str], ascii_only: bool) -> None:
    encoding = "ascii" if ascii_only else "utf-8"
    before = sys.stdout, sys.stderr
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, "strict") for _ in range(2))
    sys.stdout, sys.stderr = out, err

    def work() -> int:
        for text in texts:
            sys.stdout.write(text)
            sys.stderr.write(text)
        return 3

    try:
        assert on_standard_streams(work) == 3
    finally:
        sys.stdout, sys.stderr = before
    out.seek(0)
    out.read()  # is text of that encoding


def test_a_lost_report_leaves_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        with report_may_be_lost():
            raise StdoutLost("stdout cannot be written: the dog ate it")
        return 130

    assert on_standard_streams(work) == 130
    said = "The report is lost, and the results are in the store: stdout cannot be written: "
    assert capsys.readouterr().err == f"{said}the dog ate it\n"
