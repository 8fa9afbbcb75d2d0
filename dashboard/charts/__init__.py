"""Charts: from rows of the store to Plotly figures; nothing here reads the store."""
