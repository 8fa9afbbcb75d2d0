"""Headers of tars, byte by byte: sizes beyond octal digits, records that lie, sparse files."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from space.errors import InputError
from trainers.data.image_folder.picture_files import Place
from trainers.data.tar_shards.headers import Member, NotATar, regular_files
from trainers.data.tar_shards.samples import class_names, read_shard
from trainers.data.tar_shards.tar_files import InTars, members

END = bytes(1024)


def header(name: str = "a.png", kind: bytes = b"0", size: bytes = b"00000000003\0") -> bytes:
    """512 bytes whose sum is right; the size as it stands there."""
    found = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    found[124:136], found[156:157] = size.ljust(12, b"\0"), kind
    found[148:156] = b" " * 8
    found[148:156] = b"%06o\0 " % sum(found)
    return bytes(found)


def body(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // 512) * 512, b"\0")


def record(content: bytes, kind: bytes = b"x") -> bytes:
    """A header before a member, with what it says."""
    return header(kind=kind, size=b"%011o\0" % len(content)) + body(content)


def line(key: str, value: str) -> bytes:
    """A line of a pax header, with its own length before it."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length += 1
    return str(length).encode() + rest


def read(content: bytes) -> list[Member]:
    return list(regular_files(io.BytesIO(content), 0, len(content)))


def refused(content: bytes) -> str:
    with pytest.raises(NotATar) as error:
        read(content)
    return str(error.value)


def test_a_size_may_be_written_in_binary() -> None:
    sized = header(size=b"\x80" + (3).to_bytes(11, "big"))
    assert read(sized + body(b"abc") + END) == [Member("a.png", 512, 3)]
    assert refused(header(size=b"\x80" + (513).to_bytes(11, "big")) + bytes(512)) == (
        "it is cut off at byte 1,024"
    )


@pytest.mark.parametrize("size", [b"0000000000x", b"9", b"0 0"])
def test_a_size_that_is_no_number_is_damage(size: bytes) -> None:
    whole = header() + body(b"abc")
    assert refused(whole + header(size=size) + END) == "it is damaged at byte 1,024"


def test_an_empty_size_is_none() -> None:
    assert read(header(size=b"") + END) == [Member("a.png", 512, 0)]


def test_the_size_of_a_record_counts_for_the_file_behind_it() -> None:
    said = record(line("size", "600"))
    content = said + header(size=b"0") + bytes(1024) + header("b.png") + body(b"abc") + END
    assert read(content) == [Member("a.png", 1536, 600), Member("b.png", 3072, 3)]
    for wrong in ("6x", "-6", "\u0663", ""):
        assert refused(record(line("size", wrong)) + header() + END) == (
            "it is damaged at byte 1,024"
        )


@pytest.mark.parametrize(
    "said",
    [
        record(line("mtime", "3") + line("path", "x/ä.png")),
        record("x/ä.png\0".encode(), b"L"),
    ],
    ids=["pax", "GNU"],
)
def test_a_name_is_that_of_the_record_before_it(said: bytes) -> None:
    assert read(said + header() + body(b"abc") + header("b") + body(b"abc") + END) == [
        Member("x/ä.png", 1536, 3),
        Member("b", 2560, 3),
    ]


def test_a_record_for_all_members_is_passed_over() -> None:
    own = record(line("path", "own"))
    for_all = record(line("path", "all"), b"g")
    assert read(own + for_all + header() + body(b"abc") + END) == [Member("own", 2560, 3)]


@pytest.mark.parametrize(
    "content",
    [
        b"99 path=a\n",  # longer than all that there is
        b"6 path=a\n"[:2] + b"=b\n",  # a key that is shorter than its length
        b"2 path=a\n",
        b"x path=a\n",
        b"path=a\n",
    ],
)
def test_a_record_that_lies_about_its_length_is_damage(content: bytes) -> None:
    assert refused(record(content) + header() + END) == "it is damaged at byte 512"


def test_a_record_of_more_than_a_mebibyte_is_damage() -> None:
    most = 1 << 20
    kept = header(kind=b"L", size=b"%011o\0" % most) + b"n" * most
    assert read(kept + header() + body(b"abc") + END)[0].name == "n" * most
    more = header(kind=b"L", size=b"%011o\0" % (most + 1)) + bytes(most + 512)
    assert refused(more + header() + END) == "it is damaged at byte 512"


def test_what_is_called_like_a_folder_is_one() -> None:
    content = header("./a/", size=b"0") + header("./a/b.png") + body(b"abc") + END
    assert read(content) == [Member("a/b.png", 1024, 3)]


def test_sparse_files_are_refused() -> None:
    plain = header() + body(b"abc")
    assert refused(plain + header(kind=b"S") + body(b"abc") + END) == (
        "it holds a sparse file at byte 1,024"
    )
    said = record(line("GNU.sparse.major", "1"))
    assert refused(said + header() + body(b"abc") + END) == "it holds a sparse file at byte 1,024"


# --- tars and what lies beside them ---------------------------------------------------------------


def test_a_tar_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError) as error:
        list(members(tmp_path / "no.tar"))
    said = f"data.folder: {tmp_path}/no.tar cannot be read: No such file or directory"
    assert str(error.value) == said

    def broken(self: Path, *_: str) -> None:
        raise OSError("a word")

    monkeypatch.setattr(Path, "open", broken)
    with pytest.raises(InputError, match=r"no\.tar cannot be read: a word$"):
        list(members(tmp_path / "no.tar"))


def test_a_tar_that_was_cut_meanwhile_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(header() + body(b"abc") + END)
    pictures = InTars(tmp_path, ["a.tar"], {"a.tar/a.png": (0, 512, 3)})
    with pictures.open("a.tar/a.png") as file:
        assert file.read() == b"abc"
    os.truncate(tmp_path / "a.tar", 514)
    with pytest.raises(EOFError, match=r"^the tar ends after 2 of 3 bytes$"):
        pictures.open("a.tar/a.png")


@pytest.mark.parametrize(
    ("name", "label", "said"),
    [
        ("x.cls", b"3\n", "3"),
        ("x.cls", b" \n", None),
        ("x.cls", b"\xff\xfe", None),
        ("x.cls", b"3".rjust(1 << 20), "3"),
        ("x.cls", b"3".rjust((1 << 20) + 1), None),
        ("x.json", b'{"label": 7}', "7"),
        ("x.json", b'{"label": "cat"}', "cat"),
        ("x.json", b'{"label": true}', None),
        ("x.json", b'{"label": 1.5}', None),
        ("x.json", b'{"label": ""}', None),
        ("x.json", b'{"class": 7}', None),
        ("x.json", b"[7]", None),
        ("x.json", b"{", None),
        ("x.json", b"\xff", None),
    ],
)
def test_what_says_a_class(tmp_path: Path, name: str, label: bytes, said: str | None) -> None:
    path = tmp_path / "train.tar"
    sized = header(name, size=b"%011o\0" % len(label))
    path.write_bytes(header("x.png") + body(b"abc") + sized + body(label) + END)
    shard = read_shard(path, "label")
    assert [each.label for each in shard.samples] == ([] if said is None else [said])
    missing = "has no label of x.png: a .cls, or a .json with a label at 'label' (data.label_key)"
    assert shard.problems == ([] if said else [f"{missing} is needed"])


def tar_of(*members: tuple[str, bytes]) -> bytes:
    sized = ((header(name, size=b"%011o\0" % len(c)), body(c)) for name, c in members)
    return b"".join(head + content for head, content in sized) + END


def test_of_several_pictures_of_a_sample_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "train.tar"
    pictures = [("a.png", b"1"), ("a.jpg", b"2"), ("a.cls", b"0"), ("b.png", b"3"), ("b.cls", b"1")]
    path.write_bytes(tar_of(*pictures, ("a.notes.txt", b"x"), ("README", b"y")))
    shard = read_shard(path, "label")
    assert [(each.picture.name, each.label) for each in shard.samples] == [
        ("a.png", "0"),
        ("b.png", "1"),
    ]
    assert shard.problems == ["has several pictures of one sample: a"]


def test_a_picture_in_a_tar_is_where_its_bytes_are(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.tar").write_bytes(header() + body(b"abc") + END)
    (tmp_path / "link").symlink_to("real")
    pictures = InTars(tmp_path / "link", ["a.tar"], {"a.tar/a.png": (0, 512, 3)})
    tar = f"{tmp_path.resolve()}/real/a.tar"
    assert pictures.place("a.tar/a.png") == Place(f"{tar}//512//a.tar/a.png", tar)
    assert pictures.path("a.tar/a.png") == f"{tmp_path}/link/a.tar/a.png"


def test_names_of_classes_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text(" cat \n\ndog\ncat\n\n \n")
    assert [*class_names(path)] == ["cat (0)", "(1)", "dog", "cat (3)"]
