"""Crowds: strangers who only wait, senders whose names nobody finds, ordinary senders, phones that idle, and guesses.

Each command prints JSON. An `until` is a file: the crowd stays until it exists.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import socket
import ssl
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.acceptance.client.mail import _message, _send, submit
from tests.acceptance.client.tls import careful, careless
from tests.acceptance.client.web import post

_PAUSE = 2.0
"""Seconds after which a sender who was put off comes again."""
_GIVEN_UP = 300
"""Seconds after which it does no more."""
_LOOK = 0.2


def silent_strangers(host: str, each: str, until: str, *addresses: str) -> str:
    """So many sessions on port 25 from each address, which hear the greeting and then say nothing; one that is ended
    comes again. `most` is how many were greeted at the same moment, `turned_away` how often there was none."""
    sessions = [address for address in addresses for _ in range(int(each))]
    count: Counter[str] = Counter()

    async def stay(address: str) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, 25, local_addr=(address, 0))
            except OSError:
                count["turned_away"] += 1
                await asyncio.sleep(1)
                continue
            greeted = (await reader.readline()).startswith(b"220")
            count["here"] += greeted
            count["turned_away"] += not greeted
            count["most"] = max(count["most"], count["here"])
            await reader.read()
            count["here"] -= greeted
            writer.close()
            await asyncio.sleep(1)

    asyncio.run(_until(until, [stay(address) for address in sessions]))
    return json.dumps({"most": count["most"], "turned_away": count["turned_away"]})


def nameless(host: str, recipient: str, until: str, *addresses: str) -> str:
    """Each address tries to send one letter after another: answer -> how often it was heard."""

    def send(address: str) -> list[str]:
        heard = []
        while not Path(until).exists():
            heard.append(_from(address, host, "stranger@sender.test", recipient, "from a nameless server"))
            time.sleep(_PAUSE)
        return heard

    with ThreadPoolExecutor(len(addresses)) as pool:
        return json.dumps(Counter(each for heard in pool.map(send, addresses) for each in heard))


def ordinary(
    host: str, sender: str, recipient: str, prefix: str, count: str, each: str, *addresses: str
) -> str:
    """So many letters of servers that come again when they are put off, `each` sessions of every address at once:
    subject -> seconds until it was taken."""

    def send(number: int) -> tuple[str, float]:
        subject = f"{prefix}-{number}"
        address = addresses[number % len(addresses)]
        began = time.monotonic()
        while (waited := time.monotonic() - began) < _GIVEN_UP:
            if _from(address, host, sender, recipient, subject) == "250":
                return subject, time.monotonic() - began
            time.sleep(_PAUSE)
        return subject, waited

    with ThreadPoolExecutor(int(each) * len(addresses)) as pool:
        return json.dumps(dict(pool.map(send, range(int(count)))))


def _from(address: str, host: str, sender: str, recipient: str, subject: str) -> str:
    """Hands a letter over from one address: the last answer's code, or why there was none."""
    try:
        with smtplib.SMTP(
            host, 25, local_hostname=f"mx.{sender.partition('@')[2]}", timeout=90, source_address=(address, 0)
        ) as smtp:
            return _send(smtp, sender, recipient, _message(sender, recipient, subject).as_string())[:3]
    except smtplib.SMTPResponseException as refused:
        return str(refused.smtp_code)
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__


def office(host: str, password: str, recipient: str, prefix: str, each: str, *users: str) -> str:
    """Each user submits so many letters, all users at once: subject -> the first answer."""

    def write(user: str) -> dict[str, str]:
        found = {}
        for number in range(int(each)):
            subject = f"{prefix}-{user.partition('@')[0]}-{number}"
            try:
                found[subject] = submit(host, "465", user, password, user, recipient, subject)
            except (OSError, smtplib.SMTPException) as error:
                found[subject] = f"unanswered: {error}"
        return found

    with ThreadPoolExecutor(len(users)) as pool:
        return json.dumps({key: said for found in pool.map(write, users) for key, said in found.items()})


def web_logins(website: str, user: str, password: str, until: str) -> str:
    """A login at the web interface every few seconds: `took`, the seconds of each that was let in, and `refused`."""
    took, refused = [], []
    body = json.dumps({"email": user, "password": password})
    while not Path(until).exists():
        began = time.monotonic()
        try:
            said = post(f"https://{website}/api/auth/login", body, "Content-Type: application/json")
        except OSError as error:
            said = str(error)
        if said.startswith("200"):
            took.append(time.monotonic() - began)
        else:
            refused.append(said)
        time.sleep(3)
    return json.dumps({"took": took, "refused": refused})


def idle(host: str, users: str, password: str, count: str, until: str, *addresses: str) -> str:
    """So many IMAP sessions that wait for news (RFC 2177), of the users (between commas) and from the addresses by turns.
    Says `waiting` and how many do, stays, and prints how many of them still end their waiting in good order."""
    return asyncio.run(_idle(host, users.split(","), password, int(count), Path(until), addresses))


async def _idle(
    host: str, users: Sequence[str], password: str, count: int, until: Path, addresses: Sequence[str]
) -> str:
    context, gate = careful(), asyncio.Semaphore(8)

    async def begin(user: str, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        async with gate:
            try:
                reader, writer = await asyncio.open_connection(
                    host, 993, ssl=context, server_hostname=host, local_addr=(address, 0)
                )
                # Who speaks before the greeting is not heard by nginx until they speak again.
                await asyncio.wait_for(reader.readline(), 60)
                for line in (f'LOGIN {user} "{password}"', "SELECT INBOX"):
                    writer.write(f"a {line}\r\n".encode())
                    if not (await _tagged(reader)).startswith(b"a OK"):
                        return None
                writer.write(b"a IDLE\r\n")
                while not (said := await asyncio.wait_for(reader.readline(), 60)).startswith(b"+"):
                    if not said:
                        return None
            except (OSError, TimeoutError):
                return None
            return reader, writer

    async def end(session: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
        reader, writer = session
        try:
            writer.write(b"DONE\r\n")
            well = (await _tagged(reader)).startswith(b"a OK")
        except (OSError, TimeoutError):
            return False
        writer.close()
        return well

    begun = await asyncio.gather(
        *(begin(*each) for each in islice(zip(cycle(users), cycle(addresses), strict=False), count))
    )
    waiting = [each for each in begun if each]
    print(f"waiting {len(waiting)}", flush=True)
    while not until.exists():
        await asyncio.sleep(_LOOK)
    alive = await asyncio.gather(*map(end, waiting))
    return json.dumps({"waiting": len(waiting), "alive": sum(alive)})


async def _tagged(reader: asyncio.StreamReader) -> bytes:
    while line := await asyncio.wait_for(reader.readline(), 60):
        if line.startswith(b"a "):
            return line
    return b""


def guesses(host: str, user: str, count: str, at_once: str, *addresses: str) -> str:
    """So many wrong passwords at IMAP, a session each, from the addresses by turns: what was answered -> how often."""
    return asyncio.run(_guesses(host, user, int(count), int(at_once), addresses))


async def _guesses(host: str, user: str, count: int, at_once: int, addresses: Sequence[str]) -> str:
    context, gate, said = careless(), asyncio.Semaphore(at_once), Counter[str]()

    async def guess(number: int, address: str) -> None:
        async with gate:
            try:
                reader, writer = await asyncio.open_connection(
                    host, 993, ssl=context, server_hostname=host, local_addr=(address, 0)
                )
                await asyncio.wait_for(reader.readline(), 120)
                writer.write(f'a LOGIN {user} "guess{number}"\r\n'.encode())
                answer = (await asyncio.wait_for(reader.readline(), 120)).decode(errors="replace")
                writer.close()
            except (OSError, TimeoutError, ssl.SSLError) as error:
                answer = type(error).__name__
            said[answer.strip()] += 1

    await asyncio.gather(
        *(guess(number, address) for number, address in enumerate(islice(cycle(addresses), count)))
    )
    return json.dumps(said)


def web_guesses(website: str, user: str, until: str) -> str:
    """Wrong passwords at the web interface, as fast as they are answered: status -> how often."""
    said: Counter[str] = Counter()
    number = 0
    while not Path(until).exists():
        body = json.dumps({"email": user, "password": f"guess{(number := number + 1)}"})
        try:
            answer = post(f"https://{website}/api/auth/login", body, "Content-Type: application/json")
            said[answer.partition("\n")[0]] += 1
        except OSError as error:
            said[type(error).__name__] += 1
    return json.dumps(said)


def silent_nameserver(address: str, until: str) -> str:
    """Takes questions at port 53 and never answers; how many there were."""
    asked = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as questions:
        questions.bind((address, 53))
        questions.settimeout(_LOOK)
        print("listening", flush=True)
        while not Path(until).exists():
            try:
                questions.recv(4096)
                asked += 1
            except TimeoutError:
                continue
    return json.dumps({"asked": asked})


async def _until(until: str, crowd: Sequence[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.create_task(each) for each in crowd]
    while not Path(until).exists():
        await asyncio.sleep(_LOOK)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
