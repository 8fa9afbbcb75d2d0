"""`plot` writes pages and images; what cannot be written is refused before any work."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from search.cli.program import run_program
from search.store import Store
from search.visualization import figure_file
from search.visualization.network_figures import plot_architecture, plot_connectivity
from search.visualization.study_figures import (
    plot_axis_importances,
    plot_learning_curves,
    plot_optimization_history,
    plot_pareto_front,
    plot_relation_graph,
)
from tests.dashboard import stores
from tests.support.samples import mixers

# Those with a Chrome: pytest.mark.browser
KINDS = ("front", "history", "curves", "importances", "relation-graph")


@pytest.fixture
def store_file(drawn_files: dict[str, Path]) -> str:
    return str(drawn_files["finished"])


def plot(*arguments: str) -> int:
    return run_program(["plot", *arguments])


def page_of(text: str) -> str:
    """What of a page is not Plotly's own script."""
    return text[text.rindex("Plotly.newPlot") :]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_page_that_loads_nothing(
    kind: str, store_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figure.html"
    out.write_text("what was there")
    assert plot("quickstart", "--kind", kind, "--out", str(out), "--store", store_file) == 0
    text = out.read_text()
    assert "quickstart" in page_of(text)
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", text)
    assert capsys.readouterr().out == ""


def test_an_architecture_is_drawn_by_its_id(store_file: str, tmp_path: Path) -> None:
    id_ = stores.points(1)[0][1].id
    out = tmp_path / "network.html"
    asked = (id_[:10], "--kind", "architecture", "--out", str(out), "--store", store_file)
    assert plot(*asked) == 0
    assert id_ in page_of(out.read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "a.pdf"], "--out: 'a.pdf' has none of the endings of a figure: allowed are"),
        (["--out", "none/a.html"], "--out: there is no folder 'none'"),
        (["--out", "a.html", "--top", "3"], "--top: does not go with --kind front"),
        (["--out", "a.html", "--across", "watts"], "--across: 'watts' is not allowed; one of"),
        (["--out", "a.html", "--kind", "bars"], "'bars' is not one of 'front'"),
        (["--out", "a.html", "--where", "params <"], "--where"),
    ],
)
def test_what_is_asked_wrongly_is_refused(
    arguments: list[str],
    said: str,
    store_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plot("quickstart", "--store", store_file, *arguments) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_results_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.running(tmp_path / "a.db", 3)
    out = tmp_path / "a.html"
    asked = ("--kind", "importances", "--out", str(out), "--store", str(tmp_path / "a.db"))
    assert plot("quickstart", *asked) == 1
    assert "importances need 20 completely trained architectures" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_what_an_image_needs_is_said_before_the_store_is_opened(
    suffix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ("x", "--out", str(tmp_path / f"a{suffix}"), "--store", str(tmp_path / "none.db"))
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path))
    assert plot(*asked) == 2
    said = capsys.readouterr().err
    assert f"--out: {suffix} needs a Chrome or Chromium: BROWSER_PATH names" in said
    assert "or write an .html file" in said
    monkeypatch.setattr(figure_file, "find_spec", lambda name: None)
    assert plot(*asked) == 2
    assert "needs Kaleido: pip install 'mixspace[plot]'" in capsys.readouterr().err


def test_names_of_a_store_are_text_in_a_page(nasty: Store) -> None:
    name = stores.NASTY
    for made in (plot_pareto_front(nasty, name), plot_learning_curves(nasty, name)):
        page = page_of(figure_file.html(made))
        assert "evil.example" in page
        script = page[: page.index("</script>")]
        assert "<" not in script  # Plotly escapes what could end its script
        assert "<b>h" not in made.to_json().replace("\\u003c", "<")
        assert "$x" not in made.to_json()


# --- with a Chrome ----------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.browser
def test_an_image_is_drawn(
    chromium: str, store_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    out = tmp_path / "front.png"
    assert plot("quickstart", "--out", str(out), "--store", store_file) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.thorough
@pytest.mark.browser
def test_a_browser_that_fails_is_told(
    chromium: str,
    store_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexit 3\n")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER_PATH", str(browser))
    out = tmp_path / "front.svg"
    assert plot("quickstart", "--out", str(out), "--store", store_file) == 1
    assert "error: Chrome did not draw the figure: The browser" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.thorough
@pytest.mark.browser
def test_names_of_a_store_are_text_in_an_svg(
    chromium: str, nasty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    name = stores.NASTY
    figures = [plot_pareto_front(nasty, name), plot_learning_curves(nasty, name, top=2)]
    for image in figure_file.images(figures, ".svg"):
        root = ElementTree.fromstring(image)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"a", "image", "script", "b", "img", "foreignObject"}
        assert "<b>h</b> <img src=x>" in "".join(root.itertext())


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_every_kind_is_an_image(
    suffix: str, chromium: str, finished: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    figures = [
        plot_pareto_front(finished, "quickstart", pruned=True),
        plot_optimization_history(finished, "quickstart"),
        plot_learning_curves(finished, "quickstart"),
        plot_axis_importances(finished, "quickstart"),
        plot_relation_graph(finished, "quickstart"),
        plot_architecture(stores.points(1)[0][1]),
        plot_connectivity(mixers()[0]),
    ]
    start = {".svg": b"<svg", ".png": b"\x89PNG"}[suffix]
    assert all(image.startswith(start) for image in figure_file.images(figures, suffix))


def test_best_draws_the_front_of_its_study_and_show_its_network(
    store_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    front, network = tmp_path / "front.html", tmp_path / "network.html"
    found = ["best", "--store", store_file, "--where", "params < 20k", "--plot", str(front)]
    assert run_program([*found, "--study", "quickstart"]) == 0
    drawn = capsys.readouterr()
    assert "Architectures by accuracy" in drawn.out
    assert f"{front} shows the front of quickstart" in drawn.err.replace("\n", "")
    out = tmp_path / "same.html"
    asked = ("--where", "params < 20k", "--out", str(out), "--store", store_file)
    assert plot("quickstart", *asked) == 0
    data = r"Plotly\.newPlot\(\s*\"[^\"]*\",(.*)"
    pages = [re.sub(r"[0-9a-f-]{36}", "", page_of(each.read_text())) for each in (front, out)]
    assert re.search(data, pages[0], re.DOTALL)
    assert pages[0] == pages[1]
    id_ = stores.points(1)[0][1].id
    assert run_program(["show", id_, "--store", store_file, "--plot", str(network)]) == 0
    assert id_ in page_of(network.read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["best", "--plot", "a.html"], "--plot: draws the front of one study: name it by --study"),
        (["best", "--study", "quickstart", "--plot", "a.pdf"], "--plot: 'a.pdf' has none of the"),
        (["show", "abc", "--plot", "none/a.html"], "--plot: there is no folder 'none'"),
    ],
)
def test_a_figure_beside_a_command_is_refused_before_its_answer(
    arguments: list[str], said: str, store_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*arguments, "--store", store_file]) == 2
    answer = capsys.readouterr()
    assert said in answer.err
    assert answer.out == ""
