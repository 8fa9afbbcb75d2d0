"""The weight sources that there are: the folders of `space/weight_sources`, found, not listed."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from space.weight_source import WeightSource

_FOLDER = "space.weight_sources"


def found_sources() -> dict[str, WeightSource]:
    """All weight sources by their words, in the order of the axis.

    Raises:
        ValueError: for a folder of another name than its source's, and for a number that two have.
    """
    folder = import_module(_FOLDER)
    words = [module.name for module in iter_modules(folder.__path__) if module.ispkg]
    sources: list[WeightSource] = [import_module(f"{_FOLDER}.{word}").SOURCE for word in words]
    for word, source in zip(words, sources, strict=True):
        if word != source.word:
            raise ValueError(f"the folder {word} of {_FOLDER} declares the source {source.word!r}")
    sources.sort(key=lambda source: source.number)
    numbers = [source.number for source in sources]
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"weight sources {', '.join(words)}: two have one number of {numbers}")
    return {source.word: source for source in sources}


SOURCES: Mapping[str, WeightSource] = found_sources()
"""Those that were there when the axis was made."""


def of_source(word: str, module: str, name: str) -> Any:
    """What the folder of a source has of this name in a module."""
    return getattr(import_module(f"{_FOLDER}.{word}.{module}"), name)
