"""A small table, as a value. Only `handlers.blocks` knows how Slack shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Plain strings, no markup; every row is as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError("a row of a table is not as long as its header")

    @property
    def text(self) -> str:
        """The same as plain text, a line for each row: for notifications and screen readers."""
        return "\n".join(" · ".join(cell for cell in row if cell) for row in (self.header, *self.rows))
