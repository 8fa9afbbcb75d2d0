"""One architecture: its stages, mixers and costs, its trials and how they learned."""

import pandas as pd
import streamlit as st

from dashboard import messages
from dashboard.charts.curves import Curve, curves_figure
from dashboard.charts.frame import CONFIG, show
from dashboard.charts.stages import stages_figure
from dashboard.navigation import ARCHITECTURE
from dashboard.part_costs import part_costs
from dashboard.reads.studies import summaries
from dashboard.reads.trials import TrialRow, trial_rows
from dashboard.view import View, current, zone
from search.store import ArchitectureRecord, MixerRecord, TrialRecord
from space import Architecture, InputError, wording

_OFFERED = 200


def page() -> None:
    """The page."""
    view = current()
    wanted = _wanted(view)
    if wanted is None:
        messages.no_trials("No trial has been written down yet.", view.is_filtered)
        return
    with messages.reported("There is no such architecture"):
        record = view.store.architecture(wanted)
        trials = view.store.trials_of(record.id)
        _headline(record, trials)
        _network(record)
        st.subheader("Token mixers")
        st.dataframe(_mixer_table(record.mixers), hide_index=True, width="stretch")
        _trials(view, trials)
        st.subheader("Canonical JSON")
        st.code(record.json, language="json", wrap_lines=True)


def _wanted(view: View) -> str | None:
    """The id that the URL asks for; the box offers the best ones, the URL follows it."""
    rows = trial_rows(view, states=None, order="best", limit=_OFFERED)
    names = {row.architecture_id: _name(row) for row in reversed(rows)}
    offered = list(dict.fromkeys(row.architecture_id for row in rows))
    asked = st.query_params.get(ARCHITECTURE)
    if asked and asked not in names:
        offered.insert(0, asked)
    if not offered:
        return None
    chosen = st.selectbox(
        "Architecture",
        offered,
        index=offered.index(asked) if asked else 0,
        format_func=lambda id_: names.get(id_, id_),
        key=f"architecture-box-{asked}",
        help=f"The {_OFFERED} most accurate of the filter. In a URL, the beginning of an id does.",
    )
    if chosen is not None and chosen != (asked or offered[0]):
        st.query_params[ARCHITECTURE] = chosen
        st.rerun()
    return chosen


def _name(row: TrialRow) -> str:
    parts = [wording.percent(row.best_accuracy), row.operators, f"{wording.short(row.params)}"]
    return " · ".join([*parts, row.architecture_id])


def _headline(record: ArchitectureRecord, trials: list[TrialRecord]) -> None:
    st.subheader(record.operators)
    st.caption(f"`{record.id}`")
    accuracies = [trial.best_accuracy for trial in trials if trial.best_accuracy is not None]
    columns = st.columns(5)
    columns[0].metric("Best accuracy", wording.percent(max(accuracies, default=None)))
    columns[1].metric("Params", wording.short(record.params), help=f"{record.params:,}")
    columns[2].metric(
        "FLOPs",
        wording.short(record.macs),
        help=f"{record.macs:,} multiply-accumulates for one image, in closed form",
    )
    columns[3].metric("Blocks", record.depth)
    columns[4].metric("Scaffold", record.scaffold)


def _network(record: ArchitectureRecord) -> None:
    try:
        architecture = Architecture.from_json(record.json)
    except InputError as error:
        st.warning("Its JSON is not of this version of mixspace, so it cannot be drawn.")
        st.code(str(error), language=None)
        return
    figure = stages_figure(architecture, record.mixers)
    st.plotly_chart(
        figure, key="stages", width="stretch", config={**CONFIG, "displayModeBar": False}
    )
    st.subheader("Cost by part")
    st.dataframe(_cost_table(architecture), hide_index=True, width="stretch")
    st.caption("Closed form, for one image; FLOPs are multiply-accumulates.")


def _cost_table(architecture: Architecture) -> pd.DataFrame:
    parts = part_costs(architecture)
    params = sum(part.cost.params for part in parts)
    macs = sum(part.cost.macs for part in parts)
    return pd.DataFrame(
        {
            "part": [part.part for part in parts],
            "params": [f"{part.cost.params:,}" for part in parts],
            "of all params": [f"{part.cost.params / params:.1%}" for part in parts],
            "FLOPs": [f"{part.cost.macs:,}" for part in parts],
            "of all FLOPs": [f"{part.cost.macs / macs:.1%}" for part in parts],
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


def _trials(view: View, trials: list[TrialRecord]) -> None:
    studies = {study.id: study.name for study in summaries(View(view.store, view.key, None, ""))}
    st.subheader("Trials")
    st.dataframe(
        pd.DataFrame([_trial_row(trial, studies) for trial in trials]),
        hide_index=True,
        width="stretch",
    )
    curves = view.store.curves([trial.id for trial in trials])
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
        "accuracy": wording.percent(trial.best_accuracy),
        "epochs": trial.epochs_done,
        "training": wording.duration(trial.seconds),
        "origin": trial.origin,
        "attempts": trial.attempts,
        "seeds": ", ".join(f"{name} {value}" for name, value in trial.seeds.items()),
        "ended": wording.clock(trial.ended, zone()),
    }


if __name__ == "__main__":  # as Streamlit runs it
    page()
