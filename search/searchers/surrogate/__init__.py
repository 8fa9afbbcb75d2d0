"""Surrogate-guided search: a Gaussian process proposes what promises the largest improvement.

Why not BoTorch, which was weighed:

- Points are discrete and come from a space that samples and lists neighbours, so the acquisition
  function is compared over some thousand candidates. BoTorch's strength, the optimisation of its
  gradient over a box, has no use here.
- Metrics that are known without evaluation (parameters, MACs) are exact objectives of deviation 0;
  with independent normal objectives the expected hypervolume improvement then has a closed form.
- A proposal follows from the seed and what was told, to the last bit, as a resumed study needs it;
  thousands of results cost milliseconds (inducing points, batches). It needs NumPy and SciPy
  alone, where BoTorch brings GPyTorch and an autograd graph for each fit of 160 points.

Its words are used all the same: posterior, partitioning of the front, condition.
"""
