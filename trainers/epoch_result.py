"""What one epoch of training reports."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class EpochResult:
    """Figures of one epoch.

    Attributes:
        epoch: number of the epoch, from 1.
        train_loss: mean over the training batches, with label smoothing and mixing.
        validation_loss: plain cross entropy, mean over the validation images (nats).
        validation_accuracy: share of validation images classified rightly, 0 to 1.
        learning_rate: rate of the last step.
        seconds: wall time of training and validation together.
        images_per_second: training images per second of training time.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float

    def to_dict(self) -> dict[str, int | float]:
        """The figures by name."""
        return asdict(self)
