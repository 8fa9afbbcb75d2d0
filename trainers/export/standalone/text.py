"""Python text that needs no formatter: calls, lists and docstrings broken as `ruff format` would.

An expression is a text, or one of the shapes below, which know where they may be broken.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

LINE_LENGTH = 100
INDENT = 4


@dataclass(frozen=True, slots=True)
class Call:
    """`head(argument, …)`."""

    head: str
    arguments: tuple["Expression", ...]

    def __str__(self) -> str:
        return f"{self.head}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Named:
    """`name=value`, an argument of a call."""

    name: str
    value: "Expression"

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Listing:
    """`[item, …]`, or with other brackets."""

    items: tuple["Expression", ...]
    brackets: str = "[]"

    def __str__(self) -> str:
        lone = "," if self.brackets == "()" and len(self.items) == 1 else ""
        return f"{self.brackets[0]}{', '.join(map(str, self.items))}{lone}{self.brackets[1]}"


@dataclass(frozen=True, slots=True)
class Loop:
    """`[element for name in values …]`; `loops` has each name with its values."""

    element: "Expression"
    loops: tuple[tuple[str, "Expression"], ...]

    def __str__(self) -> str:
        return f"[{self.inside()}]"

    def inside(self) -> str:
        """Without the brackets."""
        clauses = (f"for {name} in {values}" for name, values in self.loops)
        return " ".join([str(self.element), *clauses])


Expression = str | Call | Named | Listing | Loop


def call(head: str, *arguments: object, **named: object) -> Call:
    """A call of texts, numbers and expressions; named arguments that are None are left out."""
    given: list[Expression] = [_expression(each) for each in arguments]
    given += [Named(name, _expression(value)) for name, value in named.items() if value is not None]
    return Call(head, tuple(given))


def _expression(value: object) -> Expression:
    return value if isinstance(value, Expression) else str(value)


def broken(expression: Expression, indent: int, before: str = "", after: str = "") -> list[str]:
    """The lines of `before expression after`, broken where one line is too long."""
    pad = " " * indent
    flat = f"{pad}{before}{expression}{after}"
    if len(flat) <= LINE_LENGTH or isinstance(expression, str):
        return [flat]
    if isinstance(expression, Named):
        return broken(expression.value, indent, f"{before}{expression.name}=", after)
    if isinstance(expression, Call):
        opening, closing = f"{pad}{before}{expression.head}(", f"{pad}){after}"
        body = _arguments(expression.arguments, indent + INDENT)
    elif isinstance(expression, Listing):
        marks = expression.brackets
        opening, closing = f"{pad}{before}{marks[0]}", f"{pad}{marks[1]}{after}"
        body = _one_a_line(expression.items, indent + INDENT)
    else:
        opening, closing = f"{pad}{before}[", f"{pad}]{after}"
        body = _loop(expression, indent + INDENT)
    return [opening, *body, closing]


def _arguments(arguments: Sequence[Expression], indent: int) -> list[str]:
    """On one line where they fit."""
    joined = f"{' ' * indent}{', '.join(map(str, arguments))}"
    if len(joined) <= LINE_LENGTH:
        return [joined]
    lone = len(arguments) == 1 and isinstance(arguments[0], Listing | Loop)
    return broken(arguments[0], indent) if lone else _one_a_line(arguments, indent)


def _one_a_line(items: Sequence[Expression], indent: int) -> list[str]:
    return [line for item in items for line in broken(item, indent, after=",")]


def _loop(loop: Loop, indent: int) -> list[str]:
    joined = f"{' ' * indent}{loop.inside()}"
    if len(joined) <= LINE_LENGTH:
        return [joined]
    lines = broken(loop.element, indent)
    for name, values in loop.loops:
        lines += broken(values, indent, f"for {name} in ")
    return lines


def assign(target: str, expression: Expression, indent: int = 2 * INDENT) -> list[str]:
    """The lines of `target = expression`, in the body of a method unless told otherwise."""
    return broken(expression, indent, f"{target} = ")


def docstring(text: str, indent: int) -> list[str]:
    """The lines of a docstring; paragraphs of the text are filled, indented ones stay."""
    pad, width = " " * indent, LINE_LENGTH - indent
    first, *others = text.strip().split("\n\n")
    if not others and len(first) + 6 <= width:
        return [f'{pad}"""{first}"""']
    lines = textwrap.wrap(first, width, initial_indent='"""', break_long_words=False)
    for paragraph in others:
        kept = paragraph.startswith(" ")
        filled = textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        lines += ["", *(paragraph.splitlines() if kept else filled)]
    return [f"{pad}{line}" if line else "" for line in [*lines, '"""']]
