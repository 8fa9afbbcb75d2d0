"""A quicker Gaussian process, for tests that ask what holds of any; a conftest.py imports it."""

from typing import Any

import pytest
import torch
from optuna._gp.gp import GPRegressor
from optuna.samplers import BaseSampler, GPSampler

from search.searchers.optuna_samplers.gp import GpSearcher

COARSE = {
    "_n_preliminary_samples": 32,
    "_n_local_search": 2,
    "_n_qmc_samples_qei": 8,
    "_n_qmc_samples_ehvi": 8,
}
"""The fields of Optuna's sampler that say how closely it looks for the best proposal."""

GAIN = 1e-2
"""The gain at which the search for the best proposal ends; Optuna's own is 0.0001."""

GRADIENT = 0.1
"""The gradient at which the fit of the process ends; Optuna's own is 0.01."""


@pytest.fixture
def coarse_gp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optuna's Gaussian process, fitted roughly and looking among fewer candidates.

    What is fitted, to what, and how it is asked stays the same; a proposal takes a fifth of the
    time.
    """
    exact, fitted = GpSearcher.sampler, GPRegressor._fit_kernel_params

    def sampler(searcher: "GpSearcher[object]", seed: int) -> BaseSampler:
        made: Any = exact(searcher, seed)
        for field, number in COARSE.items():
            assert getattr(made, field) > number, "Optuna has another field for it now"
            setattr(made, field, number)
        assert made._tol < GAIN, "Optuna has another field for it now"
        made._tol = GAIN
        return made  # type: ignore[no-any-return]

    def fit(process: GPRegressor, *, gtol: float, **given: Any) -> GPRegressor:
        assert gtol < GRADIENT
        return fitted(process, gtol=GRADIENT, **given)

    implementation: Any = GPSampler._sample_relative_impl

    def at_once(*given: Any) -> Any:
        # Optuna asks for the CPU by a mode, in which every operation of torch goes through Python.
        with torch._C.DisableTorchFunction():
            return implementation(*given)

    monkeypatch.setattr(GpSearcher, "sampler", sampler)
    monkeypatch.setattr(GPSampler, "_sample_relative_impl", at_once)
    # On the class: Optuna keeps what it has once taken from the module.
    monkeypatch.setattr(GPRegressor, "_fit_kernel_params", fit)
