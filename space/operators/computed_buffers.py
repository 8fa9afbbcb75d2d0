"""Buffers that follow from sizes alone, such as masks: no checkpoint has them."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn


class ComputedBuffers(nn.Module, ABC):
    """A module that fills its non-persistent buffers itself, when it is built and when weights are
    loaded: a network may be built on the meta device, where they are nothing but shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_post_hook(_fill)  # type: ignore[no-untyped-call]

    @abstractmethod
    def compute_buffers(self) -> None:
        """Registers them, not persistent, on the device that new tensors are made on."""

    def init_non_persistent_buffers(self) -> None:
        """Fill them, on the device of the weights. timm's word for it.

        Only where a network that was built on the meta device gets its weights without
        `load_state_dict` must it be called, as timm's `reinit_non_persistent_buffers` does.
        """
        device = next(self.parameters()).device
        with torch.no_grad(), torch.device(device):
            self.compute_buffers()


def _fill(module: ComputedBuffers, incompatible_keys: Any) -> None:
    module.init_non_persistent_buffers()
