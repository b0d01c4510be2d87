"""Who may call what: by the network that a request comes from, or by the listener that it came to.

X-Forwarded-For and Forwarded are anybody's text. They count only when the peer is a trusted proxy, and then from the
right, as far as trusted proxies wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from oguardai.errors import ForbiddenError

if TYPE_CHECKING:
    from oguardai.config import ServerSettings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[str, ...]

LISTENER = "oguardai.listener"  # environ key; "admin" for what came by the admin Unix socket
MAX_HOPS = 32  # entries of a forwarding header that are looked at
# What proxies add to a request. One that we do not know by name may still sit on this host and look like loopback.
_PROXY_TRACES = frozenset(
    f"HTTP_{name}"
    for name in (
        *("CF_CONNECTING_IP", "CLIENT_IP", "FORWARDED", "TRUE_CLIENT_IP", "VIA", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP"),
        *("X_ENVOY_EXTERNAL_ADDRESS", "X_FORWARDED", "X_FORWARDED_BY", "X_FORWARDED_CLIENT_CERT", "X_FORWARDED_FOR"),
        *("X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_FORWARDED_PREFIX", "X_FORWARDED_PROTO", "X_FORWARDED_SCHEME"),
        *("X_FORWARDED_SERVER", "X_FORWARDED_SSL", "X_FORWARDED_USER", "X_ORIGINAL_FORWARDED_FOR", "X_REAL_IP"),
        *("X_SCHEME",),
    )
)


class Audience(StrEnum):
    """Who an endpoint is for."""

    PUBLIC = "public"
    CLIENT = "client"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from.

    Attributes:
        addresses: the caller's, as far as trusted peers say; several when two headers name one each, and then all
            must be allowed. Empty when it has none: see ``unix``.
        unix: it came by a Unix socket, whose file permissions said who may connect.
        admin: that was the admin socket.
        proxied: a forwarding header came from a peer that is not a trusted proxy.
        known: False when the address, or an entry of a header that counts, is no address.
    """

    addresses: tuple[Address, ...] = ()
    unix: bool = False
    admin: bool = False
    proxied: bool = False
    known: bool = True

    def shown(self) -> str:
        """Return the caller for the log: addresses as we read them, never a header's text."""
        if not self.known:
            return "unknown"
        return ",".join(str(address) for address in self.addresses) or "unix"


def caller_of(environ: Mapping[str, Any], settings: ServerSettings) -> Caller:
    """Find out where a request comes from."""
    peer_text = environ.get("REMOTE_ADDR")
    if peer_text == "":
        return Caller(unix=True, admin=environ.get(LISTENER) == "admin", proxied=_has_traces(environ))
    peer = parse_address(peer_text.partition("%")[0]) if isinstance(peer_text, str) else None
    if peer is None:
        return Caller(known=False, proxied=_has_traces(environ))
    if not settings.trusted_proxies or not is_within(peer, settings.trusted_proxies):
        return Caller((peer,), proxied=_has_traces(environ))
    headers = (_forwarded_for(environ), _forwarded(environ))
    claims = [_walk(entries, peer, settings.trusted_proxies) for entries in headers if entries is not None]
    if None in claims or (not claims and _has_traces(environ)):  # it forwards for somebody, and does not say for whom
        return Caller(known=False, proxied=True)
    return Caller(tuple(claim for claim in claims if claim is not None) or (peer,))


def may_call(audience: Audience, caller: Caller, settings: ServerSettings) -> bool:
    """Tell whether a caller belongs to an audience."""
    if audience is Audience.PUBLIC:
        return True
    if not caller.known:
        return False
    if audience is Audience.ADMIN:
        if caller.proxied:
            return False
        if caller.unix:
            return caller.admin
        return all(is_within(address, settings.admin_networks) for address in caller.addresses)
    return caller.unix or all(is_within(address, settings.allow_networks) for address in caller.addresses)


def require(audience: Audience, caller: Caller, settings: ServerSettings) -> None:
    """Raise ForbiddenError unless the caller belongs to the audience."""
    if may_call(audience, caller, settings):
        return
    if audience is Audience.ADMIN:
        raise ForbiddenError("only server.admin_networks, not through a proxy, and the admin socket may call this")
    raise ForbiddenError("only server.allow_networks may call this")


# --- addresses and networks --------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """Parse an address, an IPv4-mapped IPv6 one as the IPv4 one that it is; None for anything else."""
    if len(text) > 45 or "%" in text:  # a scope id is free text
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def is_within(address: Address, networks: Networks) -> bool:
    """Tell whether an address is in one of the networks."""
    return any(address in network for network in _parsed(networks))


@lru_cache(maxsize=32)
def _parsed(networks: Networks) -> tuple[Network, ...]:
    parsed: list[Network] = []
    for item in networks:
        network = ip_network(item, strict=False)
        parsed.append(network)
        if isinstance(network, IPv6Network) and network.prefixlen >= 96:
            mapped = network.network_address.ipv4_mapped  # ::ffff:10.0.0.0/104 means 10.0.0.0/8
            if mapped is not None:
                parsed.append(IPv4Network((mapped, network.prefixlen - 96)))
    return tuple(parsed)


# --- forwarding headers ------------------------------------------------------------------------------------


def _has_traces(environ: Mapping[str, Any]) -> bool:
    return not _PROXY_TRACES.isdisjoint(environ)


def _walk(entries: Sequence[str], peer: Address, trusted: Networks) -> Address | None:
    """Go from right to left over trusted proxies; return the first other address, None when one is unreadable."""
    client = peer
    for hops, entry in enumerate(reversed(entries)):
        address = parse_address(_without_port(entry.strip(" \t")))
        if address is None or hops >= MAX_HOPS:
            return None
        client = address
        if not is_within(address, trusted):
            break
    return client


def _forwarded_for(environ: Mapping[str, Any]) -> list[str] | None:
    header = environ.get("HTTP_X_FORWARDED_FOR")
    return None if header is None else str(header).split(",")


def _forwarded(environ: Mapping[str, Any]) -> list[str] | None:
    """Return the ``for`` of each element of Forwarded (RFC 7239); an element without one is unreadable."""
    header = environ.get("HTTP_FORWARDED")
    if header is None:
        return None
    entries = []
    for element in str(header).split(","):
        pairs = [pair.partition("=") for pair in element.split(";")]
        named = [value.strip(" \t") for name, _, value in pairs if name.strip(" \t").lower() == "for"]
        entry = named[0] if len(named) == 1 else ""
        entries.append(entry[1:-1] if len(entry) >= 2 and entry[0] == entry[-1] == '"' else entry)
    return entries


def _without_port(entry: str) -> str:
    """Cut the port off ``1.2.3.4:80`` and ``[::1]:80``, and the brackets off ``[::1]``."""
    if entry.startswith("["):
        address, bracket, port = entry[1:].partition("]")
        return address if bracket and (not port or _is_port(port)) else ""
    if entry.count(":") == 1:
        address, _, port = entry.partition(":")
        return address if _is_port(":" + port) else ""
    return entry


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6
