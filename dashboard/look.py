"""What of the pages' look the theme in .streamlit/config.toml cannot say."""

import streamlit as st

_ALWAYS = """
.st-key-metrics { row-gap: 0 }
[data-tag] { height: auto; min-height: 28px }
[data-tag] > span { white-space: normal; overflow-wrap: anywhere }
@media (768px <= width < 1440px) {
  [data-testid="stMainBlockContainer"] { padding-left: 1.5rem; padding-right: 1.5rem }
}
"""
"""What is chosen in a box is cut where it is long; here it takes several lines. On the screens of
most laptops the margins beside a page would take what the relation graph needs."""
_DARK = """
[data-tag], [data-tag] * { color: #12171d }
"""
"""What is chosen in a box stands on the primary colour, which is light in the dark."""


def refine() -> None:
    """Adds it to the page."""
    is_dark = st.context.theme.type == "dark"
    st.html(f"<style>{_ALWAYS}{_DARK if is_dark else ''}</style>")
