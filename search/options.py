"""Options of searchers and schedulers: declared once, in the class that has them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from inspect import cleandoc
from numbers import Integral, Real
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from space.errors import InputError, Problem, refuse
from space.input.earlier_names import with_current_names
from space.input.pydantic_errors import problems_from_pydantic


class Options(BaseModel):
    """What can be chosen of a searcher or a scheduler; its class has a subclass of this.

    Attributes:
        name: of the searcher or the scheduler, where it was chosen by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    renamed: ClassVar[Mapping[str, str]] = {}
    """Options that had another name in earlier releases: that name, and the one of today."""

    name: str = ""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, values: Any) -> Any:
        """NumPy's numbers, decimals and fractions are numbers too."""
        if not isinstance(values, Mapping):
            return values
        return {name: _plain_number(value) for name, value in values.items()}

    def refusals(self, fidelities: int, called: str) -> Mapping[str, str]:
        """Why these options do not go with so long an evaluation; a subclass may say something.

        Bounds of a field say what its value may be. What depends on the length of a training is
        asked for here, when a configuration is read and when `optimize` begins:

            def refusals(self, fidelities, called):
                if self.wait <= fidelities:
                    return {}
                return {"wait": f"must not exceed {called} ({fidelities}); got {self.wait}"}

        Args:
            fidelities: epochs of a whole training.
            called: where people set them, such as "protocol.epochs", for the messages.

        Returns:
            What is wrong, by the name of the option; empty where all is well.
        """
        return {}

    @classmethod
    def named(cls) -> list[str]:
        """The names of all options."""
        return [name for name in cls.model_fields if name != "name"]

    @classmethod
    def words(cls, option: str) -> str:
        """What an option is, as the docstring of its class says it in the form `option: words`.

        Lines that are set further in belong to it. Empty where no docstring has it.
        """
        entry = re.compile(rf"^( *)(?:.* )?{re.escape(option)}: (.*(?:\n\1 +\S.*)*)", re.MULTILINE)
        kinds = [kind for kind in cls.__mro__ if issubclass(kind, Options)]
        found = (entry.search(cleandoc(kind.__doc__ or "")) for kind in kinds)
        return next((" ".join(each[2].split()) for each in found if each), "")

    @classmethod
    def read(cls, name: str, values: Mapping[str, Any]) -> "Options":
        """The options of these values.

        Args:
            name: of the searcher or the scheduler.
            values: by option; what is left out has its default.

        Raises:
            InputError: with every option that there is not, and every value that cannot be.
        """
        problems: list[Problem] = []
        try:
            values = with_current_names(dict(values), cls.renamed, "", ("option", name))
        except InputError as error:
            problems += error.problems
        allowed = cls.named()
        said = f"allowed: {', '.join(allowed)}" if allowed else "it has no options"
        problems += [
            Problem(str(option), f"unknown option of {name!r}; {said}")
            for option in values
            if option not in allowed and option not in cls.renamed
        ]
        known = {option: value for option, value in values.items() if option in allowed}
        try:
            found = cls.model_validate({"name": name} | known)
        except ValidationError as error:
            problems += problems_from_pydantic(error, model=cls)
        refuse(problems)
        return found


def _plain_number(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real | Decimal) else value
