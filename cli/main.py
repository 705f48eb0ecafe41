"""The command `emotion`: finds the sub-command and turns errors into exit codes, once.

A sub-command's module is imported when it is asked for, or when all are listed; it must not
import anything heavy outside of its function, so that help stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any, cast

try:
    import typer
    from typer.core import TyperCommand, TyperGroup
except ModuleNotFoundError as error:
    # Half an installation: a traceback would not tell its owner what to do.
    raise SystemExit(f"The package {error.name} is missing. To install it: make install") from error

from cli.terminal import printable
from core import ProjectError, __version__

COMMANDS = {
    "analyze": "cli.analyze:analyze",
    "batch": "cli.batch:batch",
    "live": "cli.live:live",
    "models": "cli.models:models",
    "app": "cli.serve:app",
    "demo": "cli.serve:demo",
    "doctor": "cli.doctor:doctor",
    "train": "cli.train:train",
    "evaluate": "cli.evaluate:evaluate",
    "calibrate": "cli.calibrate:calibrate",
    "ablate": "cli.ablate:ablate",
    "duplicates": "cli.duplicates:duplicates",
    "study": "cli.study:study",
    "bench": "cli.bench:bench",
    "detector": "cli.detector:detector",
    "report": "cli.report:report",
}
"""Where each sub-command lives, in the order of the help: a function, or a ``Typer`` of several."""


class CommandGroup(TyperGroup):
    """The sub-commands, loaded one by one."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """The names in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        """The command called ``cmd_name``, None if there is none."""
        if cmd_name not in COMMANDS:
            # Typer looks through what is loaded for a name to suggest.
            self.commands = {name: _load(name) for name in COMMANDS}
            return None
        return _load(cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a deliberate error becomes a message, a hint and its exit code.

        A reader that has gone (``emotion … | head``) is met here, not in the interpreter's
        shutdown, so that typer can end quietly; Ctrl-C ends with 130. Anything else is a bug
        and shows its traceback.
        """
        try:
            return super().invoke(ctx)
        except ProjectError as error:
            typer.secho(f"Error: {printable(error.message)}", fg="red", err=True)
            if error.hint:
                typer.echo(printable(error.hint), err=True)
            raise typer.Exit(error.exit_code) from error
        finally:
            sys.stdout.flush()


def _load(name: str) -> TyperCommand | TyperGroup:
    module, _, attribute = COMMANDS[name].partition(":")
    target = getattr(import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False)
        target.command(name)(function)
    target.rich_markup_mode = None
    return cast("TyperCommand | TyperGroup", typer.main.get_command(target))


app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    # Help drawn by rich takes twice as long as all the rest of `emotion --help`.
    rich_markup_mode=None,
    # Locals in a traceback would put the pixels and names of someone's photos on the screen.
    pretty_exceptions_show_locals=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emotion {__version__}")
        raise typer.Exit


@app.callback()
def emotion(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and end.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Find the faces in a photo and read their emotions."""
