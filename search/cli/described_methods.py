"""Searchers and schedulers in words: what each does, and its options, as their classes say it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from search.options import Options
from search.registry import Registry
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.errors import InputError

_REGISTRIES: Mapping[str, Registry[Any]] = {"searcher": SEARCHERS, "scheduler": SCHEDULERS}


@dataclass(frozen=True, slots=True)
class DescribedOption:
    """An option of a method.

    Attributes:
        name: of the option.
        required: whether it must be given; then it has no default.
        default: in plain values.
        allowed: its values, in words.
        words: what it is.
    """

    name: str
    required: bool
    default: Any
    allowed: str
    words: str


@dataclass(frozen=True, slots=True)
class Method:
    """A searcher or a scheduler.

    Attributes:
        kind: "searcher" or "scheduler".
        name: that a configuration chooses it by.
        package: which brings it; None are our own.
        words: what it does, on one line.
        multi_objective: whether it takes several objectives.
        options: in the order in which they are declared.
        problem: why it cannot be used, and then nothing else is known of it; else None.
    """

    kind: str
    name: str
    package: str | None
    words: str = ""
    multi_objective: bool | None = None
    options: tuple[DescribedOption, ...] = ()
    problem: str | None = None


def methods(name: str | None = None) -> list[Method]:
    """The searchers and schedulers that there are, our own before those of other packages.

    Args:
        name: only what has this name; no other class is imported then.
    """
    return [
        _described(kind, each)
        for kind, registry in _REGISTRIES.items()
        for each in registry.names
        if name is None or each == name
    ]


def ignored(name: str | None = None) -> list[str]:
    """What is said of entry points that are left out, of all or of those with this name."""
    return [said for registry in _REGISTRIES.values() for said in registry.ignored(name)]


def method_names() -> list[str]:
    """All names, each once."""
    return list(dict.fromkeys(n for registry in _REGISTRIES.values() for n in registry.names))


def _described(kind: str, name: str) -> Method:
    registry = _REGISTRIES[kind]
    package = registry.package(name)
    try:
        found: Any = registry.kind(name)
    except InputError as error:
        said = "; ".join(problem.message for problem in error.problems)
        return Method(kind, name, package, problem=said)
    words = " ".join(cleandoc(found.__doc__ or "").partition("\n\n")[0].split())
    options = tuple(_options(found.Options))
    return Method(kind, name, package, words, found.multi_objective, options)


class _Lenient(GenerateJsonSchema):
    """Schemas of options; a type of another package may have none, and then says nothing."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        """Anything."""
        return {}


def _options(options: type[Options]) -> Iterator[DescribedOption]:
    schema = options.model_json_schema(schema_generator=_Lenient)
    definitions = schema.get("$defs", {})
    for name in options.named():
        field = options.model_fields[name]
        allowed = _allowed(schema["properties"][name], definitions)
        yield DescribedOption(
            name, field.is_required(), _default(field), allowed, options.words(name)
        )


_PLAIN: TypeAdapter[Any] = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="strings"))


def _default(field: FieldInfo) -> Any:
    """As plain values; None also where it is made of the other options."""
    if field.is_required() or field.default_factory_takes_validated_data:
        return None
    value = field.get_default(call_default_factory=True)
    return json.loads(_PLAIN.dump_json(value, fallback=str))


_KINDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "array": "list",
    "object": "mapping",
    "null": "null",
}


def _allowed(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a JSON schema allows, in words; nothing where it allows anything."""
    if "$ref" in schema:
        return _allowed(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return ", ".join(map(json.dumps, schema["enum"]))
    if branches := schema.get("anyOf", schema.get("oneOf")):
        return ", or ".join(filter(None, (_allowed(each, definitions) for each in branches)))
    return ", ".join(filter(None, (_KINDS.get(schema.get("type", ""), ""), _bounds(schema))))


def _bounds(schema: Mapping[str, Any]) -> str:
    """Such as "1 to 100", or "more than 0"."""
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    said = (f"{word} {schema[key]:,}" for key, word in words.items() if key in schema)
    return " and ".join(said)
