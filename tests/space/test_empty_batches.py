"""No images give no results, forward and backward, and leave statistics as they are."""

import pytest
import torch

from space import MixerType, mixer_type_named
from tests.space.cells import every_mixer_type_and_block_type, images, small_network


@every_mixer_type_and_block_type()
def test_no_images_give_no_logits_and_gradients_of_zero(
    mixer_type: MixerType, block_type: str
) -> None:
    network = small_network(mixer_type, block_type)
    for training in (False, True):
        network.train(training)
        before = {name: buffer.clone() for name, buffer in network.named_buffers()}
        none = images(0).requires_grad_()
        (last,) = network.forward_stages(none)
        logits = network.head(last)
        assert (last.shape, logits.shape) == ((0, 8, 5, 4), (0, 3))
        network.zero_grad()
        logits.sum().backward()
        assert none.grad is not None
        assert none.grad.shape == none.shape
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert not parameter.grad.any(), name
        for name, buffer in network.named_buffers():
            changed = "num_batches_tracked" in name  # as every batch is
            assert changed or torch.equal(buffer, before[name]), name


@pytest.mark.parametrize("block_type", ["conv", "prenorm", "convnext"])
def test_a_network_still_trains_after_an_empty_batch(block_type: str) -> None:
    network = small_network(mixer_type_named("dynamic dw-s conv."), block_type).train()
    for count in (0, 3):
        logits = network(images(count))
        assert logits.isfinite().all()
        logits.square().sum().backward()
    assert all(each.grad.isfinite().all() for each in network.parameters())  # type: ignore[union-attr]
