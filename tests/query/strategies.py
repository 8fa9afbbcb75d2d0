"""Random where-clauses, as text."""

from hypothesis import strategies as st

from search.query.where_tree import FIELDS, Field, Kind

NUMBERS = {
    "params": ("1000", "2.5k", "7k", "8000", "0.02M", "12e3", "11999.5"),
    "macs": ("10k", "30000", "0.1M", "1G", "-5"),
    "accuracy": ("0", ".25", "0.5", "0.70", "1"),
    "latency": ("1", "2 ms", "2500us", "0.003s", "4.5 ms"),
    "epochs": ("0", "1", "1.5", "2"),
    "seconds": ("0", "1", "2.5"),
    "depth": ("3", "4", "3.5"),
    "seed": ("1", "2", "0", "1.5", "4294967295"),
    "seed_data_order": ("0", "1", "3"),
}
DATES = (
    *("2026", "2026-10", "2026-11-01", "2026-11-02", "'2026-11-02 12:30'", "2026-11-02T12:30:15"),
    *("2026-11-02T14:30+02:00", "2027-01-01", "'2026-11-01T23:59:59Z'", "2025-12"),
)
SIZES = ("1", "2", "3", "4", "5", "3.5")
TEXTS = {
    "protocol": ("0", "0123", "0123456789abcdef", "F", "'01'"),
    "tag": ("good", "'to ship'", "Good", "none"),
    "dataset": ("fashion-mnist", "'image-folder'", "cifar10"),
    "study": ('"first"', "second", "'third one'", "First"),
    "name": ('"DW-S Conv."', "vit", "ViT", "'Local ViT'", "MLP", "Conv.", "dw-s-conv"),
}


def literals(field: Field) -> st.SearchStrategy[str]:
    if field.kind is Kind.WORD:
        return st.sampled_from([*field.words, field.words[0].upper()])
    if field.kind in (Kind.TEXT, Kind.OPERATOR):
        return st.sampled_from(TEXTS[field.name])
    if field.kind is Kind.DATE:
        return st.sampled_from(DATES)
    return st.sampled_from(NUMBERS.get(field.name, SIZES))


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(FIELDS)))
    field = FIELDS[name]
    prefix = draw(st.sampled_from(["", "any "])) if field.of_mixer else ""
    prefix += draw(
        st.sampled_from(["", "", "stage 1 ", "stage 2 ", "STAGE 3 "])
        if field.of_mixer
        else st.just("")
    )
    if field.of_epoch is not None:
        name += draw(st.sampled_from(["", " at 1", " AT 2", " at 3"]))
    ordered = ["<", "<=", ">", ">="] if field.kind in (Kind.NUMBER, Kind.DATE) else []
    operator = draw(st.sampled_from(["=", "!=", "==", "<>", "in", "not in", *ordered]))
    if operator.endswith("in"):
        values = draw(st.lists(literals(field), min_size=1, max_size=3))
        return f"{prefix}{name} {operator} ({', '.join(values)})"
    return f"{prefix}{name}{draw(st.sampled_from(['', ' ']))}{operator} {draw(literals(field))}"


def clauses() -> st.SearchStrategy[str]:
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            inner.map(lambda text: f"not ({text})"),
            inner.map(lambda text: f"NOT {text}"),
            st.lists(inner, min_size=2, max_size=3).map(lambda texts: " and ".join(texts)),
            st.lists(inner, min_size=2, max_size=3).map(lambda texts: f"({' or '.join(texts)})"),
        ),
        max_leaves=6,
    )


WORDS = [
    "and",
    "or",
    "not",
    "in",
    "any",
    "stage",
    "at",
    "(",
    ")",
    ",",
    "=",
    "<",
    "'",
    '"',
    "params",
    "dynamics",
]
JUNK = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [*WORDS, "static", "200k", "1e999", "nan", "--", ";", "\n", "\\", "é", "%"]
        ),
        max_size=12,
    ).map(" ".join),
)
