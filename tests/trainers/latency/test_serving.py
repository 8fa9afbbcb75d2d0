"""What the process that measures answers to each line; its passes are made up."""

import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import nn

from space.errors import InputError
from tests.space.spaces import small
from tests.support.made_up_meter import figure
from trainers.latency import Effort, Latency, LatencySpec, Part, meter_process, parts_of
from trainers.latency.device import identify
from trainers.latency.figure import Run
from trainers.latency.measuring import NETWORK, PART, Pass
from trainers.latency.meter_process import Meter, serve
from trainers.latency.parts import STACK, TOGETHER

SPEC = LatencySpec(batch=3)
NETWORKS = [*small().enumerate()][:2]
PARTS = [*parts_of(NETWORKS[0])]
BROKEN = replace(PARTS[0], width=999)
HELLO = {"spec": SPEC.to_dict(), "plugins": [], "effort": None}


@dataclass
class Made:
    """What was measured, of which efforts, beside which gauge; and the threads that were set."""

    shapes: list[tuple[int, ...]]
    turns: list[tuple[int, Effort, float | None]]
    threads: list[LatencySpec]
    gauges: list[LatencySpec]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """A run takes a millisecond for each row of its input; the gauge takes 2 ms, then 4."""
    notes = Made([], [], [], [])

    def make_pass(module: nn.Module, shape: tuple[int, ...], spec: LatencySpec) -> Pass:
        if sum(p.numel() for p in module.parameters()) > 15_000:
            raise MemoryError("there is\nno  room")
        assert (spec, module.eval()(torch.ones(shape)).shape[0]) == (SPEC, 3)
        notes.shapes.append(shape)
        return lambda: Run(float(shape[-1]))

    def make_gauge(spec: LatencySpec) -> Pass:
        notes.gauges.append(spec)
        return lambda: Run(2.0 + 2.0 * (len(notes.turns) > 1))

    def in_turns(
        passes: list[Pass], effort: Effort, *, gauge: Pass, pace: float | None
    ) -> list[Latency]:
        notes.turns.append((len(passes), effort, pace))
        return [figure(run().milliseconds, gauge_ms=gauge().milliseconds) for run in passes]

    monkeypatch.setattr(meter_process, "make_pass", make_pass)
    monkeypatch.setattr(meter_process, "make_gauge", make_gauge)
    monkeypatch.setattr(meter_process, "measure_in_turns", in_turns)
    monkeypatch.setattr(meter_process, "set_threads", notes.threads.append)
    return notes


def answered(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    said = io.StringIO()
    serve([json.dumps(each) + "\n" for each in requests], said)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def asked(parts: list[Part], **more: Any) -> dict[str, Any]:
    return {"parts": [part.to_dict() for part in parts], **more}


def test_networks_are_measured_together_each_at_its_size(made: Made) -> None:
    texts = [network.to_json() for network in NETWORKS]
    hello, *answers = answered(HELLO, {"networks": texts, "pace": None})
    assert hello == {"device": identify(SPEC).to_dict()}
    figures = [Latency.from_dict(each["latency"]) for each in answers]
    assert [each.median_ms for each in figures] == [16.0, 16.0]
    assert [each.spec for each in figures] == [SPEC.to_dict()] * 2
    assert [each.device for each in figures] == [hello["device"]] * 2
    assert [each.gauge_ms for each in figures] == [2.0, 2.0]
    assert made.shapes == [(3, 1, 16, 16)] * 2
    assert made.turns == [(2, NETWORK, None)]
    assert made.threads == made.gauges == [SPEC]


def test_of_equal_blocks_each_has_its_share(made: Made) -> None:
    kinds = {part.kind: part for part in PARTS}
    parts = [kinds["stem"], kinds["block"], kinds["head"]]
    _, *answers = answered(HELLO, asked(parts))
    for part, answer in zip(parts, answers, strict=True):
        whole, share = figure(float(part.size.width)), STACK if part.kind == "block" else 1
        found = answer["latency"]
        for name in ("median_ms", "low_ms", "high_ms"):
            assert found[name] == getattr(whole, name) / share
        assert found["quantiles_ms"] == {n: t / share for n, t in whole.quantiles_ms.items()}
        assert (found["gauge_ms"], found["n"], found["spec"]) == (2.0, 40, SPEC.to_dict())
    assert made.shapes[0] == (3, 1, 16, 16)
    assert made.turns == [(3, PART, None)]


def test_few_parts_are_measured_together_and_a_broken_one_alone_is_told_of(made: Made) -> None:
    parts = [PARTS[0]] * TOGETHER + [PARTS[1], BROKEN, PARTS[0]]
    _, *answers = answered(HELLO, asked(parts))
    assert [list(answer) for answer in answers] == [["latency"]] * 7 + [["failed"], ["latency"]]
    assert answers[7] == {"failed": "MemoryError: there is no room"}
    assert [turn[0] for turn in made.turns] == [TOGETHER, 1, 1]
    assert answers[0]["latency"]["median_ms"] == answers[8]["latency"]["median_ms"] == 16.0


def test_the_effort_of_the_first_request_is_spent_on_all(made: Made) -> None:
    effort = {"runs": 7, "precision": 0.5, "seconds": 2.0, "attempts": 4}
    networks = {"networks": [NETWORKS[0].to_json()]}
    answered(HELLO | {"effort": effort}, networks, asked(PARTS[:1]))
    assert [turn[1] for turn in made.turns] == [Effort(**effort)] * 2  # type: ignore[arg-type]


def test_the_pace_is_the_quickest_of_what_was_told_and_what_was_seen(made: Made) -> None:
    meter = Meter(SPEC)
    assert meter.pace is None
    meter.hear_of_pace(3.0)
    assert meter.pace == 3.0
    assert isinstance(next(meter.parts(PARTS[:1])), Latency)
    assert meter.pace == 2.0
    meter.hear_of_pace(1.5)
    meter.hear_of_pace(None)
    assert meter.pace == 1.5
    for _ in range(2):
        [*meter.parts(PARTS[:1])]
    assert [turn[2] for turn in made.turns] == [3.0, 1.5, 1.5]


def test_what_was_heard_of_the_pace_counts_in_the_process(made: Made) -> None:
    answered(HELLO | {"pace": 9.0}, asked(PARTS[:1], pace=1.0), asked(PARTS[:1], pace=None))
    assert [turn[2] for turn in made.turns] == [1.0, 1.0]


def test_refusals_are_told_with_their_fields_and_it_goes_on(made: Made) -> None:
    bad = HELLO | {"spec": {"batch": 0, "runtime": "none"}}
    refused, nothing, hello, part, failed = answered(
        bad,
        HELLO | {"plugins": ["no_such_module_anywhere"]},
        HELLO,
        {"parts": [{"kind": "stem"}]},
        {"networks": [BROKEN_NETWORK]},
    )
    assert [where for where, _ in refused["problems"]] == ["latency.batch", "latency.runtime"]
    assert nothing["problems"][0][0] == "plugins[0]"
    assert "no_such_module_anywhere" in nothing["problems"][0][1]
    assert list(hello) == ["device"]
    assert part["problems"] == [["part", "is no part of a network ('size')"]]
    assert failed == {"failed": "MemoryError: there is no room"}


BROKEN_NETWORK = next(
    iter(small(stages=[{"depth": 1, "width": 96, "mlp_ratio": 2}]).enumerate())
).to_json()


def test_a_reason_is_one_line_of_no_more_than_300_characters() -> None:
    assert meter_process._reason(ValueError("a\n b")) == "ValueError: a b"
    assert meter_process._reason(ValueError("x" * 400)) == "ValueError: " + "x" * 288


def test_what_a_failure_held_on_a_gpu_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[bool] = []
    monkeypatch.setattr(meter_process.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(meter_process.torch.cuda, "empty_cache", lambda: freed.append(True))
    meter_process._reason(RuntimeError("full"))
    assert freed == [True]


def test_what_this_machine_cannot_measure_makes_no_meter(made: Made) -> None:
    with pytest.raises(InputError, match=r"latency\.device: this machine has no cuda:99"):
        Meter(LatencySpec(device="cuda:99"))
    assert (made.threads, made.gauges) == ([], [])


def test_answers_have_the_output_for_themselves(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What libraries print, be it from C, goes where errors go."""

    def served(requests: Iterator[str], answers: io.StringIO) -> None:
        assert [*requests] == ["a request\n"]
        os.write(1, b"a library\n")
        answers.write("an answer\n")

    monkeypatch.setattr(meter_process, "serve", served)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a request\n"))
    before = os.dup(1)
    try:
        meter_process.main()
    finally:
        os.dup2(before, 1)
        os.close(before)
    found = capfd.readouterr()
    assert (found.out, found.err) == ("an answer\n", "a library\n")
