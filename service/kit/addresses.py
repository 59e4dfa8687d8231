"""Where a request came from, as a class: enough for an audit, and no personal datum as the address itself would be."""

from enum import StrEnum
from ipaddress import IPv6Address, ip_address


class AddressClass(StrEnum):
    """Classes of client addresses."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"


def address_class(host: str | None) -> AddressClass:
    """The class of a client's address, by the IANA special-purpose registries (RFC 6890) as Python knows them.

    Shared address space of carriers (100.64.0.0/10) and link-local addresses count as private. Whatever is no address,
    such as the name of a unix socket, is unknown.

    >>> [str(address_class(host)) for host in ("127.0.0.1", "::ffff:10.1.2.3", "100.64.0.9", "8.8.8.8", None)]
    ['loopback', 'private', 'private', 'public', 'unknown']
    """
    try:
        address = ip_address(host or "")
    except ValueError:
        return AddressClass.UNKNOWN
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return AddressClass.LOOPBACK
    if address.is_unspecified or address.is_multicast:
        return AddressClass.UNKNOWN
    return AddressClass.PUBLIC if address.is_global else AddressClass.PRIVATE
