"""Numbers and times as people read them."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo

NONE = "–"


def percent(value: float | None) -> str:
    """An accuracy (0 to 1) as percent with two digits; a dash where there is none."""
    return NONE if value is None else f"{100 * value:.2f}%"


def short(number: float) -> str:
    """Three significant digits with k, M, G or T, such as "24.2k" or "3.74G"."""
    for unit in ("", "k", "M", "G"):
        if abs(number) < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}T"


def count(number: int, thing: str) -> str:
    """Such as "1 trial" or "3 trials"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def short_range(low: int, high: int) -> str:
    """Such as "18.1k – 36.5k"; one number where both are alike."""
    ends = dict.fromkeys((short(low), short(high)))
    return " – ".join(ends)


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are, such as "a, b and 3 more"."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Such as "; did you mean 'epochs'?" for "epocs"; empty where nothing is near."""
    close = closest(given, allowed)
    return "" if close is None else f"; did you mean {close!r}?"


def closest(given: str, allowed: Iterable[str]) -> str | None:
    """The one that is nearest to what was written; None where nothing is near."""
    return next(iter(difflib.get_close_matches(given, allowed, n=1)), None)


def as_written(value: object, hide: Callable[[str], str] = str) -> str:
    """A value as a file has it, in few characters.

    Args:
        value: that somebody wrote.
        hide: takes out of the whole what must not be shown, before it is cut.
    """
    try:
        text = _IN_A_FILE[value] if value is None or type(value) is bool else repr(value)
    except ValueError:  # Python does not print integers of thousands of digits
        return "a number of thousands of digits"
    text = hide(text)
    return text if len(text) <= 80 else f"{text[:77]}…"


_IN_A_FILE: dict[object, str] = {None: "null", True: "true", False: "false"}


def duration(seconds: float) -> str:
    """Such as "45 s", "3 min 20 s", "5 h 10 min" or "2 d 3 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole, 60, "min", "s")
    if whole < 86400:
        return _two(whole // 60, 60, "h", "min")
    return _two(whole // 3600, 24, "d", "h")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long before `now` (by default the present) a moment was, such as "3 min 20 s ago"."""
    now = now or datetime.now(UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return f"{duration((now - moment).total_seconds())} ago"


def clock(moment: datetime | None, zone: tzinfo) -> str:
    """Date and time of day in a zone; a dash where there is none."""
    return NONE if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _two(number: int, base: int, large: str, small: str) -> str:
    whole, rest = divmod(number, base)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"
