"""The fidelity ledger is the same on every kind of database."""

from search.query import paired_fidelity, proxy_worth, study_fidelity
from search.store import Store
from tests.query.curves import study_of, train


def test_a_ledger_is_read(store: Store) -> None:
    for name, epochs in (("short", 2), ("long", 4)):
        study = study_of(store, name, epochs)
        for number in range(11):
            train(store, study, number, epochs=epochs)
    train(store, store.studies.get("long"), 11, epochs=1, pruned=True)
    rows = {row.proxy: row for row in study_fidelity(store, ["long"])[0].rows}
    early = rows["accuracy after 1 epoch"].overall
    assert (early.n, rows["params"].n) == (11, 11)
    assert early.tau is not None
    assert proxy_worth(store, "long").stops[0].agreement == early
    paired = paired_fidelity(store, "short", "long").rows[0]
    assert paired.overall.n == 11
    assert paired.within.n < 11  # of eight types of mixer some are alone in their family
