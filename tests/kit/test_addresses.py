"""Every address has a class, and no text is too odd for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kit.addresses import AddressClass, address_class


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.8.9.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.0.1", "private"),
        ("fd00::1", "private"),
        ("fe80::1%eth0", "private"),
        ("172.32.0.1", "public"),
        ("2400:3200::1", "public"),
        ("::ffff:8.8.8.8", "public"),
        ("0.0.0.0", "unknown"),
        ("224.0.0.1", "unknown"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_classes(host: str | None, expected: str) -> None:
    assert address_class(host) == expected


@given(host=st.ip_addresses().map(str) | st.text(max_size=50))
def test_whatever_comes_gets_a_class(host: str) -> None:
    assert address_class(host) in AddressClass
