"""Whatever stands in a file, the commands say so in plain words and exit with 2."""

import contextlib
import copy
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from space import DesignSpace, InputError
from space.cli.program import run_program
from space.published import ENTRIES
from tests.space.spaces import EVERYTHING
from tests.space.test_space_cli import MIXER, QUICKSTART
from tests.support.thorough import thorough_but

NETWORK = ENTRIES["dwnet_tiny"].architecture.to_dict()
SPACE = yaml.safe_load(Path(QUICKSTART).read_text())
COMMANDS = (["cost", "--samples", "2"], ["show"], ["count"], ["sample", "-n", "2"], ["zoo"])
FEW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ran(command: list[str], path: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_program([command[0], str(path), *command[1:]])
    return code, out.getvalue(), err.getvalue()


def damage(values: Any, random: Any) -> None:
    """Replaces, removes or adds something somewhere."""
    while True:
        keys = list(values) if isinstance(values, dict) else list(range(len(values)))
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(values[key], dict | list) and random.random() < 0.8:
            values = values[key]
            continue
        junk = [None, -1, 0, 2, 7.5, "x", "3k", [], {}, [[]], True, 10**40, float("nan")]
        values[key] = random.choice(junk)
        if isinstance(values, dict) and random.random() < 0.2:
            values["unknown"] = random.choice(junk)
        return


def check(command: list[str], path: Path) -> int:
    """Runs a command on a file; only data, or a refusal in plain words, may come out."""
    picture = path.with_suffix(".svg")
    if command[0] == "show":
        command = [*command, "--out", str(picture)]
    code, out, err = ran(command, path)
    assert code in (0, 2), err
    if code == 2:
        assert out == ""
        assert err.startswith("error: ")
        assert "Traceback" not in err
        assert len(err) < 100_000
        assert err.replace("\n", "").isprintable()
        assert not picture.exists()
    picture.unlink(missing_ok=True)
    return code


@given(st.randoms(use_true_random=False), st.sampled_from(COMMANDS), st.sampled_from([0, 1, 2]))
@FEW
def test_damaged_files(
    tmp_path: Path, source: random.Random, command: list[str], kind: int
) -> None:
    damaged = copy.deepcopy([NETWORK, MIXER, SPACE][kind])
    for _ in range(source.randint(1, 3)):
        damage(damaged, source)
    path = tmp_path / ("file.yaml" if kind == 2 else "file.json")
    path.write_text(yaml.safe_dump(damaged) if kind == 2 else json.dumps(damaged))
    check(command, path)


@given(st.randoms(use_true_random=False), st.sampled_from([".json", ".yaml"]))
@FEW
def test_truncated_and_overwritten_files(
    tmp_path: Path, source: random.Random, suffix: str
) -> None:
    content = json.dumps(source.choice([NETWORK, MIXER, SPACE])).encode()
    if source.random() < 0.5:
        content = content[: source.randint(0, len(content) - 1)]
    else:
        place = source.randint(0, len(content) - 9)
        content = content[:place] + source.randbytes(8) + content[place + 8 :]
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    check(source.choice(COMMANDS), path)


_PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()
)
_JUNK = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from([*NETWORK, *SPACE, *MIXER]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@given(_JUNK, st.sampled_from(COMMANDS))
@FEW
def test_junk_of_any_shape(tmp_path: Path, junk: Any, command: list[str]) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(yaml.safe_dump(junk))
    check(command, path)
    with pytest.raises(InputError):
        DesignSpace.from_dict(junk)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, str | bytes] = {
    "empty.json": "",
    "empty.yaml": "",
    "list.json": "[1, 2]",
    "word.yaml": "network",
    "deep.json": "[" * 100_000,
    "deep.yaml": "[" * 20_000,
    "nested.json": "[" * 500 + "]" * 500,
    "nested.yaml": '{"mixers": ' + "[" * 60 + "]" * 60 + "}",
    "huge.json": '{"a": "' + "x" * 2_000_000 + '"}',
    "huge.yaml": "a: " + "x" * 400_000,
    "bomb.yaml": BOMB + "mixers: *i\n",
    "itself.yaml": "a: &a {b: *a}",
    "digits.json": '{"classes": ' + "9" * 6000 + "}",
    "digits.yaml": "classes: " + "9" * 6000,
    "hexadecimal.yaml": "classes: 0x" + "f" * 6000,
    "date.yaml": "classes: 2020-99-99",
    "infinite.json": '{"classes": Infinity, "input": NaN}',
    "surrogate.json": '{"\\ud800": 1, "classes": 3}',
    "bytes.yaml": b"\xff\xfe\x00\x01",
    "null.yaml": "\x00",
    "object.yaml": "!!python/object:os.system {}",
    "version.json": json.dumps(NETWORK | {"version": 99}),
    "versions.json": json.dumps(NETWORK | {"version": {"a": [1]}}),
    "unknown.json": json.dumps(NETWORK | {f"field {n}": n for n in range(5000)}),
    "long.json": json.dumps(NETWORK | {"x" * 50_000: 1}),
    "tabs.yaml": "stages:\n\t- depth: 1",
    "half.yaml": b"name: caf\xe9",
    "search.yaml": Path("configs/quickstart.yaml").read_text(),
    "space_version.yaml": yaml.safe_dump(SPACE | {"version": 2}),
    "twice.yaml": Path(QUICKSTART).read_text() + "classes: 10\n",
    "twice.json": json.dumps(NETWORK).replace('"depth": 2', '"depth": 2, "depth": 3', 1),
    "tag.yaml": "!!set {input, classes, stages}",
    "mixer.json": json.dumps(MIXER | {"kernel_size": 4, "colour": "red"}),
    "inside.json": json.dumps({"architecture": MIXER}),
    "many.yaml": yaml.safe_dump(
        SPACE
        | {
            "mixers": [
                {
                    "operator": "all",
                    **{key: list(range(1, 60)) for key in ("kernel_size", "heads", "ratio")},
                }
            ]
        }
    ),
    "wide.yaml": yaml.safe_dump(SPACE | {"stages": [{"depth": 1, "width": list(range(1, 5000))}]}),
    "choices.yaml": yaml.safe_dump(
        SPACE | {"stages": [{"depth": list(range(1, 200)), "width": list(range(1, 200))}]}
    ),
    "depth.yaml": yaml.safe_dump(SPACE | {"stages": [{"depth": 1000, "width": 32}]}),
}


@pytest.mark.parametrize("name", thorough_but(HOSTILE, lambda name: name != "deep.yaml"))
def test_hostile_files_are_refused(name: str, tmp_path: Path) -> None:
    path, content = tmp_path / name, HOSTILE[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in COMMANDS:
        assert check(command, path) == 2


def test_folders_are_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert check(["count"], folder) == 2
    assert ran(["cost"], Path("a\0b.json"))[0] == 2


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_damaged_spaces_give_nothing_but_input_errors(random: Any) -> None:
    damaged = copy.deepcopy(EVERYTHING)
    for _ in range(random.randint(1, 3)):
        damage(damaged, random)
    try:
        space = DesignSpace.from_dict(damaged)
    except InputError:
        return
    assert space.sample(np.random.default_rng(0)).id


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_what_a_damaged_space_accepts_it_counts_and_draws(source: random.Random) -> None:
    damaged = copy.deepcopy(EVERYTHING)
    damaged["mixers"] = damaged["mixers"][1:]
    for _ in range(source.randint(1, 2)):
        damage(damaged, source)
    damaged["limits"] = {"params": "60k", "macs": source.choice(["1M", "3M"])}
    try:
        space = DesignSpace.from_dict(damaged)
    except InputError:
        return
    assert 1 <= space.count() <= space.size_hint()
    assert space.contains(space.sample(np.random.default_rng(0)))
    assert space.contains(next(space.enumerate()))
