"""What Alembic runs: applies the revisions on the connection that `search.store.schema` locked."""

from alembic import context

from search.store.models import Base
from search.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
# The caller's transaction is around everything: the schema changes wholly or not at all.
context.run_migrations()
