"""One architecture: its stages, mixers and costs, its trials and how they learned."""

import json

import pandas as pd
import streamlit as st

from dashboard import notices, queries, remarks, tables
from dashboard.charts import metric_row, page_theme, show, show_picture
from dashboard.escaping import markdown
from dashboard.navigation import ARCHITECTURE
from dashboard.scope import Scope, current, zone
from search.query import BestRow, TrialSummary, optimism
from search.store import ArchitectureRecord, MixerRecord, StudySummary, TrialRecord, TrialState
from search.visualization.curve_figures import Curve, curves_figure
from search.visualization.stages_figure import least_width, stages_figure
from space import Architecture, InputError, cost, wording
from space.architecture import RENAMED
from space.cost.network_cost import part_costs
from space.input.earlier_names import with_current_names
from space.wording import short

_OFFERED = 200
_WITHOUT_RESULT = tuple(set(TrialState) - {TrialState.COMPLETE, TrialState.PRUNED})
_WHOLE = TrialState.COMPLETE


def page() -> None:
    """The page."""
    scope = current()
    wanted = wanted_architecture(scope)
    if wanted is None:
        notices.no_trials("No trial has been written down yet.", scope.is_filtered)
        return
    with notices.reported("There is no such architecture"):
        record = scope.store.architectures.get(wanted)
        trials = scope.store.trials.of_architecture(record.id)
        rows = queries.leaderboard_rows(scope, record.id)
        row = rows[0] if rows else None
        studies = {each.id: each for each in queries.summaries(scope.unfiltered)}
        _headline(record, row)
        remarks.section(scope, record.id)
        owners = studies.keys() & {trial.study_id for trial in trials}
        names = tuple(sorted(studies[id_].name for id_ in owners))
        notices.captions(
            [
                _single(trials, row, studies),
                _by_other_protocols(rows[1:]),
                *queries.accuracy_notes(scope, names),
            ]
        )
        _network(record)
        st.subheader("Token mixers")
        tables.draw(_mixer_table(record.mixers))
        _trials(scope, trials, {id_: each.name for id_, each in studies.items()})
        st.subheader("JSON")
        written = with_current_names(json.loads(record.json), RENAMED, "")
        st.code(json.dumps(written), language=None, wrap_lines=True)


def _headline(record: ArchitectureRecord, row: BestRow | None) -> None:
    st.subheader(markdown(record.operators), anchor=False)
    st.caption(markdown(record.id))
    with metric_row():
        st.metric(
            "Accuracy",
            wording.percent(None if row is None else row.accuracy),
            _beside(row),
            delta_color="off",
            delta_arrow="off",
            help=_help(row),
            width="content",
        )
        exact = f"{record.params:,}"
        st.metric("Params", wording.short(record.params), help=exact, width="content")
        exact = f"{record.macs:,} multiply-accumulates for one image, computed"
        st.metric("FLOPs", wording.short(record.macs), help=exact, width="content")
        st.metric("Blocks", record.depth, width="content")
        st.metric("Block type", markdown(record.block_type), width="content")


def _help(row: BestRow | None) -> str:
    said = None if row is None else optimism([row])
    return " ".join(filter(None, ["As on the leaderboard: over several trainings the mean.", said]))


def _beside(row: BestRow | None) -> str | None:
    """What the accuracy is of, where it is not of one complete training."""
    if row is not None and not row.is_complete:
        return f"{row.state} after {wording.count(row.epochs, 'epoch')}"
    if row is None or row.deviation is None:
        return None
    return f"± {wording.percent(row.deviation)} over {row.repeats} trainings"


def _by_other_protocols(rows: list[BestRow]) -> str | None:
    """What it came to otherwise, which does not compare with the accuracy above."""
    if not rows:
        return None
    others = ", ".join(f"{accuracy_words(row)} in study {row.study}" for row in rows)
    return f"By other protocols, whose results do not compare with this one: {others}."


def _single(
    trials: list[TrialRecord], row: BestRow | None, studies: dict[int, StudySummary]
) -> str | None:
    """The most accurate training of the row's protocol, where it is not what the row shows."""
    if row is None or not row.is_complete:
        return None
    like = {id_ for id_, study in studies.items() if study.protocol_hash == row.protocol_hash}
    found = [trial for trial in trials if trial.study_id in like and trial.state == _WHOLE]
    best = max(found, key=lambda trial: trial.accuracy or 0.0, default=None)
    if best is None or wording.percent(best.accuracy) == wording.percent(row.accuracy):
        return None
    how = ", with inherited weights" if best.parent_trial_id is not None else ""
    where = f"trial {best.number} of {studies[best.study_id].name}{how}"
    return f"The best single training reached {wording.percent(best.accuracy)} ({where})."


def _network(record: ArchitectureRecord) -> None:
    try:
        architecture = Architecture.from_json(record.json)
    except InputError as error:
        st.warning("Its JSON is not of this version of mixspace, so it cannot be drawn.")
        st.code(str(error), language=None)
        return
    figure = stages_figure(architecture, record.mixers, page_theme())
    alt = "Stem, stages with their token mixers, and head; the tables below say the same"
    show_picture(figure, "stages", alt, least=least_width(len(architecture.stages)))
    try:
        costs = _cost_table(architecture)
    except InputError as error:  # of a mixer that somebody registered elsewhere
        st.caption(markdown(f"What each part costs is not known here: {error}."))
        return
    st.subheader("Cost by part")
    tables.draw(costs)
    st.caption("Computed from the architecture, for one image; FLOPs are multiply-accumulates.")


def _cost_table(architecture: Architecture) -> pd.DataFrame:
    parts, total = part_costs(architecture), cost(architecture)
    return pd.DataFrame(
        {
            "part": [name.capitalize() for name in parts],
            "params": [f"{part.params:,}" for part in parts.values()],
            "of all params": [f"{part.params / total.params:.1%}" for part in parts.values()],
            "FLOPs": [f"{part.macs:,}" for part in parts.values()],
            "of all FLOPs": [f"{part.macs / total.macs:.1%}" for part in parts.values()],
        }
    )


def _mixer_table(mixers: tuple[MixerRecord, ...]) -> pd.DataFrame:
    """A line for every block."""
    sizes = ("kernel_size", "groups", "heads", "ratio")
    axes = ("locality", "channels", "rank", "sharing", "dynamics")
    table: dict[str, list[object]] = {
        "stage": [mixer.stage + 1 for mixer in mixers],
        "block": [mixer.position + 1 for mixer in mixers],
        "token mixer": [mixer.name for mixer in mixers],
    }
    table |= {axis: [getattr(mixer, axis) for mixer in mixers] for axis in axes}
    for size in sizes:
        values = [getattr(mixer, size) for mixer in mixers]
        table[size.replace("_size", "")] = [
            wording.NONE if value is None else str(value) for value in values
        ]
    return pd.DataFrame(table)


def _trials(scope: Scope, trials: list[TrialRecord], studies: dict[int, str]) -> None:
    st.subheader("Trials")
    table = pd.DataFrame([_trial_row(trial, studies) for trial in trials])
    tests = queries.test_accuracies(scope, trials[0].architecture_id) if trials else {}
    if tests:  # beside that of validation
        words = [wording.percent(tests.get(trial.id)) for trial in trials]
        table.insert(list(table.columns).index("accuracy") + 1, "test", words)
    tables.draw(table)
    curves = scope.store.epochs.of_trials([trial.id for trial in trials])
    lines = [
        Curve(
            f"{studies.get(trial.study_id)} #{trial.number}",
            str(trial.state),
            trial.state,
            curves[trial.id],
        )
        for trial in trials
        if curves[trial.id]
    ]
    if lines:
        st.subheader("Learning curve")
        show(curves_figure(lines, "accuracy", height=340), "curve", "Validation accuracy by epoch")


def _trial_row(trial: TrialRecord, studies: dict[int, str]) -> dict[str, object]:
    return {
        "study": studies.get(trial.study_id),
        "trial": trial.number,
        "state": str(trial.state),
        "reason": trial.reason or "",
        "accuracy": wording.percent(trial.accuracy),
        "epochs": trial.epochs_done,
        "training": wording.duration(trial.seconds),
        "origin": trial.origin,
        "attempts": trial.attempts,
        "seeds": ", ".join(f"{name} {value}" for name, value in trial.seeds.items()),
        "ended": wording.clock(trial.ended, zone()),
    }


# --- the box that offers architectures, in the leaderboard's order; the URL follows it ----------


def wanted_architecture(scope: Scope) -> str | None:
    """The id that the URL asks for, else the one in the box; None where there is none."""
    names = offered(scope)
    ids = list(names)
    asked = st.query_params.get(ARCHITECTURE)
    if asked and asked not in names:
        ids.insert(0, asked)
    if not ids:
        return None
    chosen = st.selectbox(
        "Architecture",
        ids,
        index=ids.index(asked) if asked else 0,
        format_func=lambda id_: names.get(id_, id_),
        key=f"architecture-box-{asked}",
        help=f"The first {_OFFERED} of the filter's leaderboard, then those without a result. In "
        "a URL, the beginning of an id does.",
    )
    if chosen is not None and chosen != (asked or ids[0]):
        st.query_params[ARCHITECTURE] = chosen
        st.rerun()
    return chosen


def offered(scope: Scope) -> dict[str, str]:
    """What the box calls each architecture, by id: the leaderboard, then those without a result."""
    rows = queries.leaderboard(scope, "-accuracy", _OFFERED)
    names = {row.architecture_id: _name(accuracy_words(row), row) for row in rows}
    left = _OFFERED - len(names)
    for row in queries.trial_summaries(scope, states=_WITHOUT_RESULT, order="newest", limit=left):
        names.setdefault(row.architecture_id, _name(str(row.state), row))
    return names


def accuracy_words(row: BestRow) -> str:
    """The accuracy as the leaderboard has it, such as "86.73% ± 0.41%" over several trainings.

    Of what was not trained to the end it says so, as that compares with none that was.
    """
    return row.accuracy_words + ("" if row.is_complete else f" ({row.state})")


def _name(first: str, row: BestRow | TrialSummary) -> str:
    return " · ".join([first, row.operators, short(row.params), row.architecture_id])


if __name__ == "__main__":  # as Streamlit runs it
    page()
