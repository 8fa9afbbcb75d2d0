"""Classes that are chosen by name: searchers and schedulers, ours and those of other packages."""

import logging
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from search.options import Options
from space.errors import InputError, Problem, refuse
from space.input.earlier_names import with_current_names
from space.wording import as_written, did_you_mean

Kind = TypeVar("Kind")
_say_once = cache(logging.getLogger(__name__).warning)


class Registry(Generic[Kind]):
    """Names, and the class of each.

    Another package adds classes by entry points, one for each name:

        [project.entry-points."mixspace.searchers"]
        my-search = "my_package:MySearcher"

    Args:
        what: "searcher" or the like, for messages.
        base: every class is one of its subclasses, with its options as `Options`.
        group: of entry points.
        places: "module:class" by name; a module is imported only when its class is asked for.
    """

    def __init__(self, what: str, base: type[Any], group: str, places: Mapping[str, str]) -> None:
        self._what, self._base = what, base
        self._group, self._places = group, dict(places)

    @property
    def built_in(self) -> tuple[str, ...]:
        """The names of our own."""
        return tuple(self._places)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that there are: our own, then those of other packages."""
        return (*self._places, *sorted(self._added))

    @cached_property
    def _found(self) -> tuple[EntryPoint, ...]:
        return tuple(entry_points(group=self._group))

    @cached_property
    def _added(self) -> dict[str, EntryPoint]:
        return {each.name: each for each in self._found if each.name not in self._places}

    def package(self, name: str) -> str | None:
        """The package that brings the class of a name; None where it is our own, or not known."""
        added = self._added.get(name)
        return added.dist.name if added is not None and added.dist is not None else None

    def ignored(self, name: object = None) -> list[str]:
        """What is said of entry points whose name another class has; of all, or of those so called.

        One cannot take a name of our own, and of two packages with the same name one counts.
        """
        taken = (e for e in self._found if self._added.get(e.name) is not e)
        return [
            f"The {self._what} {each.name} of the package {each.dist and each.dist.name} is "
            f"ignored: {self.package(each.name) or 'mixspace'} has one of that name."
            for each in taken
            if name in (None, each.name)
        ]

    def _say_ignored(self, name: object) -> None:
        for said in self.ignored(name):
            _say_once(said)

    def kind(self, name: object) -> type[Kind]:
        """The class of a name.

        Raises:
            InputError: there is none of that name, or another package's cannot be used.
        """
        if isinstance(name, str) and name in self._places:
            found: type[Kind] = EntryPoint(name, self._places[name], self._group).load()
            return found
        if isinstance(name, str) and name in self._added:
            return self._loaded(self._added[name])
        hint = did_you_mean(str(name), self.names)
        message = f"{name!r} is not allowed; allowed: {self._listed()}{hint}"
        raise InputError.of("name", message)

    def options(self, chosen: object) -> Options:
        """What a configuration says of it: a name alone, or a mapping with the name and options.

        Raises:
            InputError: with all that is wrong; the places are within the mapping.
        """
        if isinstance(chosen, Options):
            return chosen
        if isinstance(chosen, str):
            chosen = {"name": chosen}
        if not isinstance(chosen, Mapping):
            message = f"must be a name or a mapping of fields; got {as_written(chosen)}"
            message = f"{message}; allowed: {self._listed()}"
            raise InputError([Problem("", message)])
        if "name" not in chosen:
            message = f"this field is required: add 'name'; allowed: {self._listed()}"
            raise InputError.of("name", message)
        name = chosen["name"]
        self._say_ignored(name)
        rest = {option: value for option, value in chosen.items() if option != "name"}
        kind: Any = self.kind(name)
        found: Options = kind.Options.read(name, rest)
        return found

    def renamed(self, chosen: object) -> Mapping[str, str]:
        """The options of a choice by the names that they had in earlier releases.

        A package that is gone cannot say how it has renamed them.
        """
        if not isinstance(chosen, Mapping):
            return {}
        try:
            kind: Any = self.kind(chosen.get("name"))
        except InputError:
            return {}
        renamed: Mapping[str, str] = kind.Options.renamed
        return renamed

    def with_current_names(self, chosen: object) -> object:
        """What an earlier release stored of a choice, with the names that options have now."""
        return with_current_names(chosen, self.renamed(chosen), self._what)

    def chosen(
        self, name: str, options: object, fidelities: int
    ) -> tuple[type[Kind], dict[str, Any]]:
        """The class of a name, and checked options.

        Args:
            name: of the class.
            options: by name; None is none.
            fidelities: of a whole evaluation, with which the options must go.

        Raises:
            InputError: with all that is wrong; the places begin with what it is.
        """
        given = {} if options is None else options
        if not isinstance(given, Mapping):
            message = f"must be a mapping from option to value; got {options!r}"
            raise InputError.of(f"{self._what}_options", message)
        try:
            kind: Any = self.kind(name)
        except InputError as error:
            raise InputError([Problem(self._what, p.message) for p in error.problems]) from None
        self._say_ignored(name)
        try:
            read: Options = kind.Options.read(name, given)
        except InputError as error:
            raise error.below(self._what) from None
        refused = read.refusals(fidelities, "fidelities")
        refuse(Problem(f"{self._what}.{option}", said) for option, said in refused.items())
        return kind, read.model_dump(exclude={"name"})

    def _listed(self) -> str:
        return ", ".join(map(repr, self.names))

    def _loaded(self, added: EntryPoint) -> type[Kind]:
        whose = "" if added.dist is None else f" of the package {added.dist.name}"
        try:
            found = added.load()
        except Exception as error:
            message = f"{added.name!r}{whose} cannot be loaded: {type(error).__name__}: {error}"
            raise InputError.of("name", message) from error
        wrong = list(self._lacks(found))
        if wrong:
            raise InputError.of("name", f"{added.name!r}{whose} cannot be used: {'; '.join(wrong)}")
        kind: type[Kind] = found
        return kind

    def _lacks(self, found: Any) -> Iterator[str]:
        """What a class of another package lacks."""
        if not (isinstance(found, type) and issubclass(found, self._base)):
            yield f"{found!r} is no subclass of {self._base.__module__}.{self._base.__qualname__}"
            return
        if abstract := sorted(getattr(found, "__abstractmethods__", ())):
            yield f"{found.__qualname__} does not define {', '.join(abstract)}"
        options = getattr(found, "Options", None)
        if not (isinstance(options, type) and issubclass(options, Options)):
            yield f"{found.__qualname__}.Options is no subclass of search.options.Options"
