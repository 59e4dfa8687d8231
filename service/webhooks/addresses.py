"""Which addresses may be called: the public internet alone, checked after the name is resolved.

Server-side request forgery is what an organization could do with an endpoint of its choice: have this service call what
only this service can reach. So a name is resolved first, each of its addresses is checked, and the connection goes to a
checked address: a name that resolves to another one at the second look (DNS rebinding) changes nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

IPAddress = IPv4Address | IPv6Address

# Reachable from within a cloud and nowhere else, though the address is a public one.
CLOUD_PLATFORM: Final = IPv4Network("168.63.129.16/32")
# IPv6 that carries an IPv4 address behind a translator: RFC 6052 (well-known), RFC 8215 (local use).
TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# IPv4-compatible addresses are deprecated (RFC 4291, 2.5.5.1), and still say which IPv4 address they mean.
COMPATIBLE: Final = IPv6Network("::/96")
LONGEST_URL: Final = 2_000
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Unsafe(ValueError):
    """An address that is not called, and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: the host by name, and the port."""

    scheme: str
    host: str
    port: int


def target_of(url: str, *, private: bool) -> Target:
    """Where a URL leads, if it is one that may be called at all. Does no I/O.

    `private` takes http and one's own network too.

    Raises:
        Unsafe: which rule the URL breaks.

    >>> target_of("https://erp.example.com/hooks", private=False)
    Target(scheme='https', host='erp.example.com', port=443)
    """
    if (
        len(url) > LONGEST_URL
        or not url.isascii()
        or any(character.isspace() or not character.isprintable() for character in url)
    ):
        raise Unsafe("not a URL of printable ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unsafe("not a URL") from error
    if parts.scheme not in ("https", "http") or not host:
        raise Unsafe("not an https URL")
    if parts.scheme == "http" and not private:
        raise Unsafe("http: only https is called")
    # A password stands behind a name, an empty one too.
    if parts.username is not None or parts.fragment or "\\" in url:
        raise Unsafe("a user name, a password or a fragment")
    if port == 0:
        raise Unsafe("port 0")
    literal = _literal(host)
    if literal is not None and not private and not is_public(literal):
        raise Unsafe("an address that is not public")
    return Target(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the public internet, also what an IPv6 address carries within.

    >>> is_public(ip_address("93.184.215.14")), is_public(ip_address("::ffff:169.254.169.254"))
    (True, False)
    """
    if isinstance(address, IPv6Address):
        if address.scope_id is not None or address.is_site_local:
            return False
        carried = _carried(address)
        if carried is not None:
            return is_public(carried)
    elif address in CLOUD_PLATFORM:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_private or address.is_loopback or address.is_link_local
        or address.is_unspecified
    )  # fmt: skip


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, 6to4, Teredo, translated or compatible."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in COMPATIBLE or any(address in network for network in TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


# Threads of their own: a name server that does not answer holds a thread for half a minute, and those of the event loop make
# files and hashes for everybody.
_RESOLVERS: Final = ThreadPoolExecutor(128, thread_name_prefix="webhook-name")


async def resolve(target: Target, *, private: bool) -> IPAddress:
    """An address of the target to connect to; every address of its name is checked.

    Raises:
        Unsafe: one of them is not public, or the name has none, in the same words: which names there are in one's own
            network is nobody's business.
    """
    try:
        found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, _look_up, target)
    except (OSError, ValueError):
        found = ()
    addresses = [ip_address(entry[4][0]) for entry in found]
    # One bad address among good ones is enough: whoever controls the name chooses which one comes next.
    if not addresses or (not private and not all(map(is_public, addresses))):
        raise Unsafe("the name has no address, or one that is not public")
    return addresses[0]


def _look_up(target: Target) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
