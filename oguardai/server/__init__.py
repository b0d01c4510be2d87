"""The server process: gunicorn embedded, a keyring that reloads in place. The only code that imports gunicorn."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oguardai.config import Config, ensure_private_dir, load_config, runtime_dir, state_dir
from oguardai.errors import ConfigError, Problem
from oguardai.logs import configure_logging
from oguardai.server.network import check_needs
from oguardai.server.notify import Notifier
from oguardai.server.runtime import RuntimeDirectory, lock_state


def serve(
    config_dir: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    make_app: Callable[[Any], Any] | None = None,
) -> None:
    """Start the server and serve until told to stop; ends by SystemExit.

    ``make_app`` makes another WSGI application than ours from a :class:`~oguardai.web.source.Source`: the benchmark
    measures a bare one under the same server.

    Raises:
        ConfigError: the configuration is bad; nothing was started.
        AlreadyRunningError: a server with this configuration, or with its state directory, runs.
    """
    environ = dict(environ)

    def read() -> Config:
        config = load_config(config_dir, environ, overrides, now=time.time())
        check_needs(config)
        _check_detectors(config)
        return config

    # Whoever finds the process id may signal it before the handlers are there.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGUSR1})
    for name in ("GUNICORN_PID", "GUNICORN_FD", "GUNICORN_CMD_ARGS", "SCRIPT_NAME"):  # gunicorn would act on them
        os.environ.pop(name, None)
    config = read()
    configure_logging(config.settings.log.format, config.settings.log.level)
    _raise_file_limit()
    runtime = RuntimeDirectory(runtime_dir(config))
    runtime.claim()
    main_pid = os.getpid()
    try:
        config = read()  # again: the one before us may have taken its time, and the files been changed meanwhile
        _serve(config, read, runtime, make_app)
    finally:
        if os.getpid() == main_pid:  # a worker's end passes here too
            runtime.release()


def _check_detectors(config: Config) -> None:
    """Build what detects, so that an installed detector that does not work is told now; raises ConfigError."""
    from oguardai.detection import DetectionError, detection_of  # noqa: PLC0415 - compiles every pattern

    try:
        detection_of(config.settings)
    except DetectionError as error:
        raise ConfigError([Problem(str(error))]) from None


def _serve(
    config: Config, read: Callable[[], Config], runtime: RuntimeDirectory, make_app: Callable[[Any], Any] | None
) -> None:
    # prometheus-client decides at its first import where its counters live.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(runtime.metrics)
    from oguardai.server.arbiter import Server  # noqa: PLC0415
    from oguardai.server.keeper import Keeper  # noqa: PLC0415
    from oguardai.server.memory import SharedMemory  # noqa: PLC0415
    from oguardai.server.sockets import open_admin_socket, open_listeners  # noqa: PLC0415

    if make_app is None:
        from oguardai.web import create_app  # noqa: PLC0415

        make_app = create_app
    notifier = Notifier()
    state = state_dir(config)
    ensure_private_dir(state)
    lock_state(state)
    listeners = open_listeners(config)
    memory = SharedMemory()
    keeper = Keeper(config, read, memory, runtime, state)
    keeper.start()
    listeners.append(open_admin_socket(runtime.admin_socket))
    server = Server(
        config,
        make_app=make_app,
        keeper=keeper,
        memory=memory,
        runtime=runtime,
        notifier=notifier,
        listeners=listeners,
    )
    server.run()


def _raise_file_limit() -> None:
    """Allow as many open files as the system lets us: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
