"""Functions of the file that cut a map into windows, and what their callers say of the shift."""

from trainers.export.standalone.draft import Draft, Term
from trainers.export.standalone.places import Survey
from trainers.export.standalone.text import assign, broken, call, docstring


def shifted(shift: Term) -> str:
    """The last argument of a call that cuts or joins windows; nothing where none ever moves."""
    return "" if shift.value in (0, (0, 0)) else f", {shift}"


def window_mask(draft: Draft) -> list[str]:
    """`self.apart` of a core, (T, P, P)."""
    moved = shifted(draft.term("shift")).removeprefix(", ")
    given = call("windows_apart", draft.term("size"), draft.term("window"), *filter(None, [moved]))
    buffer = f'{" " * 8}self.register_buffer("apart", apart, persistent=False)'
    return [*assign("apart", given), buffer]


def window_functions(survey: Survey) -> dict[str, str]:
    """The functions by their names, as this network needs them."""
    return {
        "split_windows": _split(survey),
        "join_windows": _join(survey),
        "windows_apart": _apart(survey),
        "relative_positions": _RELATIVE,
    }


def _function(name: str, arguments: tuple[str, ...], doc: str, *body: str) -> str:
    head = broken(call(f"def {name}", *filter(None, arguments)), 0, after=" -> Tensor:")
    return "\n".join([*head, *docstring(doc, 4), *(f"    {line}" for line in body)])


def _shift(survey: Survey) -> tuple[str, list[str]]:
    """The argument for a shift, and the statement that says how far down and right that is."""
    if not survey.any_shift:
        return "", []
    if survey.even_shifts:
        return "shift: int = 0", []
    return "shift: tuple[int, int] = (0, 0)", ["down, right = shift"]


def _rolled(survey: Survey, sign: str) -> str:
    edges = "shift shift" if survey.even_shifts else "down right"
    moves = ", ".join(f"{sign}{edge}" for edge in edges.split())
    return f"torch.roll(x, ({moves}), (2, 3))"


def _split(survey: Survey) -> str:
    shift, edges = _shift(survey)
    whole = "x = F.pad(x, (0, -x.shape[3] % window, 0, -x.shape[2] % window))"
    around = f"x = {_rolled(survey, '-')}  # around the border"
    return _function(
        "split_windows",
        ("x: Tensor", "window: int", shift),
        "(B, C, H, W) to (B, T, P, C): T windows with P = window² positions each.",
        *edges,
        *([whole] if survey.ragged_windows else []),
        *([around] if shift else []),
        "x = x.unflatten(2, (-1, window)).unflatten(4, (-1, window))",
        "return x.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)",
    )


def _join(survey: Survey) -> str:
    (shift, edges), ragged = _shift(survey), survey.ragged_windows
    rows = "-(-size[0] // window)" if ragged else "size[0] // window"
    steps = ["x.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)"]
    steps += [_rolled(survey, "")] if shift else []
    steps += ["x[:, :, : size[0], : size[1]]"] if ragged else []
    return _function(
        "join_windows",
        ("windows: Tensor", "size: tuple[int, int]", "window: int", shift),
        "(B, T, P, C) back to (B, C, H, W).",
        *edges,
        f"x = windows.unflatten(2, (window, window)).unflatten(1, ({rows}, -1))",
        *(f"x = {step}" for step in steps[:-1]),
        f"return {steps[-1]}",
    )


def _apart(survey: Survey) -> str:
    (shift, edges), ragged = _shift(survey), survey.ragged_windows
    down, right = ("shift", "shift") if survey.even_shifts else ("down", "right")
    different = "regions[:, :, None] != regions[:, None]"
    return _function(
        "windows_apart",
        ("size: tuple[int, int]", "window: int", shift),
        "(T, P, P): whether p may not read q, which is of the other border, or of none.",
        *edges,
        "region = torch.ones(size)",
        *([f"region[:{down}] += 1", f"region[:, :{right}] += 2"] if shift else []),
        f"regions = split_windows(region[None, None], window{', shift' * bool(shift)})[0, :, :, 0]",
        f"return ({different}) & (regions[:, :, None] > 0)" if ragged else f"return {different}",
    )


_RELATIVE = _function(
    "relative_positions",
    ("window: int",),
    "(P, P): the number of p − q among the (2 · window − 1)² that there are.",
    "places = torch.arange(window)",
    "apart = places[:, None] - places + window - 1",
    "numbers = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]",
    "return numbers.flatten(2).flatten(0, 1)",
)
