"""The effects of design decisions as a table of pandas."""

from typing import TYPE_CHECKING, Any

from search.effects import Effect
from search.query import StudyEffects

if TYPE_CHECKING:
    from pandas import DataFrame


def effects_dataframe(found: StudyEffects) -> "DataFrame":
    """One row a move, edges first. What is not known is missing.

    `attrs` has under what conditions the networks were judged (`judged`), and `notes`.
    """
    import pandas as pd  # heavy, and of no use to who asks for something else

    table = pd.DataFrame([_row(effect) for effect in found.effects])
    table.attrs = {"judged": found.judged, "notes": list(found.notes)}
    return table


def _row(effect: Effect) -> dict[str, Any]:
    move, accuracy = effect.move, effect.accuracy
    return {
        "move": move.name,
        "kind": str(move.kind),
        "what": move.what,
        "source": move.source,
        "target": move.target,
        "effect": accuracy.mean,
        "low": accuracy.low,
        "high": accuracy.high,
        "p": effect.p,
        "pairs": effect.pairs,
        "contexts": accuracy.contexts,
        "trainings": effect.trainings,
        **{f"effect_in_{name}": each.mean for name, each in effect.by_block_type.items()},
        "p_turns": effect.p_turns,
        **{f"{name}_ratio": ratio for name, ratio in effect.ratios.items()},
        "verdict": effect.verdict,
    }
