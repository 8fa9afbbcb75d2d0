"""Memory of a part of a network, and of parts one after the other."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """Activations of a network or of a part of it, for one batch of images in float32.

    The model is eager PyTorch with images of three axes and channels last between the blocks, as
    `space.networks` runs. What a backend keeps for itself inside one operation is not in it.

    Attributes:
        training_bytes: tensors that autograd saves in a training step, without the parameters:
            each storage once, as `torch.autograd.graph.saved_tensors_hooks` sees them.
        inference_bytes: the largest sum of activations that are alive at the same time in a
            forward pass without gradients, the images included.
        moved_bytes: what the operations of a forward pass read and write: every operation reads
            its inputs and its parameters once and writes its output once, copies are operations,
            views are free.
    """

    training_bytes: int = 0
    inference_bytes: int = 0
    moved_bytes: int = 0
