"""Follows the tensors of one forward pass: which are alive, which autograd saves, what is moved.

The parts of a network mirror the modules of `space.operators` and `space.networks` line by line,
with sizes in place of numbers. So the memory of a network is a composition like the network
itself, and a part that is used in many places is described once. What every part is made of stands
here: tensors, their storages, and layers that mirror those of torch in float32. A layer takes a
tape and tensors, and returns a new tensor that the caller holds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FLOAT = 4
"""Bytes of a float32."""


@dataclass(slots=True, eq=False)
class Storage:
    """A block of memory; the tensors that are views of each other share one.

    Attributes:
        size: bytes.
        users: names in the running functions that hold it; at 0 it is given back.
        parameter: whether the network owns it, so that it is no activation.
    """

    size: int
    users: int = 1
    parameter: bool = False


@dataclass(slots=True, eq=False)
class Tensor:
    """A tensor: a storage, and how many bytes of it are its elements."""

    storage: Storage
    size: int


@dataclass(slots=True)
class Tape:
    """What happens to the tensors of a batch, from the first layer to the last.

    Attributes:
        batch: images.
        live: bytes of the activations that are held now.
        peak: the most that `live` has been.
        moved: bytes that all operations have read and written.
        saved: bytes that autograd has saved for the backward pass.
    """

    batch: int
    live: int = 0
    peak: int = 0
    moved: int = 0
    saved: int = 0
    _seen: set[Storage] = field(default_factory=set)

    def map(self, width: int, positions: int) -> int:
        """Bytes of a (B, width, positions) map."""
        return FLOAT * self.batch * width * positions

    def make(self, size: int) -> Tensor:
        """A new activation, held by the caller."""
        self.live += size
        self.peak = max(self.peak, self.live)
        return Tensor(Storage(size), size)

    def parameter(self, elements: int) -> Tensor:
        """Weights of the network, as a tensor that an operation reads."""
        size = FLOAT * elements
        return Tensor(Storage(size, parameter=True), size)

    def buffer(self, size: int) -> Tensor:
        """A tensor that the network keeps and autograd may save, such as a mask."""
        return Tensor(Storage(size), size)

    def run(self, size: int, *read: Tensor, weights: int = 0) -> Tensor:
        """An operation that reads tensors and a number of parameters, and makes a new tensor."""
        self.moved += size + FLOAT * weights + sum(tensor.size for tensor in read)
        return self.make(size)

    def copy(self, x: Tensor) -> Tensor:
        """The same elements in another order, in a storage of their own."""
        return self.run(x.size, x)

    def view(self, x: Tensor, size: int | None = None) -> Tensor:
        """The same storage under another name; `size` bytes of it, by default all of x."""
        x.storage.users += 1
        return Tensor(x.storage, x.size if size is None else size)

    def copy_if(self, needed: bool, x: Tensor) -> Tensor:
        """What reshaping does: a copy where the order of the elements asks for it, else a view."""
        return self.copy(x) if needed else self.view(x)

    def free(self, *tensors: Tensor) -> None:
        """A name goes out of scope."""
        for tensor in tensors:
            storage = tensor.storage
            storage.users -= 1
            if storage.users == 0 and not storage.parameter:
                self.live -= storage.size

    def save(self, *tensors: Tensor) -> None:
        """Autograd saves tensors, each storage once; parameters cost nothing more."""
        for tensor in tensors:
            storage = tensor.storage
            if not storage.parameter and storage not in self._seen:
                self._seen.add(storage)
                self.saved += storage.size

    def save_bytes(self, size: int) -> None:
        """Autograd saves something that no later operation reads, such as the mean of a norm."""
        self.saved += size


def then(t: Tape, layer: Callable[..., Tensor], x: Tensor, *sizes: Any) -> Tensor:
    """A layer of a sequence: its input is given back when it has returned."""
    y = layer(t, x, *sizes)
    t.free(x)
    return y


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
