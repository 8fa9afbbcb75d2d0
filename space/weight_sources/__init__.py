"""Weight sources: they make the free entries of W. A folder each, found by `space.source_registry`.

`space.weight_source` says what a folder has. Here is nothing but sources: what several have in
common, such as the generator of weights, is in `space.operators` and `space.cost`.
"""
