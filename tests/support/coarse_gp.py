"""A quicker Gaussian process, for tests that ask what holds of any; a conftest.py imports it."""

import pytest
from optuna.samplers import BaseSampler

from search.searchers.optuna_samplers.gp import GpSearcher

COARSE = {
    "_n_preliminary_samples": 128,
    "_n_local_search": 4,
    "_n_qmc_samples_qei": 8,
    "_n_qmc_samples_ehvi": 8,
}
"""The fields of Optuna's sampler that say how closely it looks for the best proposal."""


@pytest.fixture
def coarse_gp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optuna's Gaussian process, looking for its proposal among fewer candidates.

    What is fitted and how it is asked stays the same; a proposal takes a third of the time.
    """
    exact = GpSearcher.sampler

    def sampler(searcher: "GpSearcher[object]", seed: int) -> BaseSampler:
        made = exact(searcher, seed)
        for field, number in COARSE.items():
            assert getattr(made, field) > number, "Optuna has another field for it now"
            setattr(made, field, number)
        return made

    monkeypatch.setattr(GpSearcher, "sampler", sampler)
