"""The browser's Back leads to a page with what was chosen on it.

Streamlit keeps the choices of a page in its URL. Before it goes to another page it pushes the URL
without them, as an entry of its own, and Back leads to that one, where everything is as if nothing
had been chosen. So the entry gets its parameters back when the page is left.
"""

import streamlit as st

_SCRIPT = r"""<script>
if (!window.mixspaceKeepsChoices) {
    window.mixspaceKeepsChoices = true;
    const push = history.pushState.bind(history);
    const replace = history.replaceState.bind(history);
    let whole = null;  // the URL before parameters were taken out of it, if that came last
    history.pushState = (state, title, url) => {
        const next = new URL(url ?? location.href, location.href);
        if (next.pathname !== location.pathname) {
            if (whole) replace(history.state, "", whole);
            whole = null;
        } else {
            whole = next.search.length < location.search.length ? location.href : null;
        }
        push(state, title, url);
    };
    history.replaceState = (...what) => {
        whole = null;
        replace(...what);
    };
    window.addEventListener("popstate", () => { whole = null; });
}
</script>"""


def keep_choices() -> None:
    """Sees to it on the page, once in the life of a tab."""
    st.html(_SCRIPT, unsafe_allow_javascript=True)
