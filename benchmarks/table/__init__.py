"""A table of trained architectures: every operator of the algebra under one protocol."""
