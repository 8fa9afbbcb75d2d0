"""The model card says what is known, and of the rest that it is not known."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from space import cost
from tests.trainers.export.samples import CLASSES, PREPROCESSING, facts
from tests.trainers.tiny import architecture, short_protocol
from trainers.export import Figure, Latency, Parity, Spent
from trainers.export.card_tables import mixers_table
from trainers.export.model_card import CardOfFolder, model_card

PARITIES = {
    "network.py": Parity(1.5e-7, 1e-5),
    "model.onnx": Parity(2e-6, 1e-4),
    "model.pt2": Parity(0.0, 1e-5),
}


def card(parities: dict[str, Parity] = PARITIES, **changes: Any) -> str:
    of, protocol = architecture(), short_protocol()
    opset = 20 if "model.onnx" in parities else None
    alone = "network.py" in parities
    folder = CardOfFolder(of, CLASSES, PREPROCESSING, parities, opset, alone)
    return model_card(folder, facts(protocol, **changes))


def front(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


def sections(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def test_what_is_known_is_said() -> None:
    text = card(
        latency=(
            Latency("H200", "eager", "bfloat16", 1, 1.23456, 1.2, 1.3, 100),
            Latency("a CPU; 1 thread", "onnxruntime", "float32", 8, 45.67, 45.0, 46.0, 40, True),
        ),
        data_licence="CC0",
        spent=(Spent("the search", 4, 7200.0, "GPU", 0.5, ("H200",), 1.25),),
        remarks=("2 pictures are in both.",),
    )
    of = architecture()
    for said in (
        "Its weights are those of trial 3 of study first.",
        "| validation | search in study first, **these weights** | 52.13% | 1 | 10.00% | unknown |",
        "The test images were never read for this network.",
        f"| params | {cost(of).params:,} | trainable parameters, computed |",
        f"| multiply-accumulates | {cost(of).macs:,} | ",
        "| H200 | eager | bfloat16 | 1 | 1.23 ms | 1.2 to 1.3 ms | 100 |",
        "| a CPU; 1 thread | onnxruntime | float32 | 8 | 45.7 ms \\* | 45 to 46 ms | 40 |",
        "The machine was not quiet: the network is as fast, or faster.",
        "| the search | 4 | 2 h | 1 GPU-hours | H200 | 1.25 kWh |",
        "Licence of the training data: CC0.",
        "- 2 pictures are in both.",
        "Seeds: initialisation 3, data order 4.",
        "| learning_rate | 0.005 |",
        "Trained by mixspace 0.1.0+g12345678. Exported by mixspace 0.1.0+g87654321.",
        "python -m search run search.yaml --study first\n",
        "the network in torch alone; largest difference of a logit 1.5e-07, in batches of 1 and 3",
        "ONNX, opset 20, any batch; largest difference of a logit 2.0e-06",
        "python infer.py picture.jpg",
        "`T-shirt/top`, `Trouser`",
        of.id,
    ):
        assert said in text, said
    assert front(text)["library_name"] == "timm"
    (listed,) = front(text)["model-index"]
    assert listed["name"].startswith("mixspace")
    (result,) = listed["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.5213}]
    assert result["dataset"] == {
        "name": "fashion-mnist",
        "type": "fashion-mnist",
        "split": "validation",
    }
    assert result["task"] == {"type": "image-classification"}


def test_what_is_not_known_is_left_out_or_said_to_be_unknown() -> None:
    text = card(
        figures=(), spent=(), commands=(), code_version=None, exported_by=None, train_images=None
    )
    assert "model-index" not in front(text)
    assert front(text)["license"] == "unknown"
    assert "No accuracy of this network is known." in text
    assert "Licence of the training data: unknown." in text
    assert "No latency was measured." in text
    assert "What it took" not in sections(text)
    assert "How to get it again" not in sections(text)
    assert "training images" not in text
    assert "kWh" not in text
    assert "None |" not in card().partition("## Training")[0]
    assert "not measured" in card(), "energy"


def test_what_was_left_out_of_the_folder_is_not_on_the_card() -> None:
    text = card({})
    for name in ("network.py", "infer.py", "model.onnx", "model.pt2"):
        assert name not in text
    assert "mixspace.load" in text


def test_the_notice_of_the_code_goes_with_it() -> None:
    notice = (Path(__file__).parents[3] / "LICENSE").read_text().split()
    text = card()
    assert (
        notice
        == [word for word in text.partition("goes where they go:")[2].split() if word != ">"][
            : len(notice)
        ]
    )
    assert "MIT License" not in card({})


def test_spreads_and_optimism_are_said_where_there_are_some() -> None:
    figures = (
        Figure("validation", "search in study a", 0.5, optimistic=True, protocol_hash="0f" * 8),
        Figure("test", "full training in study b", 0.4, 3, 0.0123, chance=0.1, images=2000),
    )
    text = card(figures=figures)
    assert f"| validation | search in study a | 50.00% \\* | 1 | unknown | {'0f' * 8} |" in text
    assert "| test (2,000) | full training in study b | 40.00% ± 1.23 | 3 | 10.00% |" in text
    assert "the figure is optimistic" in text
    assert "± is the standard deviation" in text
    assert "never read" not in text
    plain = card()
    assert "optimistic" not in plain
    assert "±" not in plain


def test_a_cell_cannot_leave_its_table() -> None:
    text = card(data={"name": "a|b\nc"})
    assert "| name | a\\|b c |" in text


@pytest.mark.parametrize(
    ("mixer", "row"),
    [
        ({}, "✓ | ✓ | ✓ | – | –"),
        ({"dynamics": "homogeneous"}, "✓ | ✓ | ✓ | – | ✓"),
        (
            {"dynamics": "inhomogeneous", "sharing": "channel", "heads": 4},
            "✓ | ✓ | – | ✓ per group | ✓",
        ),
        ({"sharing": "both", "heads": 1}, "✓ | ✓ | ✓ | ✓ | –"),
        ({"rank": "channel", "ratio": 2}, "– | – | – | – | –"),
        ({"locality": "window", "kernel_size": 3, "sharing": "none"}, "✓ | ✓ | – | – | –"),
    ],
)
def test_rows_are_those_of_table_1(mixer: dict[str, Any], row: str) -> None:
    """DW-Conv., D-DW-Conv. and I-D-DW-Conv. as the paper has them; low ranks it does not have."""
    assert mixers_table(architecture(**mixer)).splitlines()[-1].endswith(f"| {row} |")
