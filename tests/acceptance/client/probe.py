"""Which of many targets answer, all asked at once: the eye of whoever stands in some pod's network."""

from __future__ import annotations

import asyncio
import json
import smtplib

_TIMEOUT = 20
_CLOSING = 421
_QUESTIONS = {
    # A question for the name `.`, by everybody's right; and a STUN binding request (RFC 8489).
    53: bytes.fromhex("4b4f 0100 0001 0000 0000 0000 00 0002 0001"),
    0: bytes.fromhex("0001 0000 2112a442") + b"acceptance-1",
}


def probe(seconds: str, *targets: str) -> str:
    """JSON: target -> `open`, `refused` or `silent`. Targets are `tcp/ADDRESS:PORT` or `udp/ADDRESS:PORT`.

    A port over UDP is open when an answer comes: to a question for a name on 53, to a STUN request on others.
    """
    return json.dumps(asyncio.run(_all(float(seconds), targets)))


def listen(address: str, *ports: str) -> None:
    """Lets everybody connect, until it is ended. Says so once it does."""
    asyncio.run(_listen(address, [int(port) for port in ports]))


async def _listen(address: str, ports: list[int]) -> None:
    servers = [await asyncio.start_server(lambda _, writer: writer.close(), address, port) for port in ports]
    print("listening", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _all(seconds: float, targets: tuple[str, ...]) -> dict[str, str]:
    answers = await asyncio.gather(*(_one(seconds, target) for target in targets))
    return dict(zip(targets, answers, strict=True))


async def _one(seconds: float, target: str) -> str:
    protocol, _, place = target.partition("/")
    address, _, port = place.rpartition(":")
    ask = _tcp if protocol == "tcp" else _udp
    try:
        await asyncio.wait_for(ask(address, int(port)), seconds)
    except ConnectionRefusedError:
        return "refused"
    except (OSError, TimeoutError):
        return "silent"
    return "open"


async def _tcp(address: str, port: int) -> None:
    _, writer = await asyncio.open_connection(address, port)
    writer.close()


async def _udp(address: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(answered), remote_addr=(address, port))
    try:
        while not answered.done():
            transport.sendto(_QUESTIONS.get(port, _QUESTIONS[0]))
            await asyncio.wait([answered], timeout=1)
        answered.result()
    finally:
        transport.close()


class _Ear(asyncio.DatagramProtocol):
    """Fulfils a promise with the first answer, or with the word that nobody listens."""

    def __init__(self, answered: asyncio.Future[None]) -> None:
        self._answered = answered

    def datagram_received(self, *_: object) -> None:
        if not self._answered.done():
            self._answered.set_result(None)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)


def mistakes(host: str, most: str) -> str:
    """How many commands that do not exist port 25 answers before it hangs up; `most` are tried."""
    with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
        smtp.ehlo()
        for number in range(int(most)):
            if smtp.docmd("MISTAKE")[0] == _CLOSING:
                return str(number)
    return most
