"""The command ``oguardai`` itself: its options, and how every error becomes lines and an exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from oguardai import __version__
from oguardai.cli import configuration, doctor, evaluate, keys, processes, removal, rotation, secrets, sessions, texts
from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.groups import CommandGroup
from oguardai.cli.options import config_dir_option
from oguardai.cli.output import complain, drop_output, write
from oguardai.errors import ConfigError, OGuardAIError, Problem, ProblemError, Severity

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Root(CommandGroup):
    """Ends the process with our exit statuses and messages, whichever version of click runs."""

    def main(  # type: ignore[override]  # one return type for what click declares as two
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run one command; ends by SystemExit."""
        extra["standalone_mode"] = False
        sys.exit(_run(lambda: super(Root, self).main(args=args, prog_name=prog_name, **extra)))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and see that what it wrote has gone out."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            drop_output()
            raise Failure((), ExitCode.BROKEN_PIPE) from None
        return result


def _run(command: Callable[[], Any]) -> int:
    try:
        status = command()
        return status if isinstance(status, int) else ExitCode.OK
    except Failure as failure:
        return _tell(failure.reasons, failure.code)
    except ConfigError as error:
        return _tell(_describe_problems(error.problems), ExitCode.CONFIG)
    except click.ClickException as error:
        return _tell([_describe_usage(error)], ExitCode(error.exit_code))
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except ProblemError as error:
        return _tell([error.detail], ExitCode.FAILED)
    except OGuardAIError as error:
        return _tell([str(error)], ExitCode.FAILED)
    except MemoryError:
        return _tell(["there is not enough memory"], ExitCode.FAILED)
    except PermissionError as error:
        return _tell([_describe_os_error(error)], ExitCode.NO_PERMISSION)
    except OSError as error:
        return _tell([_describe_os_error(error)], ExitCode.IO_ERROR)
    except Exception as error:
        return _tell([_describe_bug(error)], ExitCode.SOFTWARE)


def _tell(reasons: Sequence[str], code: ExitCode) -> ExitCode:
    with contextlib.suppress(OSError):  # nobody listens
        for reason in reasons:
            complain(reason)
    return code


def _describe_problems(problems: Sequence[Problem]) -> list[str]:
    return [str(one) if one.severity is Severity.ERROR else f"warning: {one}" for one in problems]


def _describe_usage(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    return f"{message} (see: {context.command_path} --help)" if context is not None else message


def _describe_os_error(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or type(error).__name__}"


def _describe_bug(error: Exception) -> str:
    """Say where it happened; the message of an exception is left out, because it may quote the input."""
    from oguardai.logs import exception_fields  # noqa: PLC0415 - not needed by a command that works

    fields = exception_fields(error)
    kinds, places = fields["exception"], fields["at"]
    assert isinstance(kinds, list)  # noqa: S101 - for the type checker
    assert isinstance(places, list)  # noqa: S101 - for the type checker
    return f"this is a bug in oguardai {__version__}: {kinds[0]} at {places[-1] if places else 'an unknown place'}"


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        write(f"oguardai {__version__}\n")
        ctx.exit()


@click.group(cls=Root, context_settings=_SETTINGS, epilog=describe_codes())
@config_dir_option
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Print the version and exit.",
)
def cli() -> None:
    """Keep personal data and secrets out of what is sent to a model, and put them back afterwards."""


@cli.command("version", short_help="Print the version.")
def show_version() -> None:
    """Print the version."""
    write(f"oguardai {__version__}\n")


for _command in (
    processes.serve,
    processes.reload,
    configuration.config,
    secrets.secret,
    keys.keyring,
    doctor.doctor,
    sessions.session,
    texts.transform,
    texts.rehydrate,
    texts.detect,
    evaluate.evaluate,
):
    cli.add_command(_command)
for _command in (
    rotation.adopt,
    rotation.add,
    rotation.rotate,
    rotation.activate,
    rotation.rollback,
    removal.revoke,
    removal.remove,
    removal.prune,
):
    keys.keyring.add_command(_command)
