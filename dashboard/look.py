"""What of the pages' look the theme in .streamlit/config.toml cannot say."""

import streamlit as st

_ALWAYS = """
.st-key-metrics { row-gap: 0 }
[data-tag] { height: auto; min-height: 28px }
[data-tag] > span { white-space: normal; overflow-wrap: anywhere }
"""
"""What is chosen in a box is cut where it is long; here it takes several lines."""
_DARK = """
[data-tag], [data-tag] * { color: #12171d }
"""
"""What is chosen in a box stands on the primary colour, which is light in the dark."""


def refine() -> None:
    """Adds it to the page."""
    is_dark = st.context.theme.type == "dark"
    st.html(f"<style>{_ALWAYS}{_DARK if is_dark else ''}</style>")
