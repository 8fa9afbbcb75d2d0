"""One step of a training: a batch through the network in parts, and the change of its weights."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm

from trainers.batch_places import BatchPlaces
from trainers.evaluation import forward
from trainers.optimisation import training_loss
from trainers.processes import Processes
from trainers.protocol import Protocol
from trainers.training_state import TrainingState


class Stepper:
    """Makes the steps of a training.

    A step whose loss or gradient is not finite changes neither weights nor moments nor buffers.
    That is decided where the numbers are: no step waits for a GPU.

    Args:
        network: computes the logits and gradients of the state's model, perhaps compiled, perhaps
            with those of other processes.
        state: is changed. protocol: how. processes: this one and the others.
        places: is told which images of the batch go through the network.
    """

    def __init__(
        self,
        network: nn.Module,
        state: TrainingState,
        protocol: Protocol,
        device: torch.device,
        processes: Processes,
        places: BatchPlaces,
    ) -> None:
        self._network, self._state = network, state
        self._protocol, self._device = protocol, device
        self._processes, self._places = processes, places
        self._parameters = [p for p in state.model.parameters() if p.requires_grad]
        kept = state.model.state_dict(keep_vars=True).keys()
        self._buffers = [
            buffer
            for name, buffer in state.model.named_buffers()
            if buffer.is_floating_point() and name in kept
        ]

    def make(self, step: int, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The step of a batch.

        Args:
            step: its number from 0 over all epochs.
            images, targets: this process's share of the batch (see `SearchData`).

        Returns:
            0-d each: the loss of the whole batch; whether nothing was changed; whether that counts
            towards `max_nonfinite_steps`.
        """
        kept = self._kept()
        loss = self._backward(images, targets)
        scaler = self._state.scaler
        if scaler is not None:
            scaler.unscale_(self._state.optimiser)
        wrong_loss = ~torch.isfinite(loss)
        wrong = wrong_loss | ~torch.isfinite(self._clipped_norm())
        self._update(wrong)
        self._put_back(kept, wrong)
        if self._state.average is not None:
            self._state.average.update(self._state.model, step + 1)
        return loss, wrong, wrong_loss if scaler is not None else wrong

    def _backward(self, images: Tensor, targets: Tensor) -> Tensor:
        """Sum the gradients of all parts; the mean loss over the whole batch."""
        self._state.optimiser.zero_grad(set_to_none=True)
        parts = self._protocol.accumulation
        total = torch.zeros((), device=self._device)
        for number, part in enumerate(self._parts(len(images)), 1):
            chosen = (images, targets) if part is None else (images[part], targets[part])
            with self._alone(last=number == parts):
                total = total + self._backward_part(*chosen, parts)
        return self._processes.mean(total)

    def _backward_part(self, images: Tensor, targets: Tensor, parts: int) -> Tensor:
        logits = forward(self._network, images, self._protocol, self._device)
        loss = training_loss(logits, targets, self._protocol.label_smoothing) / parts
        scaler = self._state.scaler
        (loss if scaler is None else scaler.scale(loss)).backward()
        return loss.detach()

    def _parts(self, images: int) -> Iterator[Tensor | None]:
        """Where the images of each part are in this process's share; None for all of it."""
        batch, share = images * self._processes.size, self._processes.share
        every = share.parts(batch, self._protocol.accumulation)
        held = share.places(batch, self._protocol.accumulation)
        size = batch // len(every)
        for part in every:
            self._places.set(size, share.places(size))
            yield None if len(every) == 1 else torch.searchsorted(held, part).to(self._device)

    def _alone(self, *, last: bool) -> AbstractContextManager[None]:
        """Gradients travel between processes once a step, with those of the last part."""
        no_sync = getattr(self._network, "no_sync", None)
        return nullcontext() if last or no_sync is None else no_sync()

    def _clipped_norm(self) -> Tensor:
        """The norm of the gradient before it was clipped."""
        limit = self._protocol.clip_norm
        if limit is not None:
            return clip_grad_norm_(self._parameters, limit)
        return get_total_norm([p.grad for p in self._parameters if p.grad is not None])

    def _update(self, wrong: Tensor) -> None:
        optimiser, scaler = self._state.optimiser, self._state.scaler
        if scaler is not None:
            scaler.step(optimiser)
            scaler.update()
            return
        # As a GradScaler tells it to a fused optimiser, which then leaves everything as it is.
        optimiser.grad_scale, optimiser.found_inf = None, wrong.float()  # type: ignore[attr-defined]
        optimiser.step()
        del optimiser.grad_scale, optimiser.found_inf  # type: ignore[attr-defined]

    def _kept(self) -> Tensor | None:
        """What batch norm has seen so far, in one piece."""
        if not self._buffers:
            return None
        return torch.cat([buffer.flatten() for buffer in self._buffers])

    def _put_back(self, kept: Tensor | None, wrong: Tensor) -> None:
        if kept is None:
            return
        now = torch.cat([buffer.flatten() for buffer in self._buffers])
        right = torch.where(wrong, kept, now).split([buffer.numel() for buffer in self._buffers])
        with torch.no_grad():
            for buffer, value in zip(self._buffers, right, strict=True):
                buffer.copy_(value.view_as(buffer))
