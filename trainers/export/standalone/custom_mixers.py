"""Mixers that were registered by name: their own source, where a file can have it.

That is so for a class at the top level of a module, if all that it names is of torch, of the
standard library, or defined beside it. What it names there comes with it, word for word; only the
decorator `register_mixer` stays behind.
"""

import ast
import builtins
import inspect
import json
import symtable
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from space.custom import CustomMixer
from space.errors import InputError
from space.geometry import MapSize
from trainers.export.standalone.imports import Import
from trainers.export.standalone.text import Call, call

_OURS = ("mixspace", "space")
_REGISTER = "register_mixer"
_MAP_SIZE = "MapSize"
_NOT_GIVEN = ("longest", "reduced")
"""What `space.MapSize` has besides what mixers are promised."""

MAP_SIZE = '''class MapSize(NamedTuple):
    """Height and width of a map, in positions."""

    height: int
    width: int

    @property
    def positions(self) -> int:
        return self.height * self.width'''


class NotIncludedError(Exception):
    """Why the source of a mixer cannot stand in a file."""


@dataclass
class Included:
    """The source of a mixer: definitions by their names, in the order of their module, and imports.

    Attributes:
        texts: each definition.
        imports: by the names that they have in the file.
    """

    texts: dict[str, str] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)


def included(mixer: CustomMixer) -> Included:
    """The source of a mixer.

    Raises:
        NotIncludedError: with the reason.
    """
    try:
        factory = mixer.definition.factory
    except InputError as error:
        raise NotIncludedError(str(error)) from error
    if not inspect.isclass(factory) or "." in factory.__qualname__:
        raise NotIncludedError("it is made by a function, and no class at the top of a module")
    try:
        source = inspect.getsource(inspect.getmodule(factory) or factory)
    except (OSError, TypeError) as error:
        raise NotIncludedError("its source is in no file that can be read") from error
    return _Module(source, factory.__module__).needed_by(factory.__name__)


class _Module:
    """A module of a mixer: what is defined at its top, and what it imports there."""

    def __init__(self, source: str, name: str) -> None:
        self.source, self.name = source, name
        self.definitions: dict[str, ast.stmt] = {}
        self.imports: dict[str, Import] = {}
        for statement in ast.parse(source).body:
            for bound in _bound(statement):
                self.definitions[bound] = statement
            self.imports |= {each.bound: each for each in _imported(statement)}

    def needed_by(self, name: str) -> Included:
        found = Included()
        self._add(name, found)
        order = [each for each in self.definitions if each in found.texts]
        found.texts = {each: found.texts[each] for each in order}
        found.texts[name] = f"# As registered in {self.name}.\n{found.texts[name]}"
        return found

    def _add(self, name: str, found: Included) -> None:
        if name in found.texts:
            return
        if name in self.definitions:
            text = self._text(self.definitions[name])
            found.texts[name] = text
            for other in _global_names(text):
                self._add(other, found)
        elif name in self.imports:
            self._add_import(name, found)
        elif not hasattr(builtins, name):
            raise NotIncludedError(f"it names {name}, which the top of {self.name} does not define")

    def _add_import(self, name: str, found: Included) -> None:
        imported = self.imports[name]
        if imported.root in _OURS and imported.name == name == _MAP_SIZE:
            return  # every file with such mixers has it
        if imported.allowed:
            found.imports[name] = imported
        else:
            said = "which is neither of torch nor of the standard library"
            raise NotIncludedError(f"it imports {imported.module}, {said}")

    def _text(self, statement: ast.stmt) -> str:
        lines = self.source.splitlines()
        first = statement.lineno
        kept = ""
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            others = [each for each in statement.decorator_list if not _registers(each)]
            kept = "".join(f"@{ast.unparse(each)}\n" for each in others)
        for each in ast.walk(statement):
            if isinstance(each, ast.Attribute) and each.attr in _NOT_GIVEN:
                raise NotIncludedError(f"it asks for .{each.attr}, which sizes do not promise")
        return kept + "\n".join(lines[first - 1 : statement.end_lineno])


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [each.id for each in statement.targets if isinstance(each, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _imported(statement: ast.stmt) -> list[Import]:
    if isinstance(statement, ast.Import):
        return [Import(each.name, alias=each.asname or "") for each in statement.names]
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        return [Import(module, each.name, each.asname or "") for each in statement.names]
    return []


def _registers(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return bool(name == _REGISTER)


def _global_names(text: str) -> set[str]:
    """What a definition names that it does not define itself."""
    top = symtable.symtable(text, "mixer", "exec")
    own = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    named = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    for table in _inside(top):
        named |= {each.get_name() for each in table.get_symbols() if each.is_global()}
    return named - own - {"__class__", "super"}


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def takes_context(mixer: CustomMixer, width: int, size: MapSize) -> bool:
    """Whether its module is given the context besides the values; built without numbers."""
    torch: Any = import_module("torch")  # which whoever registered a module has imported
    operators: Any = import_module("space.operators.custom")
    with torch.device("meta"):
        return bool(operators.built(mixer, width, size).takes_context)


def making(mixer: CustomMixer, width: int, size: MapSize) -> Call:
    """The call that makes its module."""
    options = {name: _literal(value) for name, value in mixer.all_options.items()}
    of_size = call(_MAP_SIZE, size.height, size.width)
    return call(mixer.definition.factory.__name__, width, of_size, **options)


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


# --- in one file ----------------------------------------------------------------------------------


def refusal(mixer: CustomMixer) -> str | None:
    """Why a mixer cannot stand in a file, if so."""
    try:
        included(mixer)
    except NotIncludedError as error:
        return f"the mixer {mixer.label!r} cannot stand in a file of its own: {error}"
    return None


def all_included(mixers: Iterable[CustomMixer], taken: Mapping[str, object]) -> Included:
    """The sources of several mixers.

    Args:
        mixers: that can be included.
        taken: names that the rest of the file has, with what is imported by them, if so.

    Raises:
        NotIncludedError: for a name that would mean two things in the file.
    """
    whole = Included()
    for mixer in mixers:
        one = included(mixer)
        known = {**taken, **whole.texts, **whole.imports}
        for name, meaning in {**one.texts, **one.imports}.items():
            if known.get(name, meaning) != meaning:
                raise NotIncludedError(f"{name} of the mixer {mixer.label!r} is something else too")
        whole.texts |= one.texts
        whole.imports |= one.imports
    return whole
