"""Schema migrations; `search.store.schema` applies them."""
