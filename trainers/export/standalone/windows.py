"""Functions of the file that cut a map into windows, and what their callers say of the shift."""

from trainers.export.standalone.draft import Draft, Term
from trainers.export.standalone.places import Survey
from trainers.export.standalone.text import assign, call, docstring


def shifted(shift: Term) -> str:
    """The last argument of a call that cuts or joins windows; nothing where none ever moves."""
    return "" if shift.value in (0, (0, 0)) else f", {shift}"


def window_mask(draft: Draft) -> list[str]:
    """`self.apart` of a core, (T, P, P)."""
    moved = shifted(draft.term("shift")).removeprefix(", ")
    given = call("windows_apart", draft.term("size"), draft.term("window"), *filter(None, [moved]))
    return assign("apart", given) + [
        f"{' ' * 8}self.register_buffer(\"apart\", apart, persistent=False)"
    ]


def window_functions(survey: Survey) -> dict[str, str]:
    """The functions by their names, as this network needs them."""
    return {
        "split_windows": _function(*_split(survey)),
        "join_windows": _function(*_join(survey)),
        "windows_apart": _function(*_apart(survey)),
        "relative_positions": _function(*_RELATIVE),
    }


def _function(head: str, doc: str, *body: str) -> str:
    return "\n".join([f"def {head}:", *docstring(doc, 4), *(f"    {line}" for line in body)])


def _shift(survey: Survey) -> tuple[str, str, str]:
    """The argument, and its numbers down and right."""
    if not survey.any_shift:
        return "", "", ""
    if survey.even_shifts:
        return ", shift: int = 0", "shift", "shift"
    return ", shift: tuple[int, int] = (0, 0)", "shift[0]", "shift[1]"


_Text = tuple[str, ...]


def _split(survey: Survey) -> _Text:
    argument, down, right = _shift(survey)
    around = f"x = torch.roll(x, (-{down}, -{right}), (2, 3))  # moved around the border"
    whole = "x = F.pad(x, (0, -x.shape[3] % window, 0, -x.shape[2] % window))"
    return (
        f"split_windows(x: Tensor, window: int{argument}) -> Tensor",
        "(B, C, H, W) to (B, T, P, C): T windows with P = window² positions each.",
        *([whole] if survey.ragged_windows else []),
        *([around] if argument else []),
        "x = x.unflatten(2, (-1, window)).unflatten(4, (-1, window))",
        "return x.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)",
    )


def _join(survey: Survey) -> _Text:
    argument, down, right = _shift(survey)
    ragged = survey.ragged_windows
    rows = "-(-size[0] // window)" if ragged else "size[0] // window"
    back = f"x = torch.roll(x, ({down}, {right}), (2, 3))"
    cut = "return x[:, :, : size[0], : size[1]]"
    joined = "x.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)"
    after = [*([back] if argument else []), *([cut] if ragged else [])]
    if after and not ragged:
        after = ["return " + after[0].removeprefix("x = ")]
    return (
        f"join_windows(windows: Tensor, size: tuple[int, int], window: int{argument}) -> Tensor",
        "(B, T, P, C) back to (B, C, H, W).",
        f"x = windows.unflatten(2, (window, window)).unflatten(1, ({rows}, -1))",
        *([f"x = {joined}", *after] if after else [f"return {joined}"]),
    )


def _apart(survey: Survey) -> _Text:
    argument, down, right = _shift(survey)
    given = ", shift" if argument else ""
    different = "regions[:, :, None] != regions[:, None]"
    outside = " or outside of the map" if survey.ragged_windows else ""
    numbered = [f"region[:{down}] += 1", f"region[:, :{right}] += 2"] if argument else []
    last = f"return {different}"
    if survey.ragged_windows:
        last = f"return ({different}) & (regions[:, :, None] > 0)"
    return (
        f"windows_apart(size: tuple[int, int], window: int{argument}) -> Tensor",
        f"(T, P, P): whether p may not read q, which is from the opposite border{outside}.",
        "region = torch.ones(size)",
        *numbered,
        f"regions = split_windows(region[None, None], window{given})[0, :, :, 0]  # (T, P)",
        last,
    )


_RELATIVE = (
    "relative_positions(window: int) -> Tensor",
    "(P, P): the number of p − q among the (2 · window − 1)² that there are.",
    "places = torch.arange(window)",
    "apart = places[:, None] - places + window - 1",
    "numbers = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]",
    "return numbers.flatten(2).flatten(0, 1)",
)
