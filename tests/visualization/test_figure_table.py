"""A figure as a table has all that is drawn, once, in the words of its axes."""

from datetime import datetime

import pytest

from search.visualization.figure_table import figure_table
from search.visualization.frame import accuracy_axis, add_points, add_steps, cost_axis, figure
from search.visualization.plain_text import plain

PLACES = [(1000, 0.81234), (2000, 0.9)]
IDS = ["0123456789abcdef", "fedcba9876543210"]
MARKER = {"size": 8}


def test_points_stand_in_the_words_of_their_axes_and_lead_to_architectures() -> None:
    made = figure(300)
    add_points(made, PLACES, [[id_, "x"] for id_ in IDS], "", marker=MARKER, name="complete")
    cost_axis(made, [1000, 2000], "parameters")
    accuracy_axis(made, [0.8, 0.9])
    found = figure_table(made)
    assert list(found) == ["parameters", "validation accuracy, %", "architecture"]
    assert found.values.tolist() == [[1000, 81.23, IDS[0]], [2000, 90.0, IDS[1]]]


def test_steps_are_told_by_the_points_on_them_and_else_by_their_corners() -> None:
    made = figure(300)
    add_steps(made, PLACES, 9000, name="front", legendgroup="front")
    bare = figure_table(made)
    assert bare.values.tolist() == [[1000, 0.81234], [2000, 0.9]]  # not the end, which is no result
    custom = [[id_] for id_ in IDS]
    add_points(made, PLACES, custom, "", marker=MARKER, name="on the front", legendgroup="front")
    assert figure_table(made)["architecture"].tolist() == IDS


def test_traces_have_their_names_where_there_are_several() -> None:
    made = figure(300)
    made.add_scatter(x=[1, 2], y=[0.5, None], name=plain("a < b & c"))
    made.add_scatter(x=[1], y=[0.25], name="second")
    made.add_scatter(x=[None], y=[None], name="of the legend")
    found = figure_table(made)
    assert found.values.tolist() == [["a < b & c", 1, 0.5], ["second", 1, 0.25]]


@pytest.mark.parametrize(
    ("across", "title"), [(datetime(2026, 11, 1), "time"), ("locality", "name"), (3, "across")]
)
def test_an_axis_without_a_title_is_called_by_what_it_has(across: object, title: str) -> None:
    made = figure(300)
    made.add_bar(x=[across], y=[1.0])
    assert list(figure_table(made)) == [title, "up"]
