"""torchvision's transforms of pictures with boxes and masks, beside any build of torch."""

from space.torchvision_support import prepare_torchvision

prepare_torchvision()

from torchvision import tv_tensors  # noqa: E402 - only now it can be imported
from torchvision.transforms import v2  # noqa: E402
from torchvision.transforms.v2 import functional as F  # noqa: E402

__all__ = ["F", "tv_tensors", "v2"]
