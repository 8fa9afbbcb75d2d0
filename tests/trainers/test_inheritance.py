"""Inheritance: a child begins as its trained parent, goes on exactly, and never by mistake."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from space import Architecture, InputError
from space.networks import build
from space.operators.layers import DropPath
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data
from trainers import ParentNetwork, Protocol, SearchData, Seeds, Training

PROTOCOL = short_protocol(initialisation="inherited", epochs=3, batch_size=32)
DATA = small_data(PROTOCOL, limit_train=960, limit_validation=300)
GROWN: dict[str, object] = {"kernel_size": 5, "dynamics": "homogeneous"}


def child() -> Architecture:
    """It contains `architecture()`: dynamic, a larger kernel, deeper, an MLP twice as wide."""
    grown = architecture(**GROWN)
    stages = tuple(replace(stage, depth=2, mlp_ratio=4) for stage in grown.stages)
    return replace(grown, stages=stages)


def start(
    what: Architecture,
    checkpoint: Path | None = None,
    parent: ParentNetwork | None = None,
    seeds: Seeds = SEEDS,
) -> Training:
    return Training(
        what, PROTOCOL, DATA, seeds=seeds, checkpoint_path=checkpoint, inherit_from=parent
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, ParentNetwork]:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("parent") / "parent.safetensors"
    training = start(architecture(), path)
    while not training.done:
        training.run_epoch()
    return training, ParentNetwork(architecture(), path)


def outputs(training: Training) -> torch.Tensor:
    images, _ = next(iter(training.data.validation_batches(training.device)))
    with torch.no_grad():
        return training.model.eval()(images)


def test_a_child_begins_with_what_its_parent_computes(
    trained: tuple[Training, ParentNetwork],
) -> None:
    parent, weights = trained
    found = start(child(), parent=weights)
    torch.testing.assert_close(outputs(found), outputs(parent), rtol=1e-5, atol=1e-5)
    assert found.inherited_from == parent.architecture.id
    assert found.history == ()
    assert not found.optimiser.state


def test_the_first_epoch_of_a_child_is_about_where_its_parent_ended(
    trained: tuple[Training, ParentNetwork],
) -> None:
    parent, weights = trained
    before = parent.history[-1].validation_accuracy
    inherited = start(child(), parent=weights).run_epoch().validation_accuracy
    alone = start(child()).run_epoch().validation_accuracy
    assert inherited > before - 0.05
    assert inherited > alone + 0.1


def test_a_child_goes_on_exactly_and_needs_its_parent_no_more(
    trained: tuple[Training, ParentNetwork], tmp_path: Path
) -> None:
    whole = start(child(), tmp_path / "whole", trained[1])
    for _ in range(2):
        whole.run_epoch()
    start(child(), tmp_path / "broken", trained[1]).run_epoch()
    gone = ParentNetwork(architecture(), tmp_path / "gone")
    resumed = start(child(), tmp_path / "broken", gone)
    assert resumed.inherited_from == architecture().id
    resumed.run_epoch()
    expected, found = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_what_is_new_in_a_child_follows_from_its_own_seed(
    trained: tuple[Training, ParentNetwork],
) -> None:
    def weights(seeds: Seeds) -> torch.Tensor:
        model = start(child(), parent=trained[1], seeds=seeds).model
        return torch.nn.utils.parameters_to_vector(model.parameters())

    assert torch.equal(weights(Seeds(1, 2)), weights(Seeds(1, 2)))
    assert not torch.equal(weights(Seeds(1, 2)), weights(Seeds(2, 2)))


def _missing(parent: ParentNetwork, folder: Path) -> ParentNetwork:
    return ParentNetwork(parent.architecture, folder / "missing")


def _damaged(parent: ParentNetwork, folder: Path) -> ParentNetwork:
    content = bytearray(parent.checkpoint.read_bytes())
    content[-100] ^= 1
    (folder / "damaged").write_bytes(content)
    return ParentNetwork(parent.architecture, folder / "damaged")


def _of_another(parent: ParentNetwork, folder: Path) -> ParentNetwork:
    return ParentNetwork(architecture(kernel_size=5), parent.checkpoint)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_missing, "does not exist"),
        (_damaged, "is corrupt"),
        (_of_another, "was written for architecture"),
    ],
)
def test_weights_that_cannot_be_had_are_refused_as_the_parents(
    spoil: Callable[[ParentNetwork, Path], ParentNetwork],
    reason: str,
    trained: tuple[Training, ParentNetwork],
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        start(child(), parent=spoil(trained[1], tmp_path))
    assert [problem.where for problem in refused.value.problems] == ["parent"]


def test_a_child_that_does_not_contain_its_parent_is_refused(
    trained: tuple[Training, ParentNetwork],
) -> None:
    with pytest.raises(InputError, match=r"parent: stages\[0\]\.block\[0\]\.mix"):
        start(architecture(kernel_size=1), parent=trained[1])


def scratch(**changes: object) -> tuple[Protocol, SearchData]:
    protocol = short_protocol(**changes)
    return protocol, small_data(protocol, limit_train=64)


def test_under_a_protocol_from_scratch_nothing_is_inherited(
    trained: tuple[Training, ParentNetwork],
) -> None:
    """So the final retraining, which is from scratch, cannot inherit."""
    protocol, data = scratch()
    with pytest.raises(InputError, match="inherit_from: not allowed"):
        Training(child(), protocol, data, seeds=SEEDS, inherit_from=trained[1])


def test_a_parent_of_another_protocol_is_refused(trained: tuple[Training, ParentNetwork]) -> None:
    protocol, data = scratch(initialisation="inherited")
    with pytest.raises(InputError, match=r"parent: .*was written for protocol"):
        Training(child(), protocol, data, seeds=SEEDS, inherit_from=trained[1])


def untrained(folder: Path, **written: object) -> Training:
    """A parent with the weights that it begins with, under a protocol of its own."""
    protocol = PROTOCOL.model_copy(update=written)
    data = small_data(protocol, limit_train=64, limit_validation=10)
    return Training(architecture(), protocol, data, seeds=SEEDS, checkpoint_path=folder / "parent")


def grown(parent: Training) -> Training:
    """A child of it under the same protocol."""
    found = ParentNetwork(architecture(), parent.checkpoint_path or Path())
    protocol, data = parent.data.protocol, parent.data
    return Training(child(), protocol, data, seeds=SEEDS, inherit_from=found)


def test_a_child_inherits_what_is_judged_of_its_parent(tmp_path: Path) -> None:
    """The average of its weights, where there is one; the child's own average begins there."""
    parent = untrained(tmp_path, ema_decay=0.9)
    parent.run_epoch()
    images, _ = next(iter(parent.data.validation_batches()))
    with torch.no_grad():
        judged, trained = parent.evaluated.eval()(images), parent.model.eval()(images)
        found = grown(parent)
        for model in (found.model, found.evaluated):
            torch.testing.assert_close(model.eval()(images), judged, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(judged, trained, atol=1e-3)


def test_what_a_child_has_more_of_follows_the_protocol(tmp_path: Path) -> None:
    """Its drop path, and its first weights."""
    children = {}
    for weight_init in ("published", "lecun"):
        parent = untrained(tmp_path / weight_init, drop_path=0.3, weight_init=weight_init)
        parent.save(tmp_path / weight_init / "parent")
        children[weight_init] = grown(parent).model
    expected = build(child(), drop_path_rate=0.3)
    for found in children.values():
        assert rates(found) == rates(expected)
        assert max(rates(found)) == pytest.approx(0.3)
    # The second block is new, and a linear layer of it draws by one rule or the other.
    spread = {
        word: float(dict(model.named_parameters())["stages.0.1.mlp.expand.weight"].detach().std())
        for word, model in children.items()
    }
    assert spread["published"] == pytest.approx(0.02, rel=0.2)
    assert spread["lecun"] == pytest.approx(8**-0.5, rel=0.2)


def rates(network: torch.nn.Module) -> list[float]:
    return [part.rate for part in network.modules() if isinstance(part, DropPath)]
