"""``transform``, ``rehydrate`` and ``detect``: filters that work in this process, with this host's configuration."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from oguardai.answers import detect_answer, entity_answer, rehydrate_answer, transform_answer
from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import STDIN, read_own_session, read_session, read_text, replace_file
from oguardai.cli.options import config_dir_option, json_option, read_config
from oguardai.cli.output import format_table, is_terminal, say, warn, write, write_json
from oguardai.cli.sessions import Refused, explain
from oguardai.errors import (
    DetectorUnavailableError,
    InvalidRequestError,
    ProblemError,
    SessionExpiredError,
    SessionInvalidError,
)

if TYPE_CHECKING:
    from oguardai.config import Config
    from oguardai.detection import Detected, Detection, Entity
    from oguardai.rehydrate import RehydrateResult
    from oguardai.transform import TransformResult

_CODES = (
    ExitCode.OK,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.BAD_DATA,
    ExitCode.NO_INPUT,
    ExitCode.NO_PERMISSION,
    ExitCode.CONFIG,
)
_SHOWN_TOKENS = 10  # of those that are not the session's

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Result = TypeVar("_Result")


def _detection_options(command: _Command) -> _Command:
    types = click.option(
        "--types",
        multiple=True,
        metavar="TYPE[,TYPE...]",
        callback=_read_types,
        help="Entity types to look for, instead of detection.types.",
    )
    threshold = click.option(
        "--threshold",
        type=float,
        metavar="NUMBER",
        callback=_check_threshold,
        help="Least confidence of a find, 0 to 1, instead of detection.threshold.",
    )
    terms = click.option(
        "--term",
        "terms",
        multiple=True,
        metavar="TEXT",
        callback=_check_terms,
        help="A word or a name that is always found, as type `term`; may be given several times.",
    )
    return types(threshold(terms(command)))


def _check_terms(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    from oguardai.detection.terms import check_term  # noqa: PLC0415 - see the package's docstring

    for value in values:
        wrong = check_term(value)
        if wrong:
            raise click.BadParameter(wrong, ctx, parameter)
    return values


def _check_threshold(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:  # written so that NaN fails
        raise click.BadParameter("expected a number from 0 to 1", ctx, parameter)
    return value


def _read_types(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    names = tuple(name for value in values or () for name in value.replace(",", " ").split())
    return tuple(dict.fromkeys(names)) or None


def _check_types(types: tuple[str, ...] | None, detection: Detection) -> None:
    """Refuse unknown types: which there are, the configuration knows."""
    for name in types or ():
        if name not in detection.types:
            known = ", ".join(detection.types)
            raise click.UsageError(
                f"Invalid value for '--types': {name!r} is not an entity type; known are {known}",
                click.get_current_context(),
            )


# --- transform ---------------------------------------------------------------------------------------------


@click.command(
    short_help="Replace personal data and secrets in a text by tokens.",
    epilog=describe_codes((*_CODES, ExitCode.CANNOT_CREATE)),
)
@config_dir_option
@click.option(
    "--session",
    "session_file",
    metavar="FILE",
    help="Where the sealed session is kept; one that is there already is continued.",
)
@_detection_options
@click.option("--token-style", type=click.Choice(["plain", "tagged"]), help="How the tokens of a new session look.")
@click.option(
    "--input-tokens",
    type=click.Choice(["literal", "keep"]),
    help="What text that looks like a token is: text, or a token of the session.  [default: literal]",
)
@click.option("--policy", metavar="NAME", help="Name of the policy.")
@json_option("Print the answer as the API gives it, session included.")
@click.argument("file", default=STDIN)
def transform(session_file: str | None, as_json: bool, file: str, **options: Any) -> None:
    """Replace personal data and secrets in FILE (standard input without one) by tokens.

    The safe text goes to standard output, byte for byte but for the tokens; the values, encrypted, go to the session's
    file. No server is needed.

    \b
        oguardai transform --session s.blob < question.txt |
            ask-a-model | oguardai rehydrate --session s.blob
    """
    if session_file is None and not as_json:
        raise click.UsageError(
            "Missing option '--session': without a session the text could not be restored; --json prints it instead",
            click.get_current_context(),
        )
    config = read_config()
    text = read_text(file)
    # Only now: a command in front of this one in a pipe may write the session at its end.
    state = read_own_session(session_file) if session_file is not None else None
    try:
        result = _transform(text, state, session_file or "", config, options)
    except Refused as error:
        advice = f"to begin a new session: rm {shlex.quote(session_file or '')}"
        raise Failure([*error.reasons, advice], error.code) from None
    if session_file is not None:
        # First of all: a safe text whose session is lost could not be restored.
        replace_file(session_file, f"{result.session_state}\n".encode())
    for warning in result.warnings:
        warn(f"{warning.code}: {warning.detail}")
    if as_json:
        write_json(transform_answer(result))
    else:
        write(result.safe_text)


def _transform(
    text: str, state: str | None, session_file: str, config: Config, options: dict[str, Any]
) -> TransformResult:
    from oguardai.detection import detection_of  # noqa: PLC0415 - see the package's docstring
    from oguardai.transform import TransformRequest, transform  # noqa: PLC0415

    fields = {name: value for name, value in options.items() if value is not None}
    if state is not None:
        fields["session_state"] = state
    _check_types(fields.get("types"), detection_of(config.settings))
    request = TransformRequest(input=text, **fields)
    return _answered(
        lambda: transform(request, settings=config.settings, keyrings=lambda: config.keyring, now=time.time()),
        state,
        session_file,
        config,
    )


# --- rehydrate ---------------------------------------------------------------------------------------------


@click.command(short_help="Put the values back in a text with tokens.", epilog=describe_codes(_CODES))
@config_dir_option
@click.option("--session", "session_file", metavar="FILE", required=True, help="Where the sealed session is kept.")
@click.option(
    "--restore-mode",
    type=click.Choice(["full", "partial", "masked", "formatted", "abstract", "none"]),
    help="How values come back.  [default: full]",
)
@click.option(
    "--repair",
    type=click.Choice(["strict", "lenient"]),
    help="Whether tokens that a model has garbled are recognised.  [default: strict]",
)
@click.option("--output-channel", metavar="NAME", help="Where the restored text goes, for policies that ask.")
@json_option("Print the answer as the API gives it.")
@click.argument("file", default=STDIN)
def rehydrate(session_file: str, as_json: bool, file: str, **options: Any) -> None:
    """Put the values back in FILE (standard input without one).

    The restored text goes to standard output, byte for byte but for the values. Tokens that are not of this session
    are left as they are and named on standard error.
    """
    if session_file == STDIN and file == STDIN:
        raise click.UsageError("session and text cannot both be on standard input", click.get_current_context())
    config = read_config()
    text = read_text(file)
    # Only now: the command in front of this one in a pipe writes it while that one reads.
    state = read_session(session_file)
    if state is None:
        raise Failure(f"{session_file}: is empty", ExitCode.BAD_DATA)
    result = _rehydrate(text, state, session_file, config, options)
    if as_json:
        write_json(rehydrate_answer(result))
        return
    unknown = list(dict.fromkeys(result.unknown_tokens))
    if unknown:
        more = f" and {len(unknown) - _SHOWN_TOKENS} more" if len(unknown) > _SHOWN_TOKENS else ""
        warn(f"left as they are, not of this session: {' '.join(unknown[:_SHOWN_TOKENS])}{more}")
    write(result.restored_text)


def _rehydrate(text: str, state: str, session_file: str, config: Config, options: dict[str, Any]) -> RehydrateResult:
    from oguardai.rehydrate import RehydrateRequest, rehydrate  # noqa: PLC0415

    fields = {name: value for name, value in options.items() if value is not None}
    request = RehydrateRequest(output=text, session_state=state, **fields)
    return _answered(
        lambda: rehydrate(request, settings=config.settings, keyrings=lambda: config.keyring, now=time.time()),
        state,
        session_file,
        config,
    )


def _answered(run: Callable[[], _Result], state: str | None, session_file: str, config: Config) -> _Result:
    """Run, and say of a refused session what exactly is wrong with it."""
    from oguardai.detection import DetectionError  # noqa: PLC0415

    try:
        return run()
    except (SessionExpiredError, SessionInvalidError):
        if state is None:
            raise
        raise explain(state, config.keyring, session_file) from None
    except InvalidRequestError as error:
        raise Failure(error.detail, ExitCode.USAGE) from None
    except ProblemError as error:
        # The input or its session is over a limit of the configuration.
        code = ExitCode.BAD_DATA if error.status < 500 else ExitCode.FAILED
        raise Failure(error.detail, code) from None
    except (DetectionError, DetectorUnavailableError) as error:
        raise Failure(str(error), ExitCode.FAILED) from None


# --- detect ------------------------------------------------------------------------------------------------


@click.command(short_help="Find personal data and secrets in a text.", epilog=describe_codes(_CODES))
@config_dir_option
@_detection_options
@click.option("--values", is_flag=True, help="Show what was found as well as where.")
@click.option("--explain", "explained", is_flag=True, help="Say of each find what its confidence is the sum of.")
@json_option("Print one object, as the API gives it.")
@click.argument("file", default=STDIN)
def detect(values: bool, explained: bool, as_json: bool, file: str, **options: Any) -> None:
    """Find personal data and secrets in FILE (standard input without one).

    Prints a table on a terminal, and a line of JSON for each find otherwise. Spans count characters (Unicode code
    points), the end exclusive. What was found is shown with --values only.
    """
    config = read_config()
    found = _detect(read_text(file), config, {**options, "explain": explained})
    for warning in found.warnings:
        warn(f"{warning.code}: {warning.detail}")
    if as_json:
        write_json(detect_answer(found, values=values))
    elif not is_terminal(sys.stdout):
        for entity in found.entities:
            write_json(entity_answer(entity, values=values))
    elif found.entities:
        shown = {"VALUE": values, "WHY": explained}
        headers = ("TYPE", "SPAN", "CONFIDENCE", "DETECTOR", *(name for name, wanted in shown.items() if wanted))
        write(format_table(headers, [_entity_row(entity, values, explained) for entity in found.entities]))
    else:
        say("nothing found")


def _detect(text: str, config: Config, options: dict[str, Any]) -> Detected:
    from oguardai.detection import DetectionError, detection_of  # noqa: PLC0415 - see the package's docstring

    detection = detection_of(config.settings)
    _check_types(options["types"], detection)
    try:
        return detection.detect(text, **options)
    except (DetectionError, DetectorUnavailableError) as error:
        raise Failure(str(error), ExitCode.FAILED) from None
    except ProblemError as error:
        raise Failure(error.detail, ExitCode.BAD_DATA) from None


def _entity_row(entity: Entity, values: bool, explained: bool) -> tuple[str, ...]:
    row = (entity.type, f"{entity.start}-{entity.end}", f"{entity.confidence:.2f}", entity.detector)
    why = ", ".join(
        f"{part.weight:+.2f} {part.kind}" + (f" ({part.detail})" if part.detail else "") for part in entity.explanation
    )
    return (*row, *((entity.value,) if values else ()), *((why,) if explained else ()))
