"""Structure computed: which entries of W are zero and which are tied, as arrays fit for drawing.

`entries` numbers the free entries, `connectivity` has the masks of the paper's Figure 2; both are
torch free. `table_1` reads the paper's Table 1 off W itself.
"""
