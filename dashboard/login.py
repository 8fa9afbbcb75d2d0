"""The door: where Streamlit's secrets have an `auth` section, nothing is shown before a login."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from dashboard import notices
from dashboard.escaping import markdown
from space.errors import InputError

_LOG = logging.getLogger(__name__)


def ask() -> None:
    """Lets a visitor pass who has logged in, and everybody where no login is configured.

    For all others the page ends here: with a button, or with what is wrong with the secrets.
    """
    with notices.reported("Nobody can be let in"):
        section = _section()
        if section is None:
            return
        if st.user.get("is_logged_in", False):
            if st.sidebar.button("Log out", icon=":material/logout:", width="stretch"):
                st.logout()
            return
        st.title("mixspace")
        _offer(section)
    st.stop()


def is_asked_for() -> bool:
    """Whether visitors had to log in, to see what is shown.

    Raises:
        InputError: the secrets cannot be read.
    """
    return _section() is not None


def _section() -> Mapping[str, Any] | None:
    """The `auth` section; None where there are no secrets, or none of that name.

    Raises:
        InputError: there are secrets that cannot be read, so nobody knows who may look.
    """
    try:
        return st.secrets.get("auth")
    except StreamlitSecretNotFoundError as error:
        if not any(Path(name).exists() for name in st.get_option("secrets.files")):
            return None
        _LOG.error("secrets that cannot be read: %s", error)
        message = "cannot be read, so nobody knows who may look; the server's log says why"
        raise InputError.of("secrets.toml", message) from None


def _offer(section: Mapping[str, Any]) -> None:
    """A button for each provider with a name, else one for the only provider."""
    named = [name for name, value in section.items() if isinstance(value, Mapping)]
    providers: list[str | None] = [*named] or [None]
    for name in providers:
        label = "Log in" if name is None else f"Log in with {markdown(name)}"
        if st.button(label, icon=":material/login:", key=f"login-{name}"):
            st.login(name)
