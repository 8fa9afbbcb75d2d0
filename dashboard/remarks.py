"""Tags and notes: all that visitors may write, and who may.

By default those do of whom it is known that they may: everybody where the dashboard listens on this
machine alone and is called so, and else those who had to log in. MIXSPACE_REMARKS says otherwise.
"""

import ipaddress
import os
from collections.abc import Sequence

import streamlit as st

from dashboard import login, notices, queries
from dashboard.escaping import markdown
from dashboard.scope import Scope, zone
from search.store import NoteRecord
from search.store.remarks import Remarks
from space import wording
from space.errors import InputError

VARIABLE = "MIXSPACE_REMARKS"
_ALLOWED = ("on", "off")


_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


def why_closed(scope: Scope) -> str | None:
    """Why no tags and notes can be written here; None where they can.

    Raises:
        InputError: MIXSPACE_REMARKS is none of what it may be.
        StoreError: the database failed.
    """
    return _why_no_visitor_may() or queries.why_no_remarks(scope)


def _why_no_visitor_may() -> str | None:
    setting = os.environ.get(VARIABLE, "").strip().lower()
    if setting not in ("", *_ALLOWED):
        raise InputError.of(VARIABLE, f"{setting!r} is not allowed; one of {', '.join(_ALLOWED)}")
    if setting == "on" or (not setting and (login.is_asked_for() or _is_for_this_machine())):
        return None
    if setting == "off":
        return f"{VARIABLE}=off closes this for all"
    return f"nobody has to log in, and others than this machine may look; {VARIABLE}=on allows it"


def _is_for_this_machine() -> bool:
    """Whether it listens here alone, and was asked by no proxy, as far as proxies tell."""
    headers = st.context.headers
    if any(headers.get(name) for name in _OF_PROXIES):
        return False
    asked = (headers.get("Host") or "").rsplit(":", 1)[0].strip("[]")
    return _is_local(str(st.get_option("server.address") or "")) and _is_local(asked)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- of one architecture ----------------------------------------------------------------------


def section(scope: Scope, architecture_id: str) -> None:
    """The tags and notes of an architecture, and where one may, what writes them."""
    tags = scope.store.tags.of([architecture_id]).get(architecture_id, [])
    kept = scope.store.tags.notes_of(architecture_id)
    if tags:
        st.markdown(f"Tags: {markdown(', '.join(tags))}")
    for note in kept:
        st.caption(f"{wording.clock(note.created, zone())}: {markdown(note.text)}")
    with notices.reported("Tags and notes cannot be written"):
        closed = why_closed(scope)
        with st.expander("Tag it, or write a note", icon=":material/label:"):
            if closed is None:
                _write(scope, architecture_id, tags, kept)
            else:
                st.caption(markdown(f"Tags and notes cannot be written here: {closed}."))


def _write(scope: Scope, id_: str, tags: Sequence[str], kept: Sequence[NoteRecord]) -> None:
    tag_form(scope, [id_], "Tag it")
    _buttons("tag", {tag: f"Take away {tag}" for tag in tags}, scope, id_)
    with st.form("note", clear_on_submit=True, border=False):
        note = st.text_area("Note", key="new-note")
        if st.form_submit_button("Write it down") and note:
            with notices.reported("The note was not written"):
                Remarks(scope.url).add_note(id_, note)
                _done()
    _buttons("note", {str(note.id): f"Take away note {note.id}" for note in kept}, scope, id_)


def _buttons(kind: str, labels: dict[str, str], scope: Scope, id_: str) -> None:
    """One for each tag or note, which takes it away."""
    if not labels:
        return
    with st.container(horizontal=True):
        for name, label in labels.items():
            if not st.button(markdown(label), key=f"remove-{kind}-{name}"):
                continue
            with notices.reported(f"The {kind} was not taken away"):
                remarks = Remarks(scope.url)
                if kind == "tag":
                    remarks.remove_tag([id_], name)
                else:
                    remarks.remove_note(id_, int(name))
                _done()


# --- of one or more ---------------------------------------------------------------------------


def tag_form(scope: Scope, ids: Sequence[str], label: str) -> None:
    """A box for a tag that these architectures get."""
    with st.form("tag", clear_on_submit=True, border=False):
        help_ = "A word to find them by: `tag = candidate` in the where box."
        tag = st.text_input("Tag", key="new-tag", help=help_, max_chars=50)
        if st.form_submit_button(label) and tag:
            with notices.reported("The tag was not given"):
                Remarks(scope.url).add_tag(ids, tag.strip())
                _done()


def _done() -> None:
    """What was read before is not so any more."""
    queries.clear_cache()
    st.rerun()
