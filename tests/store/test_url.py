"""What is no store URL is refused, and no refusal, name or command shows a password."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search.cli.program import run_program
from search.config import Config
from search.store import open_store, open_to_read
from search.store.url import display, masked, parse_url, scrub
from space.cli.program import run_program as run_space
from space.errors import InputError
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


MALFORMED = (
    "postgresql://u:my sekret@h/d",
    "postgresql://u:my@sekret/b@h/d",
    "postgresql://u:sekret",
    "postgresql://u:sekret/d",
    'host=h password="my sekret"',
    "host=h password=my sekret dbname=d",
    'PGPASSWORD="my sekret"',
    "postgresql://h/d?password=my sekret",
    "user=u pw='sekret'",
    "user=u api_token=sekret",
)


@pytest.mark.parametrize("text", MALFORMED)
def test_no_malformed_spelling_shows_its_password(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for shown in (masked(text), masked(f"error: {text!r} is refused"), masked(f"got ({text})")):
        assert "sekret" not in shown
    (tmp_path / "c.yaml").write_text(f"store: {text}\n  x: [\n")
    commands = (
        *(["continue", "x", text], ["studies", text], [text], ["best", "--top", text]),
        *(["studies", "--store", text], ["run", str(tmp_path / "c.yaml")]),
        *(["space", "count", "a", text], ["space", "sample", "a", "--number", text]),
    )
    for command in commands:
        assert run_program(command) == 2, command
        assert "sekret" not in "".join(capsys.readouterr()), command
    for command in (["count", "a", text], ["sample", "a", "--number", text], [text]):
        assert run_space(command) == 2, command
        assert "sekret" not in "".join(capsys.readouterr()), command


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h:5432/d does not answer",
        "postgresql://[::1]:5432/d does not answer",
        'error: store: empty; allowed is a file such as "mixspace.db", "sqlite:///FILE" or '
        '"postgresql://USER@HOST/DATABASE"',
        "error: --top: 0 is not in the range x>=1",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    ["postgresql://u:pw@/d?host=127.0.0.1&port=abc", "postgresql://u@/d?host=a&host=b&port=1"],
)
def test_options_that_the_driver_cannot_read_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="host and port"):
        open_to_read(text)


def test_a_question_mark_does_not_lead_to_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="by its path alone"):
        open_store("sqlite:///a?b.db", create=True)
    open_store("a?b.db", create=True).close()
    assert {each.name for each in tmp_path.iterdir()} == {"a?b.db"}


@pytest.mark.parametrize("text", ["b" * 247, "b" * 248, "c/" * 250 + "s.db"], ids=range(3))
def test_what_sqlite_takes_no_more_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / text
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(path.name) <= 247 and len(str(path)) <= 504:
        open_store(str(path), create=True).close()
        return
    with pytest.raises(InputError, match="too long for SQLite"):
        open_store(str(path), create=True)


def test_a_short_password_garbles_no_word() -> None:
    url = parse_url("postgresql://u:ab@h/d")
    assert scrub("about u:ab@h", url) == "about u:***@h"
