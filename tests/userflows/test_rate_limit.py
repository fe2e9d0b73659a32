"""Who counts as one sender."""

import pytest

from userflows.rate_limit import network_of


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "0.0.0.0"),  # noqa: S104
    ],
)
def test_counts_an_address_or_a_subscribers_network(address: str, sender: str) -> None:
    assert network_of(address) == sender
