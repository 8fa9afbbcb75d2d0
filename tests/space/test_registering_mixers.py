"""Registering token mixers: what is said of one is checked, and modules are found that do so."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from space import CustomMixer, InputError
from space.custom import register_mixer, registered_mixers
from space.custom.plugins import load_plugins
from space.custom.registry import _load_entry_points, forget, registered
from tests.space.own_mixers import NAMES, Gate, mixers, put
from tests.space.test_space_cli import run

__all__ = ["mixers"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"name": "vit"}, "name: 'vit' is an operator of mixspace itself"),
        ({"name": "dw s conv"}, "is an operator of mixspace itself"),
        ({"name": "Sliding/Separable/Full/Both/Static"}, "name:"),
        ({"name": "all"}, "is an operator of mixspace itself"),
        ({"name": "a + b"}, "letters, digits, spaces, dots or dashes"),
        ({"name": ""}, "name: '' is not allowed"),
        ({"version": 0}, "version: must be a whole number from 1; got 0"),
        ({"marks": {"locality": "near"}}, "marks.locality: 'near' is not allowed; allowed: global"),
        ({"marks": {"rank": "full"}}, "marks.rank: is no mark; allowed: locality, channels"),
        ({"marks": {"locality": "window"}}, "marks.kernel_size: is required by this locality"),
        ({"marks": {"channels": "grouped"}}, "marks.channels: grouped needs an option `groups`"),
        ({"options": {"heads": 4}}, "factory: tests.space.own_mixers.Gate is called with (width"),
        ({"options": {"a b": 4}}, "options.a b: is no name that an option can have"),
        ({"options": {"heads": [1, 2.0]}}, "options.heads: has values of several types: 1, 2.0"),
        ({"options": {"heads": "many"}}, "options.heads: must be a whole number; got 'many'"),
        ({"options": {"width": 3}}, "options.width: is no name that an option can have"),
        ({"divide_width": ["heads"]}, "divide_width: 'heads' is no option of it"),
        ({"divide_width": "heads"}, "divide_width: 'heads' is no option of it"),
        ({"divide_width": 3}, "divide_width: must be a list of names; got 3"),
        ({"options": {"rank": [1, 2]}}, "options.rank: is no name that an option can have"),
        ({"options": {"k": []}}, "options.k: must be a default, or a list of the values that it"),
        ({"options": {"k": None}}, "options.k: must be a default, or a list of the values that it"),
        ({"options": 3}, "options: must be a mapping from name to default; got 3"),
        ({"relatives": 3}, "relatives: must be a list of names; got 3"),
        ({"relatives": {"ViT": 3}}, "relatives: must be a mapping from name to text"),
        ({"relatives": ["Test Other"]}, "relatives: 'test other' is no relative of itself"),
        ({"params": 3}, "params: must be a function (width, size, **options); got 3"),
        ({"name": 3}, "name: must be a text; got 3. Write @register_mixer"),
        ({"name": Gate}, "name: must be a text; got type. Write @register_mixer"),
    ],
)
def test_a_definition_is_checked_when_it_is_registered(declared: dict[str, Any], said: str) -> None:
    name = declared.pop("name", "test other")
    with pytest.raises(InputError, match=r".*") as refused:
        put(name, Gate, **declared)
    assert said in str(refused.value)
    assert registered("test other") is None


def test_a_plugin_whose_code_breaks_is_named(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "breaks_at_once.py").write_text("1 / 0\n")
    (tmp_path / "needs_more.py").write_text("import no_such_thing\n")
    (tmp_path / "takes_a_name.py").write_text(
        "from mixspace import register_mixer\nregister_mixer('ViT')(lambda width, size: None)\n"
    )
    with pytest.raises(InputError) as refused:
        load_plugins(["breaks_at_once", "needs_more", "takes_a_name"])
    first, second, third = str(refused.value).splitlines()
    assert (
        first
        == "plugins[0]: 'breaks_at_once' cannot be imported: ZeroDivisionError: division by zero"
    )
    assert second.startswith("plugins[1]: 'needs_more' cannot be imported: ModuleNotFoundError")
    assert third == "plugins[2].name: 'ViT' is an operator of mixspace itself"


def test_registered_mixers_are_listed_in_the_order_of_their_names() -> None:
    names = [each.name for each in registered_mixers()]
    assert names == sorted(names, key=lambda name: name.replace(" ", ""))
    assert set(NAMES[:2]) <= set(names)


def test_a_module_is_named_as_python_imports_it() -> None:
    for given in ("my_mixers.py", "./my_mixers", "my_mixers.py/", ""):
        with pytest.raises(InputError, match=r"is no name of a module; write it as Python imports"):
            load_plugins([given])


def test_one_that_is_no_module_cannot_be_registered() -> None:
    for factory in (3, None):
        with pytest.raises(InputError, match="factory: "):
            put("test other", factory)


def test_a_package_that_cannot_be_imported_breaks_no_other(monkeypatch: Any) -> None:
    broken = EntryPoint("broken", "no_such_module_at_all", "mixspace.mixers")
    monkeypatch.setattr("space.custom.registry.entry_points", lambda **_: (broken,))
    monkeypatch.setattr("space.custom.registry._BROKEN", [])
    _load_entry_points.cache_clear()
    try:
        assert registered("nobody at all") is None
        with pytest.raises(InputError, match=r"the mixers of the package broken .* cannot be"):
            CustomMixer("nobody at all")
        assert registered("test pool") is not None
    finally:
        _load_entry_points.cache_clear()


def test_a_variable_names_modules_for_what_reads_no_space(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "from tests.space.own_mixers import Gate, put\nput('test other', Gate)\n"
    (tmp_path / "of_a_variable.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MIXSPACE_PLUGINS", "of_a_variable,")
    _load_entry_points.cache_clear()
    assert registered("test other") is not None
    monkeypatch.setenv("MIXSPACE_PLUGINS", "of_a_variable, of_no_variable")
    _load_entry_points.cache_clear()
    with pytest.raises(InputError, match=r"MIXSPACE_PLUGINS\[1\]: there is no module 'of_no"):
        registered("nobody at all")
    monkeypatch.delenv("MIXSPACE_PLUGINS")
    _load_entry_points.cache_clear()


def test_a_relative_may_be_one_name() -> None:
    put("test other", Gate, relatives="ViT")
    found = registered("test other")
    assert found is not None
    assert dict(found.relatives) == {"ViT": ""}


def test_a_decorated_class_stays_itself() -> None:
    decorated = register_mixer("test other")(Gate)
    assert decorated is Gate
    assert issubclass(decorated, nn.Module)


def test_a_mixer_in_a_file_is_shown_once_its_module_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shown_mixers.py").write_text(
        "from torch import nn\n"
        "from space import register_mixer\n\n"
        "register = register_mixer('test shown', marks={'locality': 'global'})\n"
        "register(lambda width, size: nn.Identity())\n"
    )
    file = tmp_path / "mixer.json"
    file.write_text('{"custom": "test shown"}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    code, _, said = run(capsys, "show", str(file))
    assert code == 2
    assert "no mixer is registered by the name 'test shown'" in said
    assert "--plugin" in said
    try:
        code, out, _ = run(capsys, "show", str(file), "--plugin", "shown_mixers", "--json")
        assert code == 0
        assert json.loads(out)["position_mask"] == [[1] * 14] * 14
        assert "depends on the network around it" in run(capsys, "cost", str(file))[2]
    finally:
        forget("test shown")
