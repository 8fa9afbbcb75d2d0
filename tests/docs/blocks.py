"""The blocks of the pages: what language they are in, and whether they are to be run.

A block of Python or of shell commands runs, unless the line before it is a comment that says why
not: `<!-- not run: needs a cluster -->`. `<!-- exit code: 2 -->` is that of its last command.
`<!-- file: my_mixers.py -->` puts a block into a file of the working folder, and runs it not.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / name for name in ("benchmarks/README.md", "deploy/README.md")),
    *sorted((ROOT / "docs").glob("**/*.md")),
]
RUN = ("bash", "python")
READ = ("yaml", "toml")
SHOWN = ("text", "nginx", "mermaid", "{")
"""Languages whose blocks are run, parsed, and only shown; "{" begins a directive of the site."""

_MARK = re.compile(r"<!-- (not run|exit code|file): (.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: where it stands.
        line: its first line there.
        language: as the fence says; "" where it says nothing.
        text: what it holds.
        not_run: why it is not run; None where it is.
        exit_code: of its last command.
        file: that it is the content of; None of what is run.
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None = None
    exit_code: int = 0
    file: str | None = None

    @property
    def place(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    """The page as seen from the root."""
    return str(page.relative_to(ROOT))


def blocks_of(page: Path) -> list[Block]:
    """Those of a page, in order."""
    found: list[Block] = []
    mark: dict[str, str] = {}
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "html_block":
            mark = dict(_MARK.findall(token.content))
        elif token.type == "fence" and token.map is not None:
            language = (token.info.split() or [""])[0]
            code = int(mark.get("exit code", 0))
            line = token.map[0] + 1
            not_run = mark.get("not run")
            file = mark.get("file")
            found.append(Block(page, line, language, token.content, not_run, code, file))
            mark = {}
        else:
            mark = {}
    return found


def commands_of(block: Block) -> list[list[str]]:
    """The words of each command of a block of shell."""
    whole = re.sub(r"\\\n\s*", "", block.text)
    return [words for line in whole.splitlines() if (words := shlex.split(line, comments=True))]
