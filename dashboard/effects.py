"""What the pages of effects share: whose they are, the table, and what is said of it."""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries, tables
from dashboard.scope import Scope
from search.query import Effect, StudyEffects, interval_in_points
from space.wording import NONE, count

_COST_NAMES = {"macs": "MACs", "training_bytes": "memory"}
_AT_ONCE = 5_000  # trials of which the effects are shown without being asked for

Answer = TypeVar("Answer")


def studies(scope: Scope) -> tuple[str, ...]:
    """Those of the filter that have results; none where many trials are there and nobody asked."""
    found = [study for study in queries.summaries(scope) if study.ended_trials]
    trials = sum(study.ended_trials for study in found)
    asked = trials <= _AT_ONCE or st.toggle(
        f"Effects of moves and axes, from {count(trials, 'trial')} (takes a while)", key="effects"
    )
    return tuple(study.name for study in found) if asked else ()


def of_one(groups: Sequence[Answer]) -> Answer | None:
    """That of the only protocol; a filter that leaves no trial has all."""
    return groups[0] if len(groups) == 1 else None


def table(rows: Sequence[Effect]) -> None:
    """A row for each of the effects."""
    tables.draw(_frame(rows), height=min(38 + 35 * len(rows), 740), placeholder=NONE)


def captions(found: StudyEffects, said: Sequence[str]) -> None:
    """What is to be known of a table of effects.

    Args:
        found: of which some are shown.
        said: what the page has said already.
    """
    whole = f"{found.networks:,} networks of {' + '.join(found.studies)}, {found.judged}."
    notices.captions(
        [
            f"{whole} Points of validation accuracy, target less source, between networks that "
            "are equal in all else; 95 % over contexts. Verdicts are corrected for all moves of "
            "the kind.",
            *(note for note in found.notes if note not in said),
        ]
    )


def _frame(effects: Sequence[Effect]) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    blocks = list(dict.fromkeys(name for each in effects for name in each.by_block_type))
    costs = list(dict.fromkeys(name for each in effects for name in each.ratios))
    parts = {f"in {name}": name for name in blocks if len(blocks) > 1}
    ratios = {f"{_COST_NAMES.get(name, name)} ×": name for name in costs}
    made = pd.DataFrame(
        {
            "move": [each.move.name for each in effects],
            "points": [100 * each.accuracy.mean for each in effects],
            "95 %": [interval_in_points(each.accuracy) for each in effects],
            "verdict": [each.verdict for each in effects],
            "pairs": [each.pairs for each in effects],
            "contexts": [each.accuracy.contexts for each in effects],
            **{title: [_in_block(each, name) for each in effects] for title, name in parts.items()},
            **{
                t: [each.ratios.get(name, math.nan) for each in effects]
                for t, name in ratios.items()
            },
        }
    )
    signed: dict[Any, Any] = dict.fromkeys(("points", *parts), "{:+.2f}")
    return made.style.format(signed | dict.fromkeys(ratios, "{:.2f}"), na_rep=NONE)


def _in_block(effect: Effect, block_type: str) -> float:
    found = effect.by_block_type.get(block_type)
    return math.nan if found is None else 100 * found.mean
