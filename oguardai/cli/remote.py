"""Speak HTTP to a server given by its URL: another host of the fleet, or this one through its admin socket."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from oguardai import __version__
from oguardai.cli.failure import ExitCode, Failure
from oguardai.cli.files import STDIN, name_of, read_bytes
from oguardai.cli.options import find_server, not_running
from oguardai.cli.output import warn
from oguardai.errors import OGuardAIError

if TYPE_CHECKING:
    import socket
    from http.client import HTTPConnection

TIMEOUT_SECONDS = 10.0  # to connect, and again until the whole answer is there
MAX_ANSWER_BYTES = 16 * 1024 * 1024

_UNIX = "unix:"
_LARGEST_DETAIL = 200  # characters of a remote text that a message quotes

_Command = TypeVar("_Command", bound=Callable[..., Any])


class RemoteError(OGuardAIError):
    """An instance does not do what was asked.

    Attributes:
        instance: its name.
        reason: what is wrong and what to do, without the name.
    """

    def __init__(self, instance: str, reason: str) -> None:
        super().__init__(f"{instance}: {reason}")
        self.instance = instance
        self.reason = reason


class Unreachable(RemoteError):
    """No HTTP answer came."""


class AdminRefused(RemoteError):
    """The instance answers administrators only, and does not count this host among them."""

    def __init__(self, instance: str, status: int, path: str) -> None:
        super().__init__(
            instance,
            f"answers {status} to {path}: add the address of this host to server.admin_networks of that instance "
            "(a proxy in between does not do), or give --token-file, or run the command on that host, without --url",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        instance: name of the instance that answered.
        headers: names in lower case; of a name that stands twice, the last.
        sent: when the request was sent, unix seconds by this host's clock.
        elapsed: seconds from then until the headers were there.
    """

    instance: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    elapsed: float

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body; raises RemoteError when there is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise RemoteError(
                self.instance, f"answers {self.status} without a JSON object; is this an OGuardAI server?"
            )
        return value

    def detail(self) -> str:
        """Return what the server says is wrong, with a colon in front; empty when it says nothing."""
        try:
            text = json.loads(self.body).get("detail")
        except (ValueError, RecursionError, AttributeError):
            return ""
        return f": {text[:_LARGEST_DETAIL]}" if isinstance(text, str) and text else ""


class Instance:
    """One server.

    Proxies that the environment names (``http_proxy`` and its kin) are not used: instances are hosts of the same
    network, and a proxy in between would hide who calls. Redirects are not followed: a token must not go elsewhere.
    """

    def __init__(self, url: str, token: str | None = None, *, name: str | None = None) -> None:
        """Take a URL apart; no connection is made.

        Args:
            url: ``http://HOST[:PORT][/PREFIX]``, ``https://…`` or ``unix:/PATH`` of a socket.
            token: sent as ``Authorization: Bearer``.
            name: what to call it in messages, instead of the URL.

        Raises:
            ValueError: it is not such a URL; the message says what is wrong.
        """
        self.url = url.rstrip("/")
        self.name = self.url if name is None else name
        self._token = token
        self._socket: str | None = None
        if url.startswith(_UNIX):
            self._socket = _socket_path(url)
            self._prefix = ""
            return
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("holds characters that no URL has")
        from urllib.parse import urlsplit  # noqa: PLC0415 - with http.client and ssl half of a command's start

        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected http://HOST:PORT, https://HOST:PORT or unix:/PATH")
        if "@" in parts.netloc:
            raise ValueError("must not hold a user or a password; a token is given with --token-file")
        if "?" in url or "#" in url:
            raise ValueError("must not hold a query or a fragment")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port  # raises ValueError for a port that is none
        self._prefix = parts.path.rstrip("/")

    def __str__(self) -> str:
        return self.name

    def get(self, path: str) -> Answer:
        """GET a path below the URL; raises RemoteError when no answer comes."""
        return self._request("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """POST an object as JSON; raises RemoteError when no answer comes."""
        return self._request("POST", path, json.dumps(body).encode())

    def get_admin(self, path: str) -> Answer:
        """GET a page for administrators.

        Raises:
            AdminRefused: this host, or its token, is no administrator there.
            RemoteError: no answer, or another one than 200.
        """
        answer = self.get(path)
        if answer.status in {401, 403}:
            raise AdminRefused(self.name, answer.status, path)
        if answer.status != 200:
            doubt = "" if answer.status >= 500 else "; is this an OGuardAI server?"
            raise RemoteError(self.name, f"answers {answer.status} to {path}{answer.detail()}{doubt}")
        return answer

    def diagnostics(self) -> dict[str, Any]:
        """Return ``/v1/diagnostics``; raises as :meth:`get_admin` does."""
        found = self.get_admin("/v1/diagnostics").json()
        if not isinstance(found.get("keyring"), dict):
            raise RemoteError(self.name, "its /v1/diagnostics has no keyring; is this an OGuardAI server?")
        return found

    def _request(self, method: str, path: str, body: bytes | None) -> Answer:
        from http.client import HTTPException  # noqa: PLC0415

        headers = {"User-Agent": f"oguardai/{__version__}", "Accept": "application/json, */*", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            answer = self._exchange(method, self._prefix + path, body, headers)
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(self.name, _describe(error)) from None
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "another address")[:_LARGEST_DETAIL]
            raise RemoteError(self.name, f"redirects to {target}, which is not followed: give the URL of the server")
        return answer

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = self._connection()
        with contextlib.closing(connection):
            connection.connect()  # apart, so that it does not count as time of the request
            with _deadline(connection.sock) as is_over:
                try:
                    sent, began = time.time(), time.monotonic()
                    connection.request(method, path, body, headers)
                    response = connection.getresponse()
                    elapsed = time.monotonic() - began
                    content = response.read(MAX_ANSWER_BYTES + 1)
                except Exception:
                    if is_over():
                        raise TimeoutError from None
                    raise
                if is_over():
                    raise TimeoutError
        if len(content) > MAX_ANSWER_BYTES:
            raise RemoteError(self.name, f"answers more than {MAX_ANSWER_BYTES} bytes to {path}")
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(self.name, response.status, found, content, sent, elapsed)

    def _connection(self) -> HTTPConnection:
        if self._socket is not None:
            from oguardai.server.control import UnixConnection  # noqa: PLC0415

            return UnixConnection(self._socket, timeout=TIMEOUT_SECONDS)
        import http.client  # noqa: PLC0415

        if self._tls:
            import ssl  # noqa: PLC0415

            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)


def local_instance(port: int | None, token: str | None = None) -> Instance:
    """Return the running server of this host, by its admin socket.

    Args:
        port: what ``serve --port`` was given, as for every command that looks for a server.

    Raises:
        Failure: none runs, or this user may not speak to it.
    """
    from oguardai.server.runtime import NotRunningError  # noqa: PLC0415

    try:
        runtime = find_server(port)
        runtime.running_pid()
    except NotRunningError as error:
        raise not_running(error) from None
    return Instance(f"{_UNIX}{runtime.admin_socket}", token, name="this host")


# --- options -----------------------------------------------------------------------------------------------


def url_option(command: _Command) -> _Command:
    """Add ``--url``, which may stand several times; the command gets ``urls``: each once, no slash at the end."""
    option = click.option(
        "--url",
        "urls",
        multiple=True,
        metavar="URL",
        callback=_check_urls,
        help="A server: http://HOST:PORT, https://HOST:PORT or unix:/PATH of its admin socket; may stand several "
        "times.  [default: the server of this host]",
    )
    return option(command)


def token_file_option(command: _Command) -> _Command:
    """Add ``--token-file``; the command gets its content as ``token``, or None."""
    option = click.option(
        "--token-file",
        "token",
        metavar="FILE",
        callback=_read_token,
        help="File with a token for the servers, in one line; sent as `Authorization: Bearer`.",
    )
    return option(command)


def _check_urls(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...] | None) -> tuple[str, ...]:
    urls = []
    for value in values or ():
        try:
            urls.append(Instance(value).url)
        except ValueError as error:
            shown = repr(value) if "@" not in value else "the URL"  # which may hold a password
            raise click.BadParameter(f"{shown}: {error}", ctx, parameter) from None
    return tuple(dict.fromkeys(urls))


def _read_token(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    if path is None or ctx.resilient_parsing:
        return None
    try:
        token = read_bytes(path).decode("ascii").rstrip("\r\n")
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable() or " " in token:
        raise Failure(
            f"{name_of(path)}: expected a token: one line of printable ASCII without blanks", ExitCode.BAD_DATA
        )
    if path != STDIN:
        with contextlib.suppress(OSError):
            if stat.S_IMODE(os.stat(path).st_mode) & 0o007:
                warn(f"{path}: every user of this host can read or change the token; to mend it: chmod o= {path}")
    return token


# --- connections -------------------------------------------------------------------------------------------


def _socket_path(url: str) -> str:
    path = url.removeprefix(_UNIX)
    if path.startswith("///"):
        path = path[2:]
    if not path.startswith("/") or path.startswith("//") or path.endswith("/"):
        raise ValueError("expected unix:/PATH, the absolute path of a socket")
    return path


@contextlib.contextmanager
def _deadline(connected: socket.socket) -> Iterator[Callable[[], bool]]:
    """End a connection when its time is over, also while bytes trickle in; yields what tells whether it is."""
    import socket  # noqa: PLC0415

    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError):
            # Not SSLSocket's own, which would take the TLS layer away from under the thread that reads.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()


def _describe(error: Exception) -> str:
    """Say why no answer came, in one line."""
    import http.client  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    known: tuple[tuple[type[Exception], str], ...] = (
        (socket.gaierror, "cannot be reached: the host's name is not known"),
        (ConnectionRefusedError, "cannot be reached: connection refused, nothing listens there"),
        (TimeoutError, f"no answer within {TIMEOUT_SECONDS:.0f} seconds"),
        (ssl.SSLCertVerificationError, "its certificate is not accepted{}; SSL_CERT_FILE can name another CA"),
        (ssl.SSLError, "TLS failed{}; is it an http:// server, or a proxy that asks for something else?"),
        (http.client.RemoteDisconnected, "closed the connection without an answer"),
        (ConnectionError, "the connection broke before the answer was there"),
        (FileNotFoundError, "cannot be reached: there is no such socket; does the server run?"),
        (PermissionError, "may not be used by this user; try with sudo"),
        (http.client.HTTPException, "does not answer as HTTP/1.1 asks for ({kind}); is it an https:// server?"),
        (UnicodeError, "cannot be reached: that is no host's name"),
    )
    for kind, text in known:
        if isinstance(error, kind):
            extra = getattr(error, "verify_message", "") or getattr(error, "reason", "") or ""
            return text.replace("{kind}", type(error).__name__).replace("{}", f" ({extra})" if extra else "")
    reason = error.strerror if isinstance(error, OSError) else None
    return f"cannot be reached: {reason or error}"
