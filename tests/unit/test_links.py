"""What the pages point at is there: files, headings, commands; and every page can be found."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ops.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(
    r"(?:python -m ops|\.venv/bin/ops|^ops) ([a-z]+)((?:\\\n|[^\n`#])*)", re.MULTILINE
)
"""a command with its options, over several lines where they are continued"""
LINK = re.compile(r"\]\(([^()\s]+)\)")


def by_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    found: Counter[str] = Counter()
    for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE):
        text = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found[slug] += 1
    again = {f"{slug}-{n}" for slug, times in found.items() for n in range(1, times)}
    return {*found, *again}


def broken(page: Path, root: Path = ROOT) -> Iterator[str]:
    """The page's links that lead nowhere; those to other sites are not looked at."""
    for link in LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(root):
            yield f"{link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading, but {', '.join(sorted(anchors(target)))}"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(broken(page)) == []


def test_what_is_broken_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `heading`, and more\n[there](#a-heading-and-more) [gone](gone.md) [none](#none)\n"
        "```\n# no heading [in code](gone.md)\n```\n## Again\n## Again\n"
    )
    assert anchors(page) == {"a-heading-and-more", "again", "again-1"}
    assert [link.partition(":")[0] for link in broken(page, tmp_path)] == ["gone.md", "#none"]


def test_the_index_has_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    listed = set(LINK.findall(prose(index)))
    missing = {path.name for path in index.parent.glob("*.md")} - listed - {index.name}
    assert not missing, "give it a line in docs/README.md, where it is best read"


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_command_and_option_of_ops_that_a_page_shows_is_there(page: Path) -> None:
    for name, rest in SHOWN.findall(page.read_text(encoding="utf-8")):
        command = main.get_command(click.Context(main), name)
        assert command is not None, f"ops {name}"
        options = {one for parameter in command.params for one in parameter.opts}
        asked = {word for word in rest.split() if word.startswith("--")}
        assert asked <= options, f"ops {name}{rest}"
