"""Markdown that is filled from numbers: tables, and text between marks."""

import re
from collections.abc import Iterable, Sequence

from paper_utils.errors import CompanionError

__all__ = ["between_marks", "markdown_table"]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, without a newline at its end."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def between_marks(text: str, parts: dict[str, str], *, name: str = "README.md", prefix: str = "") -> str:
    """Return a text with what stands between its marks `<!-- part -->` and `<!-- /part -->` replaced.

    Each line of a part begins with `prefix`.

    Raises:
        CompanionError: the text lacks a part's marks.
    """
    for part, content in parts.items():
        pattern = re.compile(rf"(<!-- {part} -->).*?(<!-- /{part} -->)", re.DOTALL)
        if not pattern.search(text):
            raise CompanionError(f"{name} lacks the marks <!-- {part} --> and <!-- /{part} -->; put them back")

        def refill(marks: re.Match[str], content: str = content) -> str:
            lines = [f"{prefix}{line}".rstrip() for line in content.splitlines()]
            return "\n".join([marks[1], *lines, f"{prefix}{marks[2]}"])

        text = pattern.sub(refill, text)
    return text
