"""Passwords in text that is printed, however badly they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.cli.program import run_program
from space.passwords import masked

FORMS = [
    "postgresql://u:{}@h/d",
    "postgresql://u:my {}@h/d",
    "postgresql://u:{}",
    "postgresql://u:{}/d",
    "postgresql:user:{}@host/d",
    "mysql+pymysql://u:{}@h:3306/d?charset=utf8",
    "postgresql://h/d?user=u&password={}",
    "?password=my {}",
    'host=h password="my {}"',
    "user=u pw='{}'",
    "PGPASSWORD={} psql",
    "sslpassword = {}",
    "auth_token={}&x=1",
    "password: my {}",
    "{{'user': 'u', 'password': '{}'}}",
    '{{"db_password": "{}", "port": 1}}',
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["{}", "got '{}'", "error: store: {} does not answer", "({})"])
def test_no_form_shows_its_password(form: str, around: str) -> None:
    shown = masked(around.format(form.format("s3kret")))
    assert "s3kret" not in shown
    assert "***" in shown


@given(st.text("abcXYZ019._-!$%^*()+~", min_size=6, max_size=20))
def test_whatever_the_password_is(secret: str) -> None:
    assert secret not in masked(f"postgresql://user:{secret}@host/database")


@pytest.mark.thorough
@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "part", ["a:b,", "x://u:", "pass", "password: ", "password=x y ", "a", " ", ":@ ", "://", "@"]
)
def test_messages_without_an_end_are_read_once(part: str) -> None:
    """Looked through again from every place of it, such a text takes many minutes."""
    assert masked(part * 200_000)


def test_every_password_of_a_line_and_of_every_line_goes() -> None:
    shown = masked("a:s3kret@h and x://u:my s3kret@h\nb:s3kret@h x://u:p@h:5432/d at 12:30")
    assert "s3kret" not in shown
    assert shown.endswith("b:***@h x://u:***@h:5432/d at 12:30")


@pytest.mark.parametrize(
    "text",
    [
        "no Ray answers at http://127.0.0.1:8265: Connection refused",
        "postgresql://host:5432/db is away",
        "study: process 1 on vm is working on 'case' since 2026-11-28 04:08 UTC",
        "the token mixers of 3 stages: 7, 9",
        "tokens: 49",
        "passed: 3",
        "protocol.epochs: must be 3; got 'x'",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["studies", "postgresql://u:s3kret@h/d"],
        ["postgresql://u:s3kret@h/d"],
        ["best", "--top", "postgresql://u:s3kret@h/d"],
        ["continue", "x", "postgresql://u:s3kret@h/d"],
        ["space", "cost", "postgresql://u:s3kret@h/d"],
        ["studies", "--store", "postgresql://u:s3kret@/d?host=127.0.0.1&port=abc"],
        ["studies", "--store", "host=h user=u pass=s3kret"],
    ],
)
def test_a_slip_on_the_command_line_shows_no_password(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(arguments) == 2
    shown = capsys.readouterr()
    assert "s3kret" not in shown.out + shown.err
    assert "rror" in shown.err
