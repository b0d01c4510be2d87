"""Write the manual pages, the reference copy of oguardai.yaml and the completion for bash, all from the code.

    python3 packaging/man/build.py OUTDIR

The pages go to OUTDIR, the others to OUTDIR/examples and OUTDIR/completion. Their date is that of SOURCE_DATE_EPOCH;
without it they have none, so that two builds are the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP))

import command_page  # noqa: E402 - they import oguardai, which the line above finds
import completion  # noqa: E402
import reference_yaml  # noqa: E402
import roff  # noqa: E402
import settings_pages  # noqa: E402

from oguardai import __version__  # noqa: E402


def main() -> None:
    """Write everything into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python3 packaging/man/build.py OUTDIR")
    for name, text in render(find_date(os.environ)).items():
        path = Path(sys.argv[1], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def render(date: str) -> dict[str, str]:
    """Return the text of each file by its path."""
    return {
        "oguardai.1": command_page.render(__version__, date),
        "oguardai.yaml.5": settings_pages.render_yaml_page(__version__, date),
        "oguardai.env.5": settings_pages.render_env_page(__version__, date),
        "oguardai-server.8": _server_page(date),
        "examples/oguardai.yaml": reference_yaml.render(),
        "completion/oguardai": completion.render(),
    }


def find_date(environ: Mapping[str, str]) -> str:
    """Return the day that the pages bear, in UTC; empty when nobody says one."""
    epoch = environ.get("SOURCE_DATE_EPOCH")  # https://reproducible-builds.org/specs/source-date-epoch
    return datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch else ""


def _server_page(date: str) -> str:
    body = (HERE / "oguardai-server.8.in").read_text(encoding="ascii")
    title = roff.title("oguardai-server", 8, "System Administration", version=__version__, date=date)
    return title + body


if __name__ == "__main__":
    main()
