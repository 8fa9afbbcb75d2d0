import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import FIELDS, parse_where
from search.query.where_dates import Period, parse_period
from search.query.where_tokens import parse_number
from search.query.where_tree import And, Comparison, Not, Or
from space.custom.registry import forget
from space.errors import InputError
from tests.query.strategies import JUNK, clauses
from tests.space.own_mixers import POOLED, Pool, put


def message(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_where(text)
    (problem,) = caught.value.problems
    assert problem.where == "where"
    return problem.message


def test_precedence_and_shape() -> None:
    tree = parse_where("params < 1k or not depth = 2 and (heads >= 4 or state in (failed))").tree
    assert tree == Or(
        (
            Comparison(FIELDS["params"], "<", (1000.0,)),
            And(
                (
                    Not(Comparison(FIELDS["depth"], "=", (2.0,))),
                    Or(
                        (
                            Comparison(FIELDS["heads"], ">=", (4.0,)),
                            Comparison(FIELDS["state"], "in", ("failed",)),
                        )
                    ),
                )
            ),
        )
    )


def test_aliases_case_and_spellings() -> None:
    assert parse_where("MACS == 4.5G AND Kernel_Size <> 7").tree == And(
        (
            Comparison(FIELDS["flops"], "=", (4.5e9,)),
            Comparison(FIELDS["kernel"], "!=", (7.0,)),
        )
    )
    assert parse_where("validation_accuracy > 0.5").tree == parse_where("accuracy > 0.5").tree
    assert parse_where("scaffold = conv").tree == parse_where("block_type = conv").tree
    quoted = parse_where("operator = 'DW-S Conv.' and study not in (a-b, \"and\", 2026-x)").tree
    assert quoted == And(
        (
            Comparison(FIELDS["name"], "=", ("DW-S Conv.",)),
            Comparison(FIELDS["study"], "not in", ("a-b", "and", "2026-x")),
        )
    )
    found = parse_where("any dynamics = Attention")
    assert found.tree == Comparison(FIELDS["dynamics"], "=", ("attention",), any_mixer=True)
    assert found.fields == {"dynamics"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("200k", 200_000),
        ("0.07k", 70),
        ("1.5M", 1.5e6),
        ("4.5G", 4.5e9),
        (".5", 0.5),
        ("5.", 5),
        ("-3", -3),
        ("+3", 3),
        ("1e3", 1000),
        ("1e-3k", 1),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1e9999999", None),
        ("1e" + "9" * 5000, None),
        ("1m", None),
        ("k", None),
        ("1_000", None),
        ("٣", None),
        ("0x10", None),
        ("", None),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert parse_number(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back(value: float) -> None:
    assert parse_number(repr(value)) == value


def test_a_mistake_is_marked() -> None:
    assert message("params < 200k and dynamics = dynamic") == (
        "'dynamic' is no dynamics; expected one of static, homogeneous, inhomogeneous, attention, "
        "undeclared\n"
        "    params < 200k and dynamics = dynamic\n"
        "                                 ^"
    )


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("parms < 3", "unknown field 'parms'; did you mean 'params'? Allowed: params, ", 0),
        (
            "validation_los < 1",
            "unknown field 'validation_los': of the metrics only validation_acc",
            0,
        ),
        (
            "training_bytes < 1",
            "only validation_accuracy, params, macs, latency can be asked for. ",
            0,
        ),
        ("foo < 3", "unknown field 'foo'. Allowed: params, ", 0),
        ("depth = 3 and name = vitt", "no operator is named 'vitt'; allowed: MLP, LR MLP", 21),
        ("name in (ViT, conv4)", "no operator is named 'conv4'; allowed: ", 14),
        ("name = window/dense/joint/none/static", "rule 6: ", 7),
        ("params", "expected one of = != < <= > >= or in", 6),
        ("params <", "expected a number such as", 8),
        ("params < many", "'many' is no params", 9),
        ("params < '3'", "'3' is no params", 9),
        ("dynamics < static", "expected one of = != or in", 9),
        ("block_type = resnet", "expected one of conv, prenorm", 13),
        ("params < 3 depth = 2", "expected 'and', 'or' or the end", 11),
        ("(params < 3", "expected ')'", 11),
        ("params < 3)", "expected 'and', 'or' or the end", 10),
        ("depth in 3", "expected '('", 9),
        ("depth in ()", "expected a number", 10),
        ("depth in (3, )", "expected a number", 13),
        ("depth not 3", "expected one of", 6),
        ("any params < 3", "'any' goes with fields of mixers: kernel", 4),
        ("any and", "expected a field", 4),
        ("stage 0 kernel = 3", "expected the number of a stage, 1 to 8, after 'stage'", 6),
        ("stage 9 kernel = 3", "expected the number of a stage, 1 to 8, after 'stage'", 6),
        ("stage 1.5 kernel = 3", "expected the number of a stage", 6),
        ("stage kernel = 3", "expected the number of a stage", 6),
        ("any stage 2 params < 3", "'stage' goes with fields of mixers: kernel", 12),
        ("stage 2 any kernel = 3", "expected a field", 8),
        ("params at 3 < 3", "'at' an epoch goes with accuracy", 7),
        ("accuracy at 0 < 1", "expected the number of an epoch, 1 to 100000, after 'at'", 12),
        ("accuracy at 100001 < 1", "expected the number of an epoch", 12),
        ("accuracy at 3 > 86", "did you mean 0.86 or 86%?", 16),
        ("accuracy at 3", "expected one of = != < <= > >= or in", 13),
        ("date > yesterday", "expected a date such as 2026-11-01", 7),
        ("date > 2026-02-30", "'2026-02-30' is no date", 7),
        ("date = 9999-12-31", "is no date", 7),
        ("date = 0001-01-01T00:00+02:00", "is no date", 7),
        ("study = 'open", "never closed", 8),
        ("params < 3; DROP TABLE trials", "';' means nothing here", 10),
        ("not", "expected a field", 3),
        ("'params' < 3", "expected a field", 0),
        ("params < 3 and", "expected a field", 14),
    ],
)
def test_mistakes(text: str, words: str, column: int) -> None:
    first, line, caret = message(text).split("\n")
    assert words in first
    assert line == "    " + text
    assert caret == "    " + " " * column + "^"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_clause_is_called_empty(text: str) -> None:
    assert message(text).startswith("empty; ")
    assert "^" not in message(text)


@pytest.mark.parametrize("bad", ["\0", "\udcff"])
def test_characters_that_no_database_takes_are_marked(bad: str) -> None:
    first, line, caret = message(f'study = "{bad}"').split("\n")
    assert first == f"{bad!r} is not allowed in text"
    assert line == '    study = " "'
    assert caret == "    " + " " * 9 + "^"
    line.encode()
    first.encode()


@pytest.mark.parametrize(
    "text", ["'DW-S Conv.'", "dwsconv", "'dw-s conv'", "sliding/separable/full/position/static"]
)
def test_operators_are_named_as_everywhere(text: str) -> None:
    assert parse_where(f"any name = {text}").tree == Comparison(
        FIELDS["name"], "=", ("DW-S Conv.",), any_mixer=True
    )


def test_a_mistake_in_a_long_text_is_shown_in_part() -> None:
    text = " and ".join(["params < 3"] * 30 + ["oops = 1"] + ["params < 3"] * 30)
    _, line, caret = message(text).split("\n")
    assert line[caret.index("^") :].startswith("oops")
    assert len(line) < 100
    assert line.strip().startswith("…")
    assert line.endswith("…")


def test_too_much_is_refused() -> None:
    assert "longer than 2000" in message("params < 3" + " " * 2000)
    assert "nested deeper than 50" in message("(" * 60 + "params < 3" + ")" * 60)
    assert "nested deeper than 50" in message("not " * 60 + "params < 3")
    values = ",".join(["1"] * 201)
    assert "more than 200 values" in message(f"depth in ({values})")


@given(clauses())
def test_every_clause_of_the_grammar_parses(text: str) -> None:
    assert parse_where(text).text == text


@given(JUNK)
def test_junk_gives_only_input_errors(text: str) -> None:
    shown = ""
    try:
        parse_where(text)
    except InputError as error:
        shown = str(error)
    assert not shown or "^" in shown or not text.strip()


def test_no_value_becomes_part_of_the_sql() -> None:
    clause = parse_where('study = "x\' OR 1=1 --" and params < 12345').clause()
    assert "OR 1=1" not in str(clause)
    assert "12345" not in str(clause)
    bound = clause.compile().params.values()
    assert set(bound) == {"x' OR 1=1 --", 12345.0}
    assert all(not isinstance(value, float) or math.isfinite(value) for value in bound)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("accuracy > 86", "did you mean 0.86 or 86%?"),
        ("accuracy>=86.4 and depth = 3", "did you mean 0.864 or 86.4%?"),
        ("accuracy in (0.5, 86)", "did you mean 0.86 or 86%?"),
        ("not accuracy < 86", "did you mean 0.86 or 86%?"),
        ("accuracy != 100", "did you mean 1 or 100%?"),
        ("accuracy > 86k", "86k is no accuracy"),
        ("accuracy > -0.1", "-0.1 is no accuracy"),
        ("accuracy > 120%", "120% is no accuracy"),
    ],
)
def test_what_no_accuracy_can_be_gets_a_hint(text: str, hint: str) -> None:
    said = message(text)
    assert hint in said
    assert "accuracies are shares from 0 to 1" in said
    assert "^" in said


def test_what_no_per_cent_can_be_is_not_taken_for_one() -> None:
    assert "did you mean" not in message("accuracy > 100.5")


@given(st.integers(0, 10**6), st.sampled_from(["", " "]))
def test_an_accuracy_may_be_written_in_per_cent(millionths: int, gap: str) -> None:
    per_cent = f"{millionths // 10**4}.{millionths % 10**4:04}"
    tree = parse_where(f"accuracy >= {per_cent}{gap}%").tree
    assert tree == parse_where(f"accuracy >= {millionths}e-6").tree


def test_per_cent_are_of_accuracies_only() -> None:
    assert "'5%' is no params" in message("params < 5%")
    assert "means nothing here" in message("study = a%")


def test_edges_that_nothing_passes_are_right_and_said() -> None:
    assert parse_where("accuracy > 1 or accuracy < 0.2").hints == [
        "no accuracy is above 1: accuracies are shares from 0 to 1"
    ]
    for clause in ("not accuracy >= 0", "not (params < 1 or not accuracy < 0)"):
        assert parse_where(clause).hints[0].startswith("no accuracy is below 0")
    assert parse_where("not accuracy < 0 and params < 1").hints == []
    assert parse_where("accuracy >= 0 and accuracy <= 1 and params > 1").hints == []


def test_a_name_in_quotes_may_be_that_of_a_mixer_that_is_not_registered_here() -> None:
    found = parse_where("any name in ('linear thing', ViT)")
    assert found.hints == [
        "'linear thing' is no operator of mixspace: it is taken for a mixer of your own"
    ]
    assert "did you mean 'Local ViT'" in parse_where("name = 'Lokal ViT'").hints[0]
    assert parse_where("name = 'dw s conv'").hints == []
    assert message("name = thing").split("\n")[0].endswith("stands in quotes")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00Z", "2027-01-01T00:00Z"),
        ("2026-11", "2026-11-01T00:00Z", "2026-12-01T00:00Z"),
        ("2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("2024-02-29", "2024-02-29T00:00Z", "2024-03-01T00:00Z"),
        ("'2026-11-01 10:30'", "2026-11-01T10:30Z", "2026-11-01T10:31Z"),
        ("2026-11-01T10:30:59", "2026-11-01T10:30:59Z", "2026-11-01T10:31:00Z"),
        ("2026-11-01t00:30+02:00", "2026-10-31T22:30Z", "2026-10-31T22:31Z"),
    ],
)
def test_a_date_is_the_period_that_it_covers(text: str, start: str, end: str) -> None:
    (value,) = parse_where(f"ended = {text}").tree.values  # type: ignore[union-attr]
    assert value == Period(datetime.fromisoformat(start), datetime.fromisoformat(end))


@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31)))
def test_every_time_lies_in_its_day_its_month_and_its_year(time: datetime) -> None:
    aware = time.replace(tzinfo=UTC)
    for length in (4, 7, 10, 16, 19):
        period = parse_period(time.isoformat()[:length])
        assert period is not None
        assert period.start <= aware < period.end
        assert parse_period(f"{period.end:%Y-%m-%dT%H:%M:%S}"[:length]) is not None


def test_stages_and_epochs_are_part_of_a_comparison() -> None:
    assert parse_where("any STAGE 3 kernel >= 7 and Accuracy AT 10 in (50%, 0.6)").tree == And(
        (
            Comparison(FIELDS["kernel"], ">=", (7.0,), any_mixer=True, stage=3),
            Comparison(FIELDS["accuracy"], "in", (0.5, 0.6), at=10),
        )
    )
    assert parse_where("study = stage or study in (at, any)").fields == {"study"}
    assert parse_where("accuracy at 3 > 1").hints[0].startswith("no accuracy is above 1")


# --- what a field is compared with ----------------------------------------------------------------

A_NUMBER = "a number such as 7, 0.9, 200k, 1.5M or 4.5G"
A_SHARE = "a share such as 0.9 or 90%"
A_TIME = "a time such as 5 ms, 800us or 1.5s; a bare number is milliseconds"
A_DATE = "a date such as 2026-11-01, 2026-11 or 2026-11-01T10:30 (UTC, or with its zone)"
A_STATE = "one of waiting, running, complete, pruned, infeasible, failed, preempted"
A_HASH = "its hash or the beginning of it, hexadecimal digits such as 3f2a"
A_NAME = "the name of an operator such as ViT or 'DW-S Conv.', a label, or a name in quotes"


@pytest.mark.parametrize(
    ("field", "wrong", "expected"),
    [
        ("params", "many", A_NUMBER),
        ("kernel", "'7'", A_NUMBER),
        ("accuracy", "high", A_SHARE),
        ("latency", "5parsecs", A_TIME),
        ("latency", "-1", A_TIME),
        ("latency", "'5 ms'", A_TIME),
        ("ended", "soon", A_DATE),
        ("state", "dead", A_STATE),
        ("protocol", "xyz", A_HASH),
        ("name", None, A_NAME),
        ("study", None, "a word or a quoted text"),
        ("tag", None, "a word or a quoted text"),
    ],
)
def test_each_field_says_what_it_is_compared_with(
    field: str, wrong: str | None, expected: str
) -> None:
    assert message(f"{field} =").split("\n")[0] == f"expected {expected}"
    if wrong is not None:
        plain = wrong.strip("'")
        first, _, caret = message(f"{field} = {wrong}").split("\n")
        assert first == f"{plain!r} is no {FIELDS[field].name}; expected {expected}"
        assert caret.index("^") == 4 + len(f"{field} = ")


def test_a_time_has_its_unit_or_is_of_milliseconds() -> None:
    assert [
        parse_where(f"latency < {text}").tree.values  # type: ignore[union-attr]
        for text in ("5", "5ms", "5 ms", "800us", "1.5s")
    ] == [(5.0,), (5.0,), (5.0,), (0.8,), (1500.0,)]


def test_a_mixer_that_is_registered_is_named_as_operators_are() -> None:
    put("own pool", Pool, options={"kernel_size": 3}, marks=POOLED)
    try:
        for text in ("'own pool'", "OwnPool", "'OWN  pool'"):
            found = parse_where(f"name = {text}")
            assert found.tree == Comparison(FIELDS["name"], "=", ("own pool",))
            assert found.hints == []
    finally:
        forget("own pool")
