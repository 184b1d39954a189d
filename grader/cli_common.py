"""What all verbs of the command line share: errors in one line, and how things are shown."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Control characters, marks that turn the direction of writing around, and halves of characters.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Command(click.Command):
    """Turn the engine's and the machine's errors into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from grader.engine.errors import EngineError

        try:
            return super().invoke(ctx)
        except EngineError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # whoever reads has seen enough: click ends quietly
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(
                f"{where}{error.strerror or error}; mend this and give the command again"
            ) from error


def empty_table(title: str, **columns: Any) -> Table:
    """Return an empty table; columns given as 1 hold numbers."""
    from rich.table import Table

    table = Table(title=title or None)
    for name, numbers in columns.items():
        table.add_column(name, justify="right" if numbers else "left")
    return table


def print_table(table: Table) -> None:
    """Print a table."""
    from rich.console import Console

    # Piped output has no width of its own.
    (Console() if sys.stdout.isatty() else Console(width=160)).print(table, markup=False)


def printable(text: str) -> str:
    """Return a text that a terminal prints as it is: students choose the names of their files and folders."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def echo_json(told: Any) -> None:
    """Print JSON."""
    text = json.dumps(told, indent=1, ensure_ascii=False)
    # Halves of characters, from file names that are no proper Unicode, cannot be printed.
    click.echo(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 page", "2,000 pages"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
