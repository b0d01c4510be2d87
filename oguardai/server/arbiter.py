"""gunicorn's main process, with a SIGHUP that reloads in place and an exit that drains.

gunicorn's own SIGHUP starts new workers and ends the old ones, which breaks connections, and lets the main process
exit when the new configuration is bad. Here the main process reads and judges; the workers stay and switch.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from oguardai.config import YAML_NAME, Config, effective_workers
from oguardai.detection import warm
from oguardai.keyring import KeyState
from oguardai.logs import log_event, log_exception
from oguardai.server.keeper import Keeper, Outcome, shortened
from oguardai.server.memory import MAX_WORKERS, SharedMemory, Slot
from oguardai.server.notify import Notifier
from oguardai.server.runtime import RuntimeDirectory
from oguardai.server.source import WorkerSource
from oguardai.server.worker import EventWorker

logger = logging.getLogger(__name__)

_ACKNOWLEDGE_SECONDS = 5.0
_GRACEFUL_SECONDS = 10
_RESPAWN_SECONDS = 0.5
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - for gunicorn's own heartbeat files, which have no name
_HEARTBEAT_SECONDS = 10.0  # older than this, a worker does not count as alive for the watchdog


class GunicornLogger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """Sends gunicorn's warnings through our handler and format; requests are logged by the application."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and levels alone but for ours."""
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.disabled = True

    def access(self, *_args: Any) -> None:
        """Log nothing."""

    def reopen_files(self) -> None:
        """Do nothing: there are no files."""

    def close_on_exec(self) -> None:
        """Do nothing: there are no files."""


class Server(BaseApplication):  # type: ignore[misc]
    """The application as gunicorn sees it, and all that the main process holds."""

    def __init__(
        self,
        config: Config,
        *,
        make_app: Callable[[WorkerSource], Any],
        keeper: Keeper,
        memory: SharedMemory,
        runtime: RuntimeDirectory,
        notifier: Notifier,
        listeners: list[socket.socket],
    ) -> None:
        self.config = config
        self.keeper = keeper
        self.memory = memory
        self.runtime = runtime
        self.notifier = notifier
        self.listeners = listeners
        self.source = WorkerSource(memory, config.config_dir / YAML_NAME, runtime.admin_socket)
        self._make_app = make_app
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings: all of them ours, none from its files or command line."""
        server = self.config.settings.server
        values: dict[str, Any] = {
            "worker_class": "oguardai.server.worker.EventWorker",
            "workers": effective_workers(self.config.settings),
            "threads": server.threads,
            "timeout": int(server.worker_timeout_seconds),
            "graceful_timeout": _GRACEFUL_SECONDS,
            "preload_app": True,  # memory is shared, and what cannot load does not start
            "logger_class": GunicornLogger,
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None,
            "forwarded_allow_ips": "",  # who may say so is decided in the application
            "proxy_protocol": False,
            "max_requests": 0,
            "control_socket_disable": True,  # gunicorn 25 and later
            "pre_fork": _give_slot,
            "post_fork": _hold_signals,
            "child_exit": _take_slot_back,
        }
        for name, value in values.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the WSGI application, in the main process."""
        application = self._make_app(self.source)
        warm()  # once, not in every worker
        gc.collect()
        gc.freeze()  # what is loaded now stays shared with the workers
        return application

    def run(self) -> None:
        """Serve until told to stop; ends by SystemExit."""
        ReloadingArbiter(self).run()


def _give_slot(arbiter: ReloadingArbiter, worker: EventWorker) -> None:
    used = {one.slot for one in list(arbiter.WORKERS.values())}  # gunicorn up to 23 reaps in a signal handler
    worker.slot = min(set(range(MAX_WORKERS)) - used)
    worker.source = arbiter.server.source
    arbiter.memory.write_slot(worker.slot, Slot(0, 0, 0.0))


def _hold_signals(_arbiter: ReloadingArbiter, _worker: EventWorker) -> None:
    """Keep a SIGHUP pending while a worker comes up: gunicorn resets its handler to "end the process"."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def _take_slot_back(arbiter: ReloadingArbiter, worker: EventWorker) -> None:
    if arbiter.memory.slot(worker.slot).pid in (0, worker.pid):
        arbiter.memory.write_slot(worker.slot, Slot(0, 0, 0.0))


class ReloadingArbiter(Arbiter):  # type: ignore[misc]
    """The main process."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.memory = server.memory
        self._reloads = 0
        self._announced = False
        self._drain_until: float | None = None
        super().__init__(server)
        self.LISTENERS = list(server.listeners)
        self.systemd = True  # so gunicorn leaves the path of a Unix socket alone: it is ours to remove

    # -- signals ----------------------------------------------------------------------------------------

    def init_signals(self) -> None:
        """Install the handlers, then let in the signals that were held since before the process could be found."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGUSR1})

    def signal(self, sig: int, frame: Any) -> None:
        """Queue a signal once: gunicorn up to 23 drops what comes when five are waiting."""
        if not isinstance(self.SIG_QUEUE, list):
            super().signal(sig, frame)
        elif sig not in self.SIG_QUEUE:
            self.SIG_QUEUE.append(sig)
            self.wakeup()

    def handle_hup(self) -> None:
        """Reload the configuration in place (SIGHUP)."""
        self._reloads += 1
        report: dict[str, Any] = {"started": self._reloads}
        with contextlib.suppress(OSError):  # a full disk keeps nobody from revoking a key
            self.server.runtime.write_reload(report)
        if self._drain_until is None:
            self.server.notifier.reloading()
            outcome = self.server.keeper.reload(self._tell_workers)
        else:
            outcome = Outcome("failed", ("the server is stopping",))
        config = self.server.keeper.config
        active = config.keyring.active_kid(time.time())
        report.update(
            finished=self._reloads,
            outcome=outcome.outcome,
            reasons=list(outcome.reasons),
            digest=outcome.digest,
            warnings=shortened(str(problem) for problem in config.warnings) if outcome.outcome == "ok" else (),
            active_kid=active,
            workers=sorted(self.WORKERS),
            generation=self.memory.snapshot.generation,
        )
        if outcome.outcome == "ok":
            log_event(logger, logging.INFO, "Reloaded", active_kid=active, workers=len(self.WORKERS))
            status = f"Serving with {len(self.WORKERS)} workers; kid {active} seals"
        else:
            for reason in outcome.reasons:
                log_event(logger, logging.ERROR, "ReloadFailed", outcome=outcome.outcome, reason=reason)
            status = f"Reload {outcome.outcome}, the old configuration stays in force: {'; '.join(outcome.reasons)}"
            if outcome.outcome == "partial":
                status = f"Reloaded, but {outcome.reasons[0]}"
        if self._drain_until is None:
            self.server.notifier.ready(status)
        try:
            self.server.runtime.write_reload(report)
        except OSError as error:
            log_event(logger, logging.ERROR, "ReportNotWritten", error=error.strerror)

    def handle_usr1(self) -> None:
        """Attend to the workers (SIGUSR1, which they send): one came up, or met a kid that it does not know."""
        try:
            self.server.keeper.look()
        except Exception as error:
            log_exception(logger, "LookCrashed", error)
        self._attend()

    def handle_usr2(self) -> None:
        """Refuse to start a second main process beside this one: restart the service instead."""
        log_event(logger, logging.WARNING, "SignalIgnored", signal="USR2", hint="restart the service instead")

    def handle_winch(self) -> None:
        """Do nothing."""

    def handle_ttin(self) -> None:
        """Add a worker (SIGTTIN), as long as there is a slot for it and for one that replaces another."""
        if self.num_workers < MAX_WORKERS // 2:
            super().handle_ttin()
        else:
            log_event(logger, logging.WARNING, "SignalIgnored", signal="TTIN", hint="there are workers enough")

    def handle_term(self) -> None:
        """Drain: say on /v1/ready that no new work is wanted, serve for a while, then stop (SIGTERM)."""
        if self._drain_until is not None:
            return
        seconds = self.server.keeper.config.settings.server.drain_seconds
        self._drain_until = time.monotonic() + seconds
        self.memory.draining = True
        self.server.notifier.stopping(f"Draining for {seconds:g} seconds")
        log_event(logger, logging.INFO, "Draining", seconds=seconds)
        self.kill_workers(signal.SIGHUP)  # wakes them, so that they answer with Connection: close from now on
        self._attend()

    # -- the main loop ----------------------------------------------------------------------------------

    def spawn_worker(self) -> int | None:
        """Start a worker; when the system has no room for it, try again at the next turn."""
        try:
            pid: int = super().spawn_worker()
            return pid
        except OSError as error:
            if os.getpid() != self.pid:  # the worker's own
                raise
            log_event(logger, logging.ERROR, "WorkerNotStarted", error=error.strerror)
            time.sleep(_RESPAWN_SECONDS)
            return None

    def manage_workers(self) -> None:
        """Keep the number of workers, and do what is due (gunicorn calls this at least once a second)."""
        super().manage_workers()
        self._attend()

    def _attend(self) -> None:
        now = time.monotonic()
        if self._drain_until is not None and now >= self._drain_until:
            raise StopIteration  # gunicorn's way to stop gracefully
        slots = [self.memory.slot(worker.slot) for worker in list(self.WORKERS.values())]
        beating = [slot for slot in slots if slot.pid and now - slot.heartbeat < _HEARTBEAT_SECONDS]
        generation = self.memory.snapshot.generation
        complete = len(slots) >= self.num_workers and len(beating) == len(slots)
        self.server.keeper.tick(complete and all(slot.generation >= generation for slot in beating))
        if (
            beating and self.server.notifier.watchdog
        ):  # one that hangs is replaced by itself; all of them are the watchdog's
            self.server.notifier.alive()
        if complete and not self._announced:
            self._announce()

    def _announce(self) -> None:
        self._announced = True
        self.memory.serving = True
        active = self.server.keeper.config.keyring.active_kid(time.time())
        self.server.notifier.ready(f"Serving with {len(self.WORKERS)} workers; kid {active} seals")
        log_event(logger, logging.INFO, "Serving", workers=len(self.WORKERS), active_kid=active)

    def _tell_workers(self, generation: int) -> list[int]:
        """Wake every worker and wait until all use this generation; return those that do not in time."""
        self.kill_workers(signal.SIGHUP)
        deadline = time.monotonic() + _ACKNOWLEDGE_SECONDS
        waiting = dict(self.WORKERS)
        while True:
            waiting = {
                pid: worker
                for pid, worker in waiting.items()
                if self.memory.slot(worker.slot).generation < generation and not self._has_ended(pid)
            }
            if not waiting or time.monotonic() >= deadline:
                break
            time.sleep(0.002)
        if any(key.state is KeyState.REVOKED for key in self.server.keeper.config.keyring.keys):
            for pid in waiting:  # it must not go on opening with a key that is no longer trusted
                log_event(logger, logging.ERROR, "WorkerReplaced", pid=pid, reason="did not switch, a key is revoked")
                self.kill_worker(pid, signal.SIGKILL)
        return sorted(waiting)

    def _has_ended(self, pid: int) -> bool:
        """Tell whether a worker is dead, without taking its exit status from gunicorn."""
        try:
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """Stop the workers, write down what is known, leave nothing behind."""
        try:
            self.memory.draining = True
            super().halt(reason, exit_status)
        except SystemExit:
            self.server.keeper.stop()
            self.server.runtime.release()
            log_event(logger, logging.INFO, "Stopped")
            sys.stdout.flush()
            raise
