"""Optuna's samplers as searchers: TPE, NSGA-II and the Gaussian process."""
