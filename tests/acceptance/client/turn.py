"""TURN as a browser uses it: over UDP or TCP, with or without credentials, towards any peer (RFC 8656)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aioice.stun import Class, Message, Method, TransactionFailed
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol

_LIFETIME = 120
_TRIES = 5
# The second is as much as fits into a packet beside TURN's own header; it is no multiple of four, so TCP has to pad.
_SIZES = (1, 1199, 64)

_Client = TurnClientTcpProtocol | TurnClientUdpProtocol


def allocate(server: str, transport: str, username: str = "", password: str = "") -> str:
    """`granted`, or the number and words with which an allocation is refused. Without a name nobody is claimed."""
    return asyncio.run(_allocate(server, transport, username, password))


def crowd(server: str, transport: str, *credentials: str) -> str:
    """How many of the guests, given as name and password by turns, hold an allocation at the same moment."""
    return str(asyncio.run(_crowd(server, transport, credentials)))


def relay(server: str, transport: str, username: str, password: str, peer: str) -> str:
    """JSON: the client's address as the relay saw it, the relayed one, and how many packets were sent to the peer
    and came back byte for byte."""
    return asyncio.run(_relay(server, transport, username, password, _place(peer)))


def permissions(server: str, transport: str, username: str, password: str, *peers: str) -> str:
    """JSON: peer -> what the relay answers to a permission and to a channel for it, 200 where it grants them."""
    return asyncio.run(_permissions(server, transport, username, password, peers))


async def _allocate(server: str, transport: str, username: str, password: str) -> str:
    try:
        async with _allocation(server, transport, username, password):
            return "granted"
    except TransactionFailed as refused:
        number, words = refused.response.attributes["ERROR-CODE"]
        return f"{number} {words}"


async def _crowd(server: str, transport: str, credentials: tuple[str, ...]) -> int:
    guests = list(zip(credentials[::2], credentials[1::2], strict=True))
    async with AsyncExitStack() as context:
        held = 0
        for name, password in guests:
            try:
                await context.enter_async_context(_allocation(server, transport, name, password))
            except TransactionFailed:
                continue
            held += 1
        return held


async def _relay(server: str, transport: str, username: str, password: str, peer: tuple[str, int]) -> str:
    async with _allocation(server, transport, username, password) as client:
        client.receiver = ear = _Ear()
        back = 0
        for size in _SIZES:
            payload = os.urandom(size)
            back += await _comes_back(client, ear, payload, peer)
        found = {"mapped": client.mapped_address, "relayed": client.relayed_address}
        return json.dumps(found | {"sent": len(_SIZES), "back": back})


async def _comes_back(client: _Client, ear: _Ear, payload: bytes, peer: tuple[str, int]) -> bool:
    """Sent again each second, since UDP may lose it."""
    for _ in range(_TRIES):
        await client.send_data(payload, peer)
        try:
            async with asyncio.timeout(1):
                while await ear.heard.get() != (payload, peer):
                    continue
        except TimeoutError:
            continue
        return True
    return False


async def _permissions(
    server: str, transport: str, username: str, password: str, peers: tuple[str, ...]
) -> str:
    async with _allocation(server, transport, username, password) as client:
        found = {}
        for number, peer in enumerate(peers):
            permission = Message(Method.CREATE_PERMISSION, Class.REQUEST)
            permission.attributes["XOR-PEER-ADDRESS"] = _place(peer)
            channel = Message(Method.CHANNEL_BIND, Class.REQUEST)
            channel.attributes["CHANNEL-NUMBER"] = 0x4000 + number
            channel.attributes["XOR-PEER-ADDRESS"] = _place(peer)
            found[peer] = [await _answer(client, permission), await _answer(client, channel)]
        return json.dumps(found)


async def _answer(client: _Client, request: Message) -> int:
    try:
        await client.request_with_retry(request)
    except TransactionFailed as refused:
        return refused.response.error_code or 0
    return 200


@asynccontextmanager
async def _allocation(server: str, transport: str, username: str, password: str) -> AsyncIterator[_Client]:
    place, loop = _place(server), asyncio.get_running_loop()
    # None is what the library takes for "answer no challenge".
    credentials = (username or None, password or None, _LIFETIME, _LIFETIME)
    client: _Client
    if transport == "tcp":
        _, client = await loop.create_connection(lambda: TurnClientTcpProtocol(place, *credentials), *place)
    else:
        _, client = await loop.create_datagram_endpoint(
            lambda: TurnClientUdpProtocol(place, *credentials), remote_addr=place
        )
    try:
        await client.connect()
        yield client
        await client.delete()
    finally:
        client.transport.close()


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


class _Ear(asyncio.DatagramProtocol):
    """Keeps what comes through the relay, with the peer that sent it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.put_nowait((data, addr))
