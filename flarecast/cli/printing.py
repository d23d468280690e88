"""Tables on stdout that fit 80 columns: rich on a terminal, else plain text."""

import sys
import textwrap
from collections.abc import Iterable, Sequence

import click

WIDTH = 80


def print_table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2, faint: Sequence[int] = ()
) -> None:
    """Print a table whose first column is flush left.

    Args:
        title: Above it, wrapped; may be empty.
        head: Names of the columns.
        rows: Cells.
        gap: Blanks between columns.
        faint: Rows that a terminal shows fainter.
    """
    if title:
        click.echo("\n".join(textwrap.wrap(title, WIDTH)))
    if sys.stdout.isatty():
        _print_rich(head, rows, gap, faint)
        return
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo((" " * gap).join([row[0].ljust(widths[0]), *cells]).rstrip())


def print_remarks(remarks: Iterable[str]) -> None:
    """Print remarks as a list, each wrapped and hanging from its dash; no name or number is broken."""
    for remark in remarks:
        wrapper = textwrap.TextWrapper(WIDTH, "- ", "  ", break_long_words=False, break_on_hyphens=False)
        click.echo(wrapper.fill(remark))


def _print_rich(head: Sequence[str], rows: Sequence[Sequence[str]], gap: int, faint: Sequence[int]) -> None:
    """Print a table for a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), collapse_padding=True)
    for nth, name in enumerate(head):
        shown.add_column(Text(name), justify="right" if nth else "left", no_wrap=True)
    for nth, row in enumerate(rows):
        shown.add_row(*map(Text, row), style="dim" if nth in faint else "")
    Console(file=sys.stdout, highlight=False).print(shown)
