"""Ports of tests: a server may listen there, and nothing else comes by them."""

from __future__ import annotations

import errno
import socket

import pytest

from tests.support.ports import free_port


def test_a_server_listens_on_the_port_that_is_held_for_it() -> None:
    for address in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
        with socket.create_server((address, free_port())) as server:
            socket.create_connection(("127.0.0.1", server.getsockname()[1]), timeout=30).close()


def test_a_port_without_its_server_refuses_connections() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port()), timeout=30)


def test_a_port_is_not_the_near_end_of_somebody_elses_connection() -> None:
    port = free_port()
    with socket.socket() as client, pytest.raises(OSError, match="in use") as taken:
        client.bind(("127.0.0.1", port))
    assert taken.value.errno == errno.EADDRINUSE


def test_no_port_is_given_out_twice() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
