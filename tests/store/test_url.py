"""What is no store URL is refused, and no refusal, name or command shows a password."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search.cli.program import run_program
from search.config import Config
from search.store import open_store, open_to_read
from search.store.url import display, parse_url
from space.errors import InputError
from space.masking import masked
from tests.search.small import values

SECRET = "hunter2"
BADLY_WRITTEN = (
    "postgresql:user:hunter2@host/db",
    "postgres//user:hunter2@host/db",
    "postgresql:/user:hunter2@host/db",
    "postgresql:user:hunter2",
    "postgresql+psycopg:user:hunter2@host/db",
    "user:hunter2@host/db",
    "//user:hunter2@host/db",
    "user:hunter2%40host/db",
    ":hunter2@host",
    "mysql://user:hunter2@host/db",
    "mysql:user:hunter2",
    "jdbc:postgresql://user:hunter2@host/db",
    "user:hunter2@postgresql://host/db",
    "POSTGRESQL://user:hunter2@host/db",
    "postgresql ://user:hunter2@host/db",
    "sqlite:///postgresql://user:hunter2@host/db",
    "sqlite:///user:hunter2@host/db",
    "sqlite://user:hunter2@host/db",
    "sqlite:///a.db?password=hunter2",
    "sqlite:///a.db?user:hunter2@host",
    "host=h user=u password=hunter2 dbname=d",
    "h;Database=d;Uid=u;Pwd=hunter2",
    "postgresql://user:x@hunter2@host/db",
    "postgresql://user:x?hunter2@host@db",
    "postgresql://user:hunter2@host:port/db",
    "postgresql://user:hunter2@host",
    "postgresql://user:hunter2@host/db\0",
    "postgresql://user\udcff:hunter2@host/db",
)


@pytest.mark.parametrize("text", BADLY_WRITTEN)
def test_a_url_in_another_way_than_its_own_is_refused_without_being_shown(text: str) -> None:
    for opening in (open_to_read, lambda url: open_store(url, create=True)):
        with pytest.raises(InputError) as caught:
            opening(text)
        assert [problem.where for problem in caught.value.problems] == ["store"]
        assert SECRET not in str(caught.value)
        str(caught.value).encode()


@pytest.mark.parametrize("text", BADLY_WRITTEN)
def test_nor_does_the_configuration_show_it(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Config.from_dict(values() | {"store": text})
    assert [problem.where for problem in caught.value.problems] == ["store"]
    assert SECRET not in str(caught.value)


SETTINGS = (
    "store:{}",
    "store={}",
    "store=[{}]",
    "store={{url: '{}'}}",
    "store='{}",
    "store={{a: '{}",
    "store.url={}",
    "trials={}",
    "seed: {}",
)
WITH_AT = [text for text in BADLY_WRITTEN if ":hunter2@" in text and "\0" not in text]


@pytest.mark.parametrize("setting", SETTINGS)
def test_nor_does_the_command_line(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("postgresql://user:hunter2@host/db", "user:hunter2@host/" + "long" * 40, *WITH_AT):
        given_ = setting.format(text)
        assert run_program(["run", "configs/quickstart.yaml", "--set", given_]) == 2, given_
        assert SECRET not in "".join(capsys.readouterr()), given_


@pytest.mark.parametrize("command", [["best"], ["studies"], ["show", "ab"], ["upgrade"]])
@pytest.mark.parametrize("text", BADLY_WRITTEN)
def test_nor_do_the_commands_that_look(
    command: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*command, "--store", text]) == 2
    assert SECRET not in "".join(capsys.readouterr())


URL_LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(URL_LETTERS, URL_LETTERS, st.sampled_from(["://", ":", "//", ":/", "", " "]))
def test_no_text_with_a_password_gets_as_far_as_a_file(user: str, rest: str, between: str) -> None:
    text = f"postgresql{between}{user}:hunter2@{rest}"
    try:
        shown = display(parse_url(text))
    except InputError as error:
        shown = str(error)
    assert SECRET not in shown


@given(st.text(st.characters(categories=["L", "N"], codec="utf-8"), min_size=6))
def test_messages_are_masked_as_a_whole(password: str) -> None:
    assume(password not in "the store postgresql of user at host in db as password cannot be read")
    for text in (f"postgresql://user:{password}@host/db", f"user:{password}@host/db"):
        assert password not in masked(f"the store {text!r} cannot be read")
    assert password not in masked(f"host=h password={password}")
    plain = 'a file such as "mixspace.db", "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"'
    assert masked(plain) == plain


@pytest.mark.parametrize(
    "text",
    [
        "a/" * 3000 + "s.db",
        "b" * 300 + ".db",
        "nul\0.db",
        "bytes\udcff.db",
        "~nobody-of-this-name/s.db",
        "loop.db",
        "loop.db/s.db",
        "/dev/null/s.db",
        "s.db\n\n/x",
    ],
    ids=range(9),
)
def test_paths_that_no_file_has_are_refused_in_one_line(
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")
    for command in (["studies"], ["best"], ["upgrade"]):
        assert run_program([*command, "--store", text]) == 2
        # What no text is made of is refused for the whole command line.
        assert capsys.readouterr().err.startswith(("error: store: ", "error: command line: "))
    with pytest.raises(InputError):
        open_store(text, create=True)
    assert [each.name for each in tmp_path.iterdir()] == ["loop.db"]


def test_options_that_hold_secrets_are_not_shown() -> None:
    text = "postgresql://h/d?Password=hunter2&oauth_client_secret=hunter2&sslmode=require"
    assert display(parse_url(text)) == (
        "postgresql://h/d?Password=***&oauth_client_secret=***&sslmode=require"
    )
