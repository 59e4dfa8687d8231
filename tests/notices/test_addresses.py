"""Which addresses are called: generated ones against the registries that Python's ipaddress knows."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Event

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.webhooks.addresses import Target, Unsafe, is_public, resolve, target_of
from service.webhooks.calling import call

# IANA's special-purpose registries (RFC 6890) as far as they are not reachable from everywhere.
NOT_PUBLIC = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",
    )
]  # fmt: skip
NOT_PUBLIC_6 = [
    IPv6Network(text)
    for text in ("::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "100::/64")
]
v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
inside = st.sampled_from(NOT_PUBLIC).flatmap(
    lambda network: st.integers(0, network.num_addresses - 1).map(lambda offset: network[offset])
)


@given(v4)
@example(IPv4Address("169.254.169.254"))
@example(IPv4Address("100.100.100.200"))
@example(IPv4Address("8.8.8.8"))
def test_what_is_public_is_global_and_in_no_special_range(address: IPv4Address) -> None:
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not any(address in network for network in NOT_PUBLIC)
    else:
        special = any(address in network for network in NOT_PUBLIC) or address in IPv4Network("192.0.0.0/24")
        assert special or not address.is_global


@given(inside)
def test_nothing_of_a_special_range_is_public_nor_what_carries_it(address: IPv4Address) -> None:
    number = int(address)
    carrying = [
        IPv6Address(f"::ffff:{address}"),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address(number),
    ]
    assert not is_public(address)
    assert not any(map(is_public, carrying))


@given(
    st.sampled_from(NOT_PUBLIC_6).flatmap(
        lambda network: st.integers(0, network.num_addresses - 1).map(lambda offset: network[offset])
    )
)
def test_nothing_of_a_special_range_of_ipv6_is_public(address: IPv6Address) -> None:
    assert not is_public(address)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_ipv6_that_is_public_is_global(address: IPv6Address) -> None:
    assert not is_public(address) or address.is_global


def test_known_addresses() -> None:
    for text in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"):
        assert is_public(ip_address(text)), text
    for text in (
        "127.0.0.1",
        "::1",
        "::",
        "0.0.0.0",
        "169.254.169.254",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "fe80::1%1",
    ):
        assert not is_public(ip_address(text)), text


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/", "ftp://erp.example.com/", "https://", "https:///x", "erp.example.com", "",
        "https://user@erp.example.com/", "https://user:word@erp.example.com/", "https://erp.example.com/#part",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1%25eth0]/", "https://erp.example.com:0/", "https://erp.example.com:99999/",
        "https://erp.example.com/a b", "https://erp.example.com/\r\nX: y", "https://erp.example.com\\@10.0.0.1/",
        "https://erp.example.com/\\x",
        "https://例子.example/", "https://erp.example.com/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_urls_that_are_not_called(url: str) -> None:
    with pytest.raises(Unsafe):
        target_of(url, private=False)


def test_ports_and_closed_networks() -> None:
    assert target_of("https://erp.example.com:8443/x", private=False) == Target("https", "erp.example.com", 8443)
    assert target_of("http://10.0.0.1/x", private=True) == Target("http", "10.0.0.1", 80)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        found = target_of(f"https://{text}", private=False)
    except Unsafe:
        return
    assert found.host
    assert 0 < found.port < 65536


def names(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Let every name have these addresses."""

    def answer(_: str, port: int, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 0, 0, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize("found", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("2606:4700::1", "::ffff:192.168.1.1")])
async def test_a_name_with_one_bad_address_is_refused(found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, *found)
    with pytest.raises(Unsafe):
        await resolve(Target("https", "rebind.example", 443), private=False)


async def test_whether_a_name_of_ones_own_network_exists_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a delivery says of a name that is only known within, and of one that nobody knows, is the same."""
    told = []
    for found in (("10.0.0.1",), ()):
        names(monkeypatch, *found)
        came_of = await call("https://payroll.internal/", {}, b"{}", seconds=5, private=False)
        told.append((came_of.status, came_of.error))

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    came_of = await call("https://payroll.internal/", {}, b"{}", seconds=5, private=False)
    assert {*told, (came_of.status, came_of.error)} == {(None, told[0][1])}


async def test_a_name_is_answered_by_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.215.14")
    assert await resolve(Target("https", "erp.example.com", 443), private=False) == ip_address("93.184.215.14")


async def test_name_servers_that_do_not_answer_keep_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """More look-ups than the event loop has threads, and a file is made all the same."""
    answered = Event()

    def silence(*_: object, **__: object) -> list[object]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silence)
    target = Target("https", "silent.example", 443)
    waiting = [asyncio.create_task(resolve(target, private=False)) for _ in range(64)]
    try:
        assert await asyncio.wait_for(asyncio.to_thread(answered.is_set), 10) is False
    finally:
        answered.set()
    assert all(isinstance(each, Unsafe) for each in await asyncio.gather(*waiting, return_exceptions=True))
