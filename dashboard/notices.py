"""What is shown where there is nothing to show: errors without tracebacks, and what to do."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.escaping import markdown
from search.store import StoreError
from space.errors import InputError
from space.passwords import masked
from space.wording import count

_LOG = logging.getLogger(__name__)
_COMMANDS = """\
python -m search run quickstart --resume  # a first search, a few minutes
make search                               # the same, in a checkout and its own environment"""


@contextmanager
def reported(heading: str) -> Iterator[None]:
    """Shows bad input and a failing database as text, under a heading.

    Of an error that nobody foresaw, visitors see one line and the server's log all the rest.
    """
    try:
        yield
    except (InputError, StoreError) as error:
        show_error(heading, masked(str(error)))
    except Exception:  # noqa: BLE001 - the log has all of it
        _LOG.exception("%s", heading)
        show_error(heading, "Something went wrong here. The server's log says what.")


def show_error(heading: str, text: str) -> None:
    """An error; the text is shown as it is, in monospace, so that a caret stands right."""
    st.error(heading, icon=":material/error:")
    st.code(text, language=None, wrap_lines=True)


def captions(sentences: Iterable[str | None]) -> None:
    """The sentences that there are as one small paragraph, each in a line, as written."""
    said = [markdown(sentence) for sentence in sentences if sentence]
    if said:
        st.caption("  \n".join(said))


def no_store(url: str) -> None:
    """There is no store yet."""
    st.info("There is no store here yet.", icon=":material/database_off:")
    st.code(url, language=None, wrap_lines=True)
    st.markdown("A search makes one. In the project's folder:")
    _what_to_do()
    st.caption("Another store is named by MIXSPACE_STORE when the dashboard is started.")


def no_studies() -> None:
    """There is a store without studies."""
    st.info("This store holds no study yet.", icon=":material/science:")
    st.markdown("Start one; this page fills as soon as its first trial runs:")
    _what_to_do()


def no_trials(what: str, filtered: bool) -> None:
    """No trial fits; `what` says what is missing, such as "No trial has ended yet."."""
    if filtered:
        st.info("No trial matches the filter.", icon=":material/filter_alt_off:")
        st.caption("Change or clear the filter in the sidebar.")
    else:
        st.info(what, icon=":material/hourglass_empty:")


def nothing_complete(filtered: bool) -> None:
    """No architecture is completely trained, or none that fits."""
    what = "matches the filter." if filtered else "is there yet."
    st.info(f"No completely trained architecture {what}", icon=":material/hourglass_empty:")


def nothing_measured(architectures: int, missing: str) -> None:
    """So many architectures are completely trained; each lacks an objective of those `missing`."""
    what = f"{count(architectures, 'architecture')} completely trained, none with all objectives."
    st.info(what, icon=":material/rule:")
    st.caption(f"There is no finite value for {missing}.")


def _what_to_do() -> None:
    st.code(_COMMANDS, language=None, wrap_lines=True)
