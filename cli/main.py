"""The command `emotion`: runs a subcommand and turns errors into exit codes.

A subcommand's module is imported when the subcommand runs or all are listed. It must not import
anything heavy outside its function, so that help stays fast.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, cast

try:
    import typer
    from typer.core import TyperCommand, TyperGroup
except ModuleNotFoundError as error:
    # The installation is incomplete: a traceback would not say what to do.
    raise SystemExit(f"The package {error.name} is missing. To install it: make install") from error

from cli.streams import discard_output, explain_disk_error, prepare_streams
from core import ProjectError, __version__, escape_controls, suggest_name

COMMANDS = {
    "analyze": "cli.analyze:analyze",
    "batch": "cli.batch:batch",
    "live": "cli.live:live",
    "models": "cli.models:models",
    "app": "cli.serve:app",
    "demo": "cli.serve:demo",
    "serve": "cli.serve:serve",
    "doctor": "cli.doctor:doctor",
    "train": "cli.train:train",
    "evaluate": "cli.evaluate:evaluate",
    "calibrate": "cli.calibrate:calibrate",
    "ablate": "cli.ablate:ablate",
    "duplicates": "cli.duplicates:duplicates",
    "study": "cli.study:study",
    "export": "cli.export:export",
    "bench": "cli.bench:bench",
    "detector": "cli.detector:detector",
    "covered": "cli.covered:covered",
    "report": "cli.report:report",
}
"""Where to find each subcommand, in the order of the help: a function, or a ``Typer`` group."""


_ANY_LENGTH = 10_000
_OURS = {"", "core", "cli", "training"}
"""If one of these cannot be imported, that is a bug and no package that is missing."""


class HelpfulGroup(TyperGroup):
    """Subcommands whose help shows their first sentence whole, however narrow the terminal is."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a line or more for each subcommand."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=_ANY_LENGTH))
                    for name, command in commands.items()
                    if command
                ]
            )


class CommandGroup(HelpfulGroup):
    """The subcommands of `emotion`, each loaded only when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        """Return the command called ``cmd_name``; None if there is none."""
        if cmd_name not in COMMANDS:
            # Typer suggests a similar name from the commands that are loaded.
            self.commands = {name: _load_command(name) for name in COMMANDS}
            return None
        return _load_command(cmd_name)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an empty name: as a path it would silently be the current folder."""
        for arg in args:
            if not arg or re.fullmatch(r"--[a-z-]+=", arg):
                ctx.fail(f"{arg.removesuffix('=') or 'A name'} is empty.")
        return super().parse_args(ctx, args)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; a full or read-only disk ends it with a sentence."""
        prepare_streams()
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            message = explain_disk_error(error)
            if not message:
                raise
            with suppress(OSError):
                typer.secho(f"Error: {escape_controls(message)}", fg="red", err=True)
            discard_output()
            raise SystemExit(1) from error

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a ProjectError or a missing package becomes a message and a hint.

        Output is flushed here, not when the interpreter shuts down, so that typer can end quietly
        if the reader has gone (``emotion … | head``). Ctrl-C ends with 130. Any other exception is
        a bug and shows its traceback.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _explain_value(error.message)
            raise
        except ProjectError as error:
            typer.secho(f"Error: {escape_controls(error.message)}", fg="red", err=True)
            if error.hint:
                typer.echo(escape_controls(error.hint, keep_lines=True), err=True)
            raise typer.Exit(error.exit_code) from error
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in _OURS:
                raise
            typer.secho(
                f"Error: {package} is needed for this and not installed.", fg="red", err=True
            )
            typer.echo("To install what training and measuring need: make training", err=True)
            raise typer.Exit(2) from error
        finally:
            sys.stdout.flush()


def _explain_value(message: str) -> str:
    """Return typer's message about a wrong value; if it names what it takes, with a suggestion."""
    message = message.removeprefix("Value error, ")
    if found := re.fullmatch(r"'(.*)' is not one of ('.*')\.", message):
        names = re.findall(r"'([^']*)'", found[2])
        return f"{message} {suggest_name(found[1], names)}".rstrip()
    return message


def _load_command(name: str) -> TyperCommand | TyperGroup:
    module, _, attribute = COMMANDS[name].partition(":")
    target = getattr(import_module(module), attribute)
    if isinstance(target, typer.Typer):
        target.info.cls = HelpfulGroup
    else:
        function, target = target, typer.Typer(add_completion=False)
        target.command(name)(function)
    target.rich_markup_mode = None
    return cast("TyperCommand | TyperGroup", typer.main.get_command(target))


app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    # Drawing help with rich takes twice as long as everything else in `emotion --help`.
    rich_markup_mode=None,
    # Local variables in a traceback would show the pixels and names of someone's photos.
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
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Find the faces in a photo and read their emotions."""
