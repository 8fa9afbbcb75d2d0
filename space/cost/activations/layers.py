"""Layers that every part is made of; each mirrors a layer of torch in float32.

All take a tape and tensors, and return a new tensor that the caller holds.
"""

from space.cost.activations.tape import FLOAT, Tape, Tensor


def convolution(t: Tape, x: Tensor, size: int, weights: int) -> Tensor:
    """A convolution or linear map with parameters, to `size` bytes; its input is saved."""
    t.save(x)
    return t.run(size, x, weights=weights)


def linear(t: Tape, x: Tensor, inputs: int, outputs: int, bias: bool = True) -> Tensor:
    """A linear map of the channels at every position."""
    return convolution(t, x, x.size // inputs * outputs, (inputs + bias) * outputs)


def batch_norm(t: Tape, x: Tensor, width: int) -> Tensor:
    """Batch norm: saves its input, the running statistics, and the batch's mean and deviation."""
    t.save(x)
    one_value = x.size == FLOAT * width  # then there are no statistics of the batch
    t.save_bytes(FLOAT * width * (2 if one_value else 4))
    return t.run(x.size, x, weights=4 * width)


def layer_norm(t: Tape, x: Tensor, width: int) -> Tensor:
    """Layer norm over the channels: saves its input, and mean and deviation at each position."""
    statistics = 2 * (x.size // width)
    t.save(x)
    t.save_bytes(statistics)
    y = t.run(x.size, x, weights=2 * width)
    t.moved += statistics
    t.peak = max(t.peak, t.live + statistics)
    return y


def max_pool(t: Tape, x: Tensor, size: int) -> Tensor:
    """Max pooling to `size` bytes: saves its input, and where each maximum was (int64)."""
    places = 2 * size
    t.save(x)
    t.save_bytes(places)
    y = t.run(size, x)
    t.moved += places
    t.peak = max(t.peak, t.live + places)
    return y


def relu(t: Tape, x: Tensor) -> Tensor:
    """ReLU saves its output."""
    y = t.run(x.size, x)
    t.save(y)
    return y


def gelu(t: Tape, x: Tensor) -> Tensor:
    """GELU saves its input."""
    t.save(x)
    return t.run(x.size, x)


def softmax(t: Tape, x: Tensor) -> Tensor:
    """Softmax saves its output."""
    y = t.run(x.size, x)
    t.save(y)
    return y


def product(t: Tape, size: int, left: Tensor, right: Tensor) -> Tensor:
    """A matrix product or convolution of two tensors; saves both."""
    t.save(left, right)
    return t.run(size, left, right)


def masked(t: Tape, x: Tensor, mask: Tensor) -> Tensor:
    """Filling where a mask says so; saves the mask."""
    t.save(mask)
    return t.run(x.size, x, mask)
