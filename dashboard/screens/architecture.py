"""One architecture: its stages, mixers and costs, its trials and how they learned."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import messages
from dashboard.architecture_box import wanted_architecture
from dashboard.as_text import markdown
from dashboard.charts.curves import Curve, curves_figure
from dashboard.charts.frame import CONFIG, show
from dashboard.charts.stages import stages_figure
from dashboard.part_costs import part_costs
from dashboard.reads.accuracy_notes import accuracy_notes
from dashboard.reads.leaderboard import leaderboard_row
from dashboard.reads.studies import summaries
from dashboard.view import View, current, zone
from search.query import BestRow, optimism
from search.store import ArchitectureRecord, MixerRecord, StudySummary, TrialRecord, TrialState
from space import Architecture, InputError, wording

_WHOLE = TrialState.COMPLETE


def page() -> None:
    """The page."""
    view = current()
    wanted = wanted_architecture(view)
    if wanted is None:
        messages.no_trials("No trial has been written down yet.", view.is_filtered)
        return
    with messages.reported("There is no such architecture"):
        record = view.store.architectures.get(wanted)
        trials = view.store.trials.of_architecture(record.id)
        row = leaderboard_row(view, record.id)
        studies = {each.id: each for each in summaries(replace(view, study=None))}
        _headline(record, row)
        names = {studies[trial.study_id].name for trial in trials if trial.study_id in studies}
        for said in filter(None, [_single(trials, row, studies), *accuracy_notes(view, names)]):
            st.caption(markdown(said))
        _network(record)
        st.subheader("Token mixers")
        st.dataframe(_mixer_table(record.mixers), hide_index=True, width="stretch")
        _trials(view, trials, {id_: each.name for id_, each in studies.items()})
        st.subheader("Canonical JSON")
        st.code(record.json, language="json", wrap_lines=True)


def _headline(record: ArchitectureRecord, row: BestRow | None) -> None:
    st.subheader(markdown(record.operators), anchor=False)
    st.caption(markdown(record.id))
    columns = st.columns(5)
    columns[0].metric(
        "Accuracy",
        wording.percent(None if row is None else row.accuracy),
        _beside(row),
        delta_color="off",
        delta_arrow="off",
        help=_help(row),
    )
    columns[1].metric("Params", wording.short(record.params), help=f"{record.params:,}")
    columns[2].metric(
        "FLOPs",
        wording.short(record.macs),
        help=f"{record.macs:,} multiply-accumulates for one image, in closed form",
    )
    columns[3].metric("Blocks", record.depth)
    columns[4].metric("Scaffold", markdown(record.scaffold))


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


def _trials(view: View, trials: list[TrialRecord], studies: dict[int, str]) -> None:
    st.subheader("Trials")
    st.dataframe(
        pd.DataFrame([_trial_row(trial, studies) for trial in trials]),
        hide_index=True,
        width="stretch",
    )
    curves = view.store.epochs.of_trials([trial.id for trial in trials])
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


if __name__ == "__main__":  # as Streamlit runs it
    page()
