"""The columns of the table's file, and which of them a searcher may read."""

import pyarrow

_CURVE = pyarrow.list_(pyarrow.float64())

SCHEMA = pyarrow.schema(
    [
        pyarrow.field("architecture_id", pyarrow.string(), nullable=False),
        pyarrow.field("architecture", pyarrow.string(), nullable=False),  # JSON
        pyarrow.field("seed", pyarrow.int64(), nullable=False),  # study seed
        pyarrow.field("params", pyarrow.int64(), nullable=False),
        pyarrow.field("macs", pyarrow.int64(), nullable=False),
        pyarrow.field("validation_accuracy", _CURVE, nullable=False),  # by epoch, 0 to 1
        pyarrow.field("train_loss", _CURVE, nullable=False),  # by epoch
        pyarrow.field("seconds", _CURVE, nullable=False),  # by epoch
        pyarrow.field("device", pyarrow.string(), nullable=False),
        pyarrow.field("failure", pyarrow.string()),
        pyarrow.field("test_accuracy", pyarrow.float64()),
    ]
)

TEST_COLUMN = "test_accuracy"
"""Of the finished network on the test split. Only `final_test_accuracy` reads it."""

SEARCH_COLUMNS = tuple(name for name in SCHEMA.names if name != TEST_COLUMN)
"""What a searcher may read."""

PLANNED = "planned_trainings"
"""In the file's metadata: how many trainings there are when the table is whole."""
