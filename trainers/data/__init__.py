"""Images to train and validate on, and the one guarded way to the test images."""
