"""What holds for everything that is chosen by a name: searchers and schedulers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from search.registry import Registry
from space.errors import InputError


class RegisteredSuite:
    """Checks of the name and the options.

    Attributes:
        name: that a configuration chooses it by.
        options: that its other checks are made with; those left out have their defaults.
    """

    registry: ClassVar[Registry[Any]]
    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    def test_it_is_chosen_by_its_name_with_all_defaults(self) -> None:
        """The same as by a mapping, and by what was read of it before."""
        by_name = self.registry.options(self.name)
        assert by_name == self.registry.options({"name": self.name})
        assert by_name == self.registry.options(by_name.model_dump())
        assert by_name.name == self.name

    def test_every_option_has_words_that_say_what_it_is(self) -> None:
        """In the docstring of its `Options`, as `option: words`; `search methods` prints them."""
        kind: Any = self.registry.kind(self.name)
        silent = [option for option in kind.Options.named() if not kind.Options.words(option)]
        assert not silent

    def test_its_options_say_with_which_lengths_they_do_not_go(self) -> None:
        """In words, by the name of the option; see `Options.refusals`."""
        for chosen in (self.name, {"name": self.name, **self.options}):
            options = self.registry.options(chosen)
            for epochs in (1, 2, 9, 10**6):
                for option, message in options.refusals(epochs, "protocol.epochs").items():
                    assert option in options.named()
                    assert isinstance(message, str)
                    assert message

    def test_an_option_that_there_is_not_is_refused_by_name(self) -> None:
        """With the options that there are."""
        with pytest.raises(InputError) as refused:
            self.registry.options({"name": self.name, "no such option": 1})
        (problem,) = refused.value.problems
        assert problem.where == "no such option"
        assert f"unknown option of {self.name!r}" in problem.message
