"""``evaluate``: how much of labelled texts detection finds, with this host's configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from oguardai.cli.failure import ExitCode, Failure, describe_codes
from oguardai.cli.files import name_of, read_text
from oguardai.cli.options import config_dir_option, json_option, read_config
from oguardai.cli.output import UNKNOWN, format_table, say, warn, write, write_json
from oguardai.errors import ProblemError

if TYPE_CHECKING:
    from oguardai.detection import Detection
    from oguardai.evaluation import Corpus, Row, Score, Value

_CODES = (
    ExitCode.OK,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.BAD_DATA,
    ExitCode.NO_INPUT,
    ExitCode.NO_PERMISSION,
    ExitCode.CONFIG,
)
_HEADERS = ("TYPE", "LABELLED", "FOUND", "RIGHT", "PRECISION", "RECALL", "F1", "F2", "EXACT P", "EXACT R", "LEAKS")
_SHOWN_LINES = 20  # of those that are wrong


def _check_threshold(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:  # written so that NaN fails
        raise click.BadParameter("expected a number from 0 to 1", ctx, parameter)
    return value


@click.command(short_help="Measure detection on labelled texts.", epilog=describe_codes(_CODES))
@config_dir_option
@click.option(
    "--threshold",
    type=float,
    metavar="NUMBER",
    callback=_check_threshold,
    help="Least confidence of a find, 0 to 1, instead of detection.threshold.",
)
@click.option(
    "--all-types",
    is_flag=True,
    help="Look for everything, as a server does, also in rows that test one type.",
)
@json_option("Print one object.")
@click.argument("file", nargs=-1, required=True)
def evaluate(file: Sequence[str], as_json: bool, all_types: bool, threshold: float | None) -> None:
    """Compare what is found with what is labelled in each FILE (`-` is standard input), all files together.

    A file is JSON lines, with spans in characters (Unicode code points), the end exclusive:

    \b
        {"text": "Mail to jo@example.com.", "spans": [[8, 22, "email"]]}

    A find is right when it overlaps a label of its type. Finds of types that a row does not label do not count: it
    labels those of its `types` (a list, or "all"), or without that those that occur in its file. A row with
    `tested_type` labels that type alone, and no other is looked for. Names that other labelled sets use, such as
    EMAIL_ADDRESS, are understood.

    EXACT counts finds with exactly the span of a label. LEAKS is the share of labelled values that no find, of whatever
    type, covers whole. No text is shown.
    """
    from oguardai.detection import detection_of  # noqa: PLC0415 - see the package's docstring
    from oguardai.evaluation import Score, score_rows, total  # noqa: PLC0415

    config = read_config()
    detection = detection_of(config.settings)
    corpora = _read(file, detection, all_types)
    scores: dict[str, Score] = {}
    for path, corpus in corpora.items():
        find = partial(_find, path=path, detection=detection, threshold=threshold)
        for name, score in score_rows(corpus.rows, find).items():
            scores.setdefault(name, Score()).add(score)
    scores = dict(sorted(scores.items()))
    everything = total(scores.values())
    unknown, left_out = _sum(one.unknown for one in corpora.values()), _sum(one.left_out for one in corpora.values())
    rows, skipped = sum(len(one.rows) for one in corpora.values()), sum(one.skipped for one in corpora.values())
    if as_json:
        write_json(
            {
                "rows": rows,
                "skipped": skipped,
                "unknown": unknown,
                "left_out": left_out,
                "types": {name: score.as_dict() for name, score in scores.items()},
                "total": everything.as_dict(),
            }
        )
        return
    if unknown:
        warn(f"no types here, so never found: {_listed(unknown)}")
    if left_out:
        warn(f"left out, because no type stands for them: {_listed(left_out)}")
    lines = [_table_row(name, score) for name, score in scores.items()]
    write(format_table(_HEADERS, [*lines, _table_row("total", everything)]))
    say(("1 row" if rows == 1 else f"{rows} rows") + (f", {skipped} skipped" if skipped else ""))


def _read(files: Sequence[str], detection: Detection, all_types: bool) -> dict[str, Corpus]:
    """Read all files; raises Failure with every line that is wrong."""
    from oguardai.evaluation import read_corpus  # noqa: PLC0415 - see the package's docstring

    corpora = {
        path: read_corpus(read_text(path).split("\n"), detection.types, all_types=all_types)
        for path in dict.fromkeys(files)
    }
    wrong = [f"{name_of(path)}:{line}: {reason}" for path, one in corpora.items() for line, reason in one.wrong]
    if wrong:
        more = [f"and {len(wrong) - _SHOWN_LINES} lines more"] if len(wrong) > _SHOWN_LINES else []
        raise Failure([*wrong[:_SHOWN_LINES], *more], ExitCode.BAD_DATA)
    return corpora


def _find(row: Row, path: str, detection: Detection, threshold: float | None) -> Iterable[Value]:
    from oguardai.detection import DetectionError  # noqa: PLC0415 - see the package's docstring
    from oguardai.evaluation import Kind, Value  # noqa: PLC0415

    if row.wanted is not None and not row.wanted:
        return []
    where = f"{name_of(path)}:{row.line}"
    try:
        found = detection.detect(row.text, types=row.wanted, threshold=threshold)
    except DetectionError as error:
        raise Failure(f"{where}: {error}", ExitCode.FAILED) from None
    except ProblemError as error:
        raise Failure(f"{where}: {error.detail}", ExitCode.BAD_DATA) from None
    return [Value(entity.start, entity.end, Kind.of(entity.type)) for entity in found.entities]


def _sum(counts: Iterable[Any]) -> dict[str, int]:
    result: Counter[str] = Counter()
    for one in counts:
        result.update(one)
    return dict(sorted(result.items()))


def _listed(names: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in names.items())


def _table_row(name: str, score: Score) -> tuple[str, ...]:
    counts = (score.labelled, score.found, score.right)
    shares = (
        score.precision,
        score.recall,
        score.f(1),
        score.f(2),
        score.exact_precision,
        score.exact_recall,
        score.leaks,
    )
    return (name, *map(str, counts), *(UNKNOWN if share is None else f"{share:.3f}" for share in shares))
