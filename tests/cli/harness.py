"""A host with a configuration of its own, and two ways to run a command on it: in this process, and as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from oguardai.cli import cli
from oguardai.config import Config, load_config
from oguardai.keyring import generate_secret
from oguardai.transform import TransformRequest, transform


@dataclass
class Outcome:
    """What a command did."""

    code: int
    out: bytes
    err: str


def make_runner() -> CliRunner:
    """Return a runner that keeps standard error apart: click before 8.2 does so only on demand."""
    try:
        return CliRunner(mix_stderr=False)  # type: ignore[call-arg]
    except TypeError:
        return CliRunner()


@dataclass
class Host:
    """A configuration directory and the secrets in it."""

    root: Path
    secrets: list[str] = field(default_factory=lambda: [generate_secret() for _ in range(3)])

    @property
    def config_dir(self) -> Path:
        return self.root / "etc"

    @property
    def yaml(self) -> Path:
        return self.config_dir / "oguardai.yaml"

    @property
    def env(self) -> Path:
        return self.config_dir / "oguardai.env"

    def write(self, path: Path, text: str, mode: int = 0o640) -> Path:
        path.write_text(text)
        path.chmod(mode)
        return path

    def write_yaml(self, session: str = "", extra: str = "") -> None:
        """Write oguardai.yaml; ``session`` are the lines of that section."""
        places = f"server:\n  runtime_dir: {self.root}/run\n  state_dir: {self.root}/state\n"
        self.write(self.yaml, (f"session:\n{session}" if session else "") + places + extra)

    def write_keys(self, *entries: str, session: str = "") -> None:
        """List keys: each entry is ``KID`` or ``KID, field: value``; the secret of kid N is ``secrets[N]``."""
        lines = []
        for entry in entries:
            kid, *fields = entry.split(", ")
            lines += [f"    - kid: {kid}", f"      secret: {self.secrets[int(kid)]}"]
            lines += [f"      {one}" for one in fields]
        self.write_yaml(session + "  keyring:\n" + "".join(f"{line}\n" for line in lines))

    @property
    def backup(self) -> Path:
        return self.yaml.with_name("oguardai.yaml.bak")

    def kept(self) -> str:
        """Return what the backup keeps, without its last line, which says of which keyring it is the way back."""
        text, mark, _ = self.backup.read_bytes().decode().rpartition("# oguardai.yaml as it was before ")
        assert mark
        return text

    def config(self) -> Config:
        return load_config(self.config_dir, {}, now=time.time())

    def run(self, *words: str, stdin: bytes | str = b"", where: bool = True) -> Outcome:
        """Run a command in this process."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        arguments = [*words, *(("--config-dir", str(self.config_dir)) if where else ())]
        result = make_runner().invoke(cli, arguments, input=data, prog_name="oguardai")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Outcome(result.exit_code, result.stdout_bytes, result.stderr)

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GUARDAI_")}
        scripts = Path(sys.executable).parent
        path = f"{scripts}:{kept.get('PATH', os.defpath)}"
        return {**kept, "PATH": path, "GUARDAI_CONFIG_DIR": str(self.config_dir), **more}

    def process(self, *words: str, stdin: bytes = b"", **options: Any) -> Outcome:
        """Run a command as a process of its own."""
        return self._execute([sys.executable, "-m", "oguardai", *words], stdin, options)

    def shell(self, script: str, stdin: bytes = b"", **options: Any) -> Outcome:
        """Run a line of shell in which ``oguardai`` is the command."""
        function = f'oguardai() {{ "{sys.executable}" -m oguardai "$@"; }}\n'
        return self._execute(["bash", "-c", function + script], stdin, {"cwd": self.root, **options})

    def _execute(self, command: list[str], stdin: bytes, options: dict[str, Any]) -> Outcome:
        environ = self.environ(**options.pop("environ", {}))
        done = subprocess.run(
            command, input=stdin, capture_output=True, env=environ, timeout=60, check=False, **options
        )
        return Outcome(done.returncode, done.stdout, done.stderr.decode())

    def seal(self, text: str, *, age: float = 0.0) -> tuple[str, str]:
        """Transform a text ``age`` seconds ago; return safe text and sealed session."""
        config = self.config()
        result = transform(
            TransformRequest(input=text),
            settings=config.settings,
            keyrings=lambda: config.keyring,
            now=time.time() - age,
        )
        return result.safe_text, result.session_state
