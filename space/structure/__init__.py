"""Structure computed: which entries of W are zero and which are tied, as arrays fit for drawing.

Torch free, but for `space.structure.marks`, which reads Table 1 off W itself.
"""
