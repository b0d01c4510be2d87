"""Who may call: networks, listeners, and headers that anyone can write."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.config import ServerSettings
from oguardai.web.access import Audience, Caller, caller_of, is_within, may_call, parse_address
from oguardai.web.endpoints import ENDPOINTS
from tests.http.web_fakes import FakeSource, Lines

BODY = b'{"input": "x"}'
PROXY = "10.0.0.5"


def client_status(wsgi: Callable[..., Any], **environ: Any) -> int:
    status: int = wsgi("POST", "/v1/detect", BODY, CONTENT_LENGTH=str(len(BODY)), **environ)[0]
    return status


def admin_status(wsgi: Callable[..., Any], **environ: Any) -> int:
    both = {wsgi("GET", path, **environ)[0] for path in ("/v1/diagnostics", "/metrics")}
    assert len(both) == 1
    return int(both.pop())


class TestNetworks:
    @pytest.mark.parametrize(
        ("address", "client", "admin"),
        [
            ("127.0.0.1", 200, 200),
            ("127.255.0.9", 200, 200),
            ("::1", 200, 200),
            ("::ffff:127.0.0.1", 200, 200),
            ("::ffff:7f00:1", 200, 200),
            ("10.1.2.3", 200, 403),
            ("172.16.0.1", 200, 403),
            ("172.32.0.1", 403, 403),
            ("192.168.7.7", 200, 403),
            ("::ffff:192.168.7.7", 200, 403),
            ("fd00::1", 200, 403),
            ("fe80::1", 200, 403),
            ("fe80::1%eth0", 200, 403),
            ("8.8.8.8", 403, 403),
            ("::ffff:8.8.8.8", 403, 403),
            ("2001:db8::1", 403, 403),
            ("0.0.0.0", 403, 403),
            ("::", 403, 403),
            ("localhost", 403, 403),
            ("127.1", 403, 403),
            ("2130706433", 403, 403),
            ("127.0.0.01", 403, 403),
            (" 127.0.0.1", 403, 403),
        ],
    )
    def test_the_defaults(self, wsgi: Callable[..., Any], address: str, client: int, admin: int) -> None:
        assert client_status(wsgi, REMOTE_ADDR=address) == client
        assert admin_status(wsgi, REMOTE_ADDR=address) == admin

    def test_the_public_endpoints_answer_everyone(self, wsgi: Callable[..., Any]) -> None:
        for endpoint in ENDPOINTS:
            if endpoint.audience is Audience.PUBLIC:
                for address in ("8.8.8.8", "", "nonsense", None):
                    assert wsgi("GET", endpoint.path, REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR="?")[0] == 200

    def test_a_change_of_the_settings_counts_at_once(self, wsgi: Callable[..., Any], source: FakeSource) -> None:
        assert client_status(wsgi, REMOTE_ADDR="8.8.8.8") == 403
        source.set_setting("server", allow_networks=("8.8.8.0/24",), admin_networks=("8.8.8.8/32",))
        assert client_status(wsgi, REMOTE_ADDR="8.8.8.8") == 200
        assert admin_status(wsgi, REMOTE_ADDR="8.8.8.8") == 200
        assert client_status(wsgi, REMOTE_ADDR="127.0.0.1") == 403
        source.set_setting("server", allow_networks=(), admin_networks=())
        assert client_status(wsgi, REMOTE_ADDR="127.0.0.1") == 403

    def test_a_mapped_network_means_the_ipv4_one(self) -> None:
        assert is_within(ip_address("10.9.9.9"), ("::ffff:10.0.0.0/104",))
        assert not is_within(ip_address("11.0.0.0"), ("::ffff:10.0.0.0/104",))

    def test_no_address_at_all(self, wsgi: Callable[..., Any]) -> None:
        assert client_status(wsgi, REMOTE_ADDR=None) == 403
        assert admin_status(wsgi, REMOTE_ADDR=None) == 403

    def test_every_endpoint_has_an_audience(self, app: Flask) -> None:
        audiences = {endpoint.path: endpoint.audience for endpoint in ENDPOINTS}
        assert {rule.rule for rule in app.url_map.iter_rules()} == set(audiences)
        assert {path for path, who in audiences.items() if who is Audience.ADMIN} == {"/v1/diagnostics", "/metrics"}
        assert {path for path, who in audiences.items() if who is Audience.CLIENT} == {
            "/v1/transform",
            "/v1/rehydrate",
            "/v1/detect",
        }


class TestUnixSockets:
    def test_the_admin_socket_is_admin_and_client(self, wsgi: Callable[..., Any]) -> None:
        environ = {"REMOTE_ADDR": "", "oguardai.listener": "admin"}
        assert admin_status(wsgi, **environ) == 200
        assert client_status(wsgi, **environ) == 200

    def test_another_unix_socket_is_client_only(self, wsgi: Callable[..., Any]) -> None:
        for listener in (None, "public", "", "ADMIN"):
            environ = {"REMOTE_ADDR": "", "oguardai.listener": listener}
            assert admin_status(wsgi, **environ) == 403
            assert client_status(wsgi, **environ) == 200

    def test_a_proxy_before_the_admin_socket_makes_no_admins(self, wsgi: Callable[..., Any]) -> None:
        environ = {"REMOTE_ADDR": "", "oguardai.listener": "admin", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}
        assert admin_status(wsgi, **environ) == 403

    def test_no_header_names_the_listener(self, wsgi: Callable[..., Any]) -> None:
        assert admin_status(wsgi, REMOTE_ADDR="10.0.0.1", HTTP_OGUARDAI_LISTENER="admin") == 403


class TestUntrustedHeaders:
    @pytest.mark.parametrize(
        "header",
        [
            "HTTP_X_FORWARDED_FOR",
            "HTTP_FORWARDED",
            "HTTP_X_REAL_IP",
            "HTTP_VIA",
            "HTTP_X_FORWARDED_HOST",
            "HTTP_X_FORWARDED_PROTO",
        ],
    )
    def test_a_proxy_on_this_host_makes_no_admins(self, wsgi: Callable[..., Any], header: str, lines: Lines) -> None:
        for value in ("127.0.0.1", "for=127.0.0.1", "", "canary"):
            assert admin_status(wsgi, **{header: value}) == 403
        warnings = lines.of("Forbidden")
        assert len(warnings) == 8
        assert all(one["level"] == "warning" and one["untrusted_proxy"] for one in warnings)
        assert "canary" not in lines.text

    def test_it_changes_nothing_for_a_client(self, wsgi: Callable[..., Any]) -> None:
        assert client_status(wsgi, REMOTE_ADDR="8.8.8.8", HTTP_X_FORWARDED_FOR="127.0.0.1") == 403
        assert client_status(wsgi, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="8.8.8.8") == 200


class TestTrustedProxies:
    @pytest.fixture(autouse=True)
    def behind_a_proxy(self, source: FakeSource) -> None:
        source.set_setting("server", trusted_proxies=(f"{PROXY}/32", "10.0.1.0/24"))

    @pytest.mark.parametrize(
        ("header", "client", "admin"),
        [
            ("127.0.0.1", 200, 200),
            ("192.168.1.1", 200, 403),
            ("8.8.8.8", 403, 403),
            ("127.0.0.1, 8.8.8.8", 403, 403),  # the left part is what the client wrote
            ("8.8.8.8, 127.0.0.1", 200, 200),
            ("192.168.1.1, 10.0.1.7", 200, 403),  # through two proxies
            ("8.8.8.8,10.0.1.7 ,\t10.0.1.8", 403, 403),
            ("10.0.1.7, 10.0.1.8", 200, 403),  # nothing but proxies: the farthest
            ("::ffff:127.0.0.1", 200, 200),
            ("[::1]", 200, 200),
            ("192.168.1.1:4711", 200, 403),
            ("[fd00::1]:4711", 200, 403),
            ("fd00::1", 200, 403),
            ("", 403, 403),
            ("unknown", 403, 403),
            ("_hidden", 403, 403),
            ("127.0.0.1, ", 403, 403),
            (", 127.0.0.1", 200, 200),
            ("nonsense, 127.0.0.1", 200, 200),  # left of the client, so the client's own text
            ("127.0.0.1, nonsense", 403, 403),
            ("127.0.0.1;", 403, 403),
            ("127.0.0.1:", 403, 403),
            ("127.0.0.1:http", 403, 403),
            ("[127.0.0.1", 403, 403),
            ("fe80::1%eth0", 403, 403),
            ("127.0.0.1\x00", 403, 403),
            ("1" * 10_000, 403, 403),
            (", ".join(["10.0.1.7"] * 1000), 403, 403),
        ],
    )
    def test_x_forwarded_for(self, wsgi: Callable[..., Any], header: str, client: int, admin: int) -> None:
        assert client_status(wsgi, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header) == client
        assert admin_status(wsgi, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header) == admin

    @pytest.mark.parametrize(
        ("header", "client", "admin"),
        [
            ("for=127.0.0.1", 200, 200),
            ('For="[fd00::1]:4711";proto=https;by=10.0.0.5', 200, 403),
            ("for=127.0.0.1, for=8.8.8.8", 403, 403),
            ("for=8.8.8.8, for=127.0.0.1;proto=http", 200, 200),
            ("for=_secret", 403, 403),
            ("for=unknown", 403, 403),
            ("proto=https", 403, 403),
            ("for=127.0.0.1;for=8.8.8.8", 403, 403),
            ("", 403, 403),
        ],
    )
    def test_forwarded(self, wsgi: Callable[..., Any], header: str, client: int, admin: int) -> None:
        assert client_status(wsgi, REMOTE_ADDR=PROXY, HTTP_FORWARDED=header) == client
        assert admin_status(wsgi, REMOTE_ADDR=PROXY, HTTP_FORWARDED=header) == admin

    def test_with_both_headers_both_must_be_allowed(self, wsgi: Callable[..., Any]) -> None:
        def status(xff: str, forwarded: str) -> int:
            return admin_status(wsgi, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=xff, HTTP_FORWARDED=forwarded)

        assert status("127.0.0.1", "for=127.0.0.1") == 200
        assert status("127.0.0.1", "for=8.8.8.8") == 403
        assert status("8.8.8.8", "for=127.0.0.1") == 403
        assert status("127.0.0.1", "for=canary") == 403

    def test_a_proxy_without_a_header_speaks_for_itself(self, wsgi: Callable[..., Any]) -> None:
        assert client_status(wsgi, REMOTE_ADDR=PROXY) == 200
        assert admin_status(wsgi, REMOTE_ADDR=PROXY) == 403

    def test_a_proxy_seen_through_a_dual_stack_socket(self, wsgi: Callable[..., Any]) -> None:
        assert client_status(wsgi, REMOTE_ADDR=f"::ffff:{PROXY}", HTTP_X_FORWARDED_FOR="8.8.8.8") == 403

    def test_anyone_else_is_still_not_believed(self, wsgi: Callable[..., Any]) -> None:
        assert admin_status(wsgi, REMOTE_ADDR="10.0.0.6", HTTP_X_FORWARDED_FOR="127.0.0.1") == 403
        assert admin_status(wsgi, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1") == 403

    def test_no_header_reaches_the_log(self, wsgi: Callable[..., Any], lines: Lines) -> None:
        for header in ("canary", "8.8.8.8%canary", "canary\n", "8.8.8.8, canary"):
            admin_status(wsgi, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header)
        assert "canary" not in lines.text


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_crashes_or_promotes(xff: str, forwarded: str) -> None:
    server = ServerSettings(trusted_proxies=("10.0.0.5/32",))
    environ = {"REMOTE_ADDR": "10.0.0.5", "HTTP_X_FORWARDED_FOR": xff, "HTTP_FORWARDED": forwarded}
    caller = caller_of(environ, server)
    assert isinstance(caller, Caller)
    if may_call(Audience.ADMIN, caller, server):
        assert all(address.is_loopback for address in caller.addresses)


@settings(deadline=None)
@given(st.ip_addresses())
def test_addresses_survive_parsing(address: Any) -> None:
    parsed = parse_address(str(address))
    assert parsed == (getattr(address, "ipv4_mapped", None) or address)


class TestTraces:
    @pytest.mark.parametrize(
        "header", ["X_REAL_IP", "VIA", "X_FORWARDED_PORT", "X_FORWARDED", "TRUE_CLIENT_IP", "X_SCHEME"]
    )
    def test_whoever_is_forwarded_is_no_administrator(self, wsgi: Callable[..., Any], header: str) -> None:
        assert admin_status(wsgi, REMOTE_ADDR="127.0.0.1", **{f"HTTP_{header}": "1"}) == 403

    @pytest.mark.parametrize("header", ["X_REAL_IP", "VIA", "X_FORWARDED_PROTO"])
    def test_a_trusted_proxy_that_does_not_say_for_whom_speaks_for_nobody(
        self, wsgi: Callable[..., Any], source: FakeSource, header: str
    ) -> None:
        source.set_setting("server", trusted_proxies=("127.0.0.1/32",))
        assert admin_status(wsgi, REMOTE_ADDR="127.0.0.1", **{f"HTTP_{header}": "8.8.8.8"}) == 403
        assert client_status(wsgi, REMOTE_ADDR="127.0.0.1", **{f"HTTP_{header}": "8.8.8.8"}) == 403
        assert admin_status(wsgi, REMOTE_ADDR="127.0.0.1") == 200

    @pytest.mark.parametrize("path", ["//metrics", "///metrics", "//v1/diagnostics"])
    def test_a_path_has_one_spelling(self, wsgi: Callable[..., Any], path: str) -> None:
        assert wsgi("GET", path, REMOTE_ADDR="127.0.0.1")[0] == 404

    @pytest.mark.parametrize("raw", ["/%6detrics", "/v1%2fdiagnostics", "/%2fmetrics"])
    def test_an_escape_is_another_path(self, wsgi: Callable[..., Any], raw: str) -> None:
        assert wsgi("GET", "/metrics", REMOTE_ADDR="127.0.0.1", RAW_URI=raw)[0] == 404
        assert wsgi("GET", "/metrics", REMOTE_ADDR="127.0.0.1", RAW_URI="/metrics?a=%20")[0] == 200
