"""What the keyboard does in tables: Enter opens the architecture of the row that has the focus.

The grids of Streamlit paint their cells; beside the painting they keep a table of the same cells
for those who do not see it, and the focus is in there. A link in a cell opens by the mouse
alone, so a few lines here follow it.
"""

import streamlit as st

_SCRIPT = r"""<script>
if (!window.mixspaceOpensRows) {
    window.mixspaceOpensRows = true;
    document.addEventListener("keydown", (event) => {
        const row = document.activeElement?.closest('[role="gridcell"]')?.closest('[role="row"]');
        if (!row || event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
        for (const cell of row.querySelectorAll('[role="gridcell"]')) {
            const text = cell.textContent.trim();
            if (!/^\/([\w.~-]+\/)*(architecture|progress)\?/.test(text)) continue;
            event.preventDefault();
            event.stopImmediatePropagation();
            location.assign(text);
            return;
        }
    }, true);
}
</script>"""
"""It follows paths of this server alone, to the pages that cells link to."""


def enter_opens_rows() -> None:
    """Sees to it on the page, once in the life of a tab."""
    st.html(_SCRIPT, unsafe_allow_javascript=True)
