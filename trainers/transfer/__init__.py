"""Detection and segmentation with a network of the space as their backbone."""
