"""The guard in conftest.py refuses every connection to another computer."""

from __future__ import annotations

import socket

import pytest

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", b"example.org"])
def test_connection_to_another_computer_is_refused_and_remembered(no_network, host):
    with socket.socket() as sock, pytest.raises(OSError, match="may not open a connection"):
        sock.connect((host, 80))
    assert len(no_network) == 1
    no_network.clear()


def test_looking_up_a_host_name_is_refused(no_network):
    with pytest.raises(OSError, match="example"):
        socket.create_connection(("example.org", 80))
    no_network.clear()


def test_datagram_to_another_computer_is_refused(no_network):
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(OSError, match="may not open a connection"),
    ):
        sock.sendto(b"", ("192.0.2.1", 53))
    no_network.clear()


def test_connection_to_this_computer_is_allowed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("localhost", port)).close()


def test_attempt_whose_error_is_swallowed_fails_the_test(pytester):
    pytester.makeconftest("from tests.conftest import _closed_network, no_network")
    pytester.makepyfile(
        """
        import contextlib, socket

        def test_attempt():
            with contextlib.suppress(OSError):
                socket.create_connection(("192.0.2.1", 80))
        """
    )
    pytester.runpytest().assert_outcomes(passed=1, errors=1)
