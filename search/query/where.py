"""The where language: parsed once into a tree of allowed fields, compiled with bound values.

    or         = and ("or" and)*
    and        = not ("and" not)*
    not        = "not" not | "(" or ")" | comparison
    comparison = subject ( = != < <= > >= ) VALUE
               | subject ["not"] "in" "(" VALUE ("," VALUE)* ")"
    subject    = ["any"] ["stage" NUMBER] FIELD ["at" EPOCH]

A field of mixers (kernel, dynamics, …) must hold for every mixer of the architecture; with
`any` for at least one; with `stage 3` only those of the third stage count, which a network must
have. What has no value (the kernel of a global mixer, the accuracy of a trial without epochs)
fulfils no comparison, not even `!=`. A date without a time of day is the whole day. The name of
an operator is any that `space.mixer_type_named` knows: case and punctuation do not matter, and a
label will do.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.sql.visitors import iterate

from search.metrics import METRICS
from search.numeric import parse_milliseconds
from search.query.where_dates import parse_period
from search.query.where_tokens import Token, mistake, parse_number, tokens, why_no_share
from search.query.where_tree import (
    FIELDS,
    And,
    Comparison,
    Field,
    Kind,
    Node,
    Not,
    Or,
    Value,
    comparisons,
    compiled,
    unreachable,
)
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import StaleRuns, effective
from search.store.statements import table_of
from space.architecture import MAX_STAGES
from space.custom.registry import registered
from space.errors import InputError, Problem
from space.mixer_types import (
    LITERATURE_NAMES,
    PAPER_NAMES,
    is_operator_name,
    mixer_type_named,
)
from space.wording import closest, did_you_mean

MAX_DEPTH = 50
MAX_VALUES = 200
_EQUALITY = ("=", "!=")
_ORDER = ("<", "<=", ">", ">=")
_SAME = {"==": "=", "<>": "!="}
_KEYWORDS = ("and", "or", "not", "in", "any", "stage")
MAX_EPOCH = 100_000
"""As many epochs as a protocol may have."""
_WHOLE = re.compile("[0-9]{1,7}")
HASH_DIGITS = 16
_HASH = re.compile(f"[0-9a-fA-F]{{1,{HASH_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed where-clause."""

    text: str
    tree: Node

    @property
    def fields(self) -> set[str]:
        """The fields that it compares, aliases resolved."""
        return {each.field.name for each in comparisons(self.tree)}

    @property
    def hints(self) -> list[str]:
        """What is said of its comparisons that nothing, or nothing in this store, can fulfil."""
        return [*unreachable(self.tree), *_unknown_names(self.tree)]

    @property
    def studies(self) -> list[str]:
        """The names of which a study may have one, to fulfil the clause."""
        of_studies = (
            each
            for each in comparisons(self.tree)
            if each.field.name == "study" and each.operator in ("=", "in")
        )
        return list(dict.fromkeys(str(value) for each in of_studies for value in each.values))

    @property
    def is_of_one_protocol(self) -> bool:
        """Whether it can hold of the results of one protocol alone, as far as the words tell."""
        return _asks_for_one(self.tree)

    def clause(self) -> ColumnElement[bool]:
        """A condition for a query that joins trials, architectures and studies."""
        return compiled(self.tree)

    def also(self, other: "Where") -> "Where":
        """The clause that holds where both do."""
        return Where(f"({self.text}) and ({other.text})", And((self.tree, other.tree)))


def _asks_for_one(node: Node) -> bool:
    """Whether a tree holds of one protocol at most: it is compared with a whole hash."""
    match node:
        case And(parts=parts):
            return any(map(_asks_for_one, parts))
        case Comparison(field=field, operator="=" | "in", values=(str(value),)):
            return field.is_hash and len(value) == HASH_DIGITS
    return False


def parse_where(text: str) -> Where:
    """Parses a where-clause.

    Raises:
        InputError: where="--where"; the message marks the place and says what is allowed.
    """
    return Where(text, _Parser(text).whole())


def joined(*columns: Any) -> Select[Any]:
    """A query of trials joined with their architectures and studies."""
    return (
        select(*columns)
        .select_from(TrialRow)
        .join(ArchitectureRow, ArchitectureRow.id == TrialRow.architecture_id)
        .join(StudyRow, StudyRow.id == TrialRow.study_id)
    )


def joined_for(conditions: Sequence[ColumnElement[bool]], *columns: Any) -> Select[Any]:
    """The columns of the trials that fulfil conditions on what `joined` gives.

    Architectures are joined only where the columns or the conditions speak of them: each trial has
    one, and to read so many rows takes most of the time.
    """
    architectures = table_of(ArchitectureRow)
    speaks = any(
        getattr(part, "table", None) is architectures
        for each in (*columns, *conditions)
        for part in iterate(_expression(each))
    )
    query = select(*columns).select_from(TrialRow).join(StudyRow, StudyRow.id == TrialRow.study_id)
    return (joined(*columns) if speaks else query).where(*conditions)


def _expression(element: Any) -> Any:
    """An attribute of a model as the expression that it stands for."""
    return getattr(element, "expression", element)


def matching(
    where: Where | str | None, study: str | None, stale: StaleRuns
) -> list[ColumnElement[bool]]:
    """A filter as conditions on what `joined` gives.

    Raises:
        InputError: a malformed where-clause.
    """
    parsed = parse_where(where) if isinstance(where, str) else where
    conditions = [] if parsed is None else [effective(parsed.clause(), stale)]
    return [*conditions, *([] if study is None else [StudyRow.name == study])]


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0
        self._values = 0

    def whole(self) -> Node:
        node = self._or()
        if self._peek().kind != "end":
            raise self._mistake("expected 'and', 'or' or the end")
        return node

    def _or(self) -> Node:
        parts = self._list(self._and, "or")
        return parts[0] if len(parts) == 1 else Or(parts)

    def _and(self) -> Node:
        parts = self._list(self._not, "and")
        return parts[0] if len(parts) == 1 else And(parts)

    def _list(self, part: Callable[[], Node], joint: str) -> tuple[Node, ...]:
        parts = [part()]
        while self._accept(joint):
            parts.append(part())
        return tuple(parts)

    def _not(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._mistake(f"nested deeper than {MAX_DEPTH}")
        node = self._nested()
        self._depth -= 1
        return node

    def _nested(self) -> Node:
        if self._accept("not"):
            return Not(self._not())
        if self._accept("("):
            node = self._or()
            self._close()
            return node
        return self._comparison()

    def _comparison(self) -> Comparison:
        any_mixer = self._accept("any")
        stage = self._number_after("stage", MAX_STAGES)
        field = self._field()
        if (any_mixer or stage is not None) and not field.of_mixer:
            self._next -= 1
            word = "any" if stage is None else "stage"
            raise self._mistake(f"{word!r} goes with fields of mixers: {_listed(of_mixer=True)}")
        if self._peek().keyword == "at" and field.of_epoch is None:
            names = ", ".join(dict.fromkeys(f.name for f in FIELDS.values() if f.of_epoch))
            raise self._mistake(f"'at' an epoch goes with {names}")
        epoch = self._number_after("at", MAX_EPOCH)
        operator = self._operator(field)
        is_set = operator in ("in", "not in")
        values = self._set(field) if is_set else (self._value(field),)
        return Comparison(field, operator, values, any_mixer, stage, epoch)

    def _number_after(self, word: str, most: int) -> int | None:
        """The whole number that follows a word, where that comes next."""
        if not self._accept(word):
            return None
        token = self._peek()
        is_whole = token.kind == "word" and _WHOLE.fullmatch(token.text)
        if not is_whole or not 1 <= int(token.text) <= most:
            what = {"stage": "a stage", "at": "an epoch"}[word]
            raise self._mistake(f"expected the number of {what}, 1 to {most}, after {word!r}")
        return int(self._take().text)

    def _field(self) -> Field:
        token = self._peek()
        if token.kind != "word" or token.keyword in _KEYWORDS:
            raise self._mistake(f"expected a field: {_listed()}")
        if token.keyword not in FIELDS:
            hint = _what_is_meant(token.keyword)
            raise self._mistake(f"unknown field {token.text!r}{hint} Allowed: {_listed()}")
        return FIELDS[self._take().keyword]

    def _operator(self, field: Field) -> str:
        allowed = _EQUALITY + (_ORDER if field.kind in (Kind.NUMBER, Kind.DATE) else ())
        token = self._peek()
        operator = _SAME.get(token.text, token.text)
        if token.kind == "operator" and operator in allowed:
            self._take()
            return operator
        if self._accept("in"):
            return "in"
        if token.keyword == "not" and self._tokens[self._next + 1].keyword == "in":
            self._next += 2
            return "not in"
        raise self._mistake(f"expected one of {' '.join(allowed)} or in after {field.name!r}")

    def _set(self, field: Field) -> tuple[Value, ...]:
        if not self._accept("("):
            raise self._mistake("expected '(' and the values, such as in (a, b)")
        values = [self._value(field)]
        while self._accept(","):
            values.append(self._value(field))
        self._close()
        return tuple(values)

    def _value(self, field: Field) -> Value:
        token = self._peek()
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._mistake(f"more than {MAX_VALUES} values")
        if token.kind not in ("word", "quoted"):
            raise self._mistake(f"expected {_expected(field)}")
        try:
            value = _read(field, token)
        except InputError as error:
            raise self._mistake("; ".join(p.message for p in error.problems)) from None
        if value is None:
            raise self._mistake(f"{token.text!r} is no {field.name}; expected {_expected(field)}")
        share = value if field.is_share and isinstance(value, float) else 0.0
        if (why := why_no_share(token.text, share)) is not None:
            raise self._mistake(why)
        self._take()
        return value

    def _close(self) -> None:
        if not self._accept(")"):
            raise self._mistake("expected ')'")

    def _accept(self, text: str) -> bool:
        """Takes the next token where it is this keyword or punctuation mark; whether it did."""
        token = self._peek()
        found = token.keyword == text or (token.kind, token.text) == ("punctuation", text)
        self._next += found
        return found

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _mistake(self, message: str) -> Exception:
        return mistake(self._text, self._peek().start, message)


def _what_is_meant(name: str) -> str:
    """What follows an unknown field: the one that is near, or why there is none of that metric."""
    near = closest(name, [*FIELDS, *METRICS])
    if near in METRICS and near not in FIELDS:
        known = ", ".join(metric for metric in METRICS if metric in FIELDS)
        return f": of the metrics only {known} can be asked for."
    return did_you_mean(name, FIELDS) or "."


def _read(field: Field, token: Token) -> Value | None:
    """The value that the token stands for; None when the field knows no such value.

    Raises:
        InputError: no operator has this name.
    """
    if field.is_time:
        return _milliseconds(token)
    if field.kind is Kind.DATE:
        return parse_period(token.text)
    if field.kind is Kind.NUMBER:
        is_number = token.kind == "word" and (field.is_share or "%" not in token.text)
        return parse_number(token.text) if is_number else None
    if field.kind is Kind.WORD:
        return token.text.lower() if token.text.lower() in field.words else None
    if field.kind is Kind.OPERATOR:
        return _operator_name(token)
    if field.is_hash:
        return token.text.lower() if _HASH.fullmatch(token.text) else None
    return token.text


def _milliseconds(token: Token) -> float | None:
    try:
        return parse_milliseconds(token.text) if token.kind == "word" else None
    except ValueError:
        return None


def _operator_name(token: Token) -> str:
    """The name as stores have it; one that nobody knows here may be that of a custom mixer.

    Raises:
        InputError: a word without quotes that no operator is named by.
    """
    found = None if is_operator_name(token.text) else registered(token.text)
    if found is not None:
        return found.name
    if token.kind == "quoted" and not is_operator_name(token.text) and "/" not in token.text:
        return token.text
    try:
        return mixer_type_named(token.text).name
    except InputError as error:
        more = "; that of a mixer of your own stands in quotes"
        raise InputError(Problem(p.where, p.message + more) for p in error.problems) from None


def _unknown_names(tree: Node) -> Iterator[str]:
    values = (v for each in comparisons(tree) if each.field.name == "name" for v in each.values)
    for name in dict.fromkeys(map(str, values)):
        if not is_operator_name(name) and registered(name) is None:
            hint = did_you_mean(name, [*PAPER_NAMES, *LITERATURE_NAMES.values()])
            yield f"{name!r} is no operator of mixspace{hint}: it is taken for a mixer of your own"


def _expected(field: Field) -> str:
    if field.is_share:
        return "a share such as 0.9 or 90%"
    if field.is_time:
        return "a time such as 5 ms, 800us or 1.5s; a bare number is milliseconds"
    if field.kind is Kind.DATE:
        return "a date such as 2026-11-01, 2026-11 or 2026-11-01T10:30 (UTC, or with its zone)"
    if field.kind is Kind.NUMBER:
        return "a number such as 7, 0.9, 200k, 1.5M or 4.5G"
    if field.kind is Kind.WORD:
        return "one of " + ", ".join(field.words)
    if field.kind is Kind.OPERATOR:
        return "the name of an operator such as ViT or 'DW-S Conv.', a label, or a name in quotes"
    if field.is_hash:
        return "its hash or the beginning of it, hexadecimal digits such as 3f2a"
    return "a word or a quoted text"


def _listed(of_mixer: bool = False) -> str:
    return ", ".join(name for name, field in FIELDS.items() if field.of_mixer or not of_mixer)
