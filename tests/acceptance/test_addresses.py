"""The daemon behind each public port sees who really calls, and only the policy Local makes it so."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.acceptance.stack import JANE, PASSWORD, STRANGER, Stack, eventually


@dataclass(frozen=True)
class Port:
    """A public port: how the client uses it, and what the daemon behind it writes of the client's address."""

    number: int
    daemon: str
    writes: str

    def use(self, stack: Stack) -> None:
        """One connection of the client, as far as the daemon notes who it was."""
        names = stack.names
        match self.number:
            case 25:
                stack.client("receive", names.mx, STRANGER, JANE, "who-am-i")
            case 465 | 587:
                stack.client("submit", names.smtp, str(self.number), JANE, PASSWORD, JANE, JANE, "who-am-i")
            case 143 | 993:
                stack.client("read", names.imap, str(self.number), JANE, PASSWORD, "who-am-i")
            case 4190:
                stack.client("sieve_login", names.sieve, JANE, PASSWORD)
            case 443:
                stack.client("http", f"https://{names.website}/who-am-i")

    def callers(self, stack: Stack) -> set[str]:
        """Whom the daemon takes the client for."""
        # Kubernetes knows log lines by the second.
        time.sleep(1)
        began = time.time()
        self.use(stack)
        written = lambda: set(re.findall(self.writes, stack.logs(self.daemon, self.daemon, after=began)))  # noqa: E731
        found: set[str] = eventually(
            written, f"{self.daemon} wrote nothing of a client of port {self.number}"
        )
        return found


_ADDRESS = r"(\d+\.\d+\.\d+\.\d+)"
PORTS = (
    Port(
        25,
        "postfix",
        rf"postfix/smtpd\[\d+\]: (?:\w+: client=|NOQUEUE: \w+: RCPT from )[^\s[]+\[{_ADDRESS}\]",
    ),
    *(
        Port(number, "proxy", rf"client logged in, client: {_ADDRESS}[^,]*, server: 0\.0\.0\.0:{inside}")
        for number, inside in ((465, 6465), (587, 6587), (143, 6143), (993, 6993))
    ),
    Port(4190, "imap", rf"login: \S* ?\[{_ADDRESS}\] {JANE}"),
    Port(443, "proxy", rf'{_ADDRESS} \S+ \S+ \[[^]]+\] "GET /who-am-i'),
)


@pytest.mark.proves("postfix", "proxy", "imap")
@pytest.mark.parametrize("port", PORTS, ids=lambda port: str(port.number))
def test_the_daemon_sees_the_address_of_the_client(stack: Stack, port: Port) -> None:
    assert port.callers(stack) == {stack.lab.internet.address}


@pytest.mark.mode("cluster")
@pytest.mark.parametrize(("name", "number"), [("proxy", 25), ("smtp", 993), ("turn", 443), ("meet", 443)])
def test_an_address_answers_on_its_own_ports_only(stack: Stack, name: str, number: int) -> None:
    address = str(getattr(stack.settings.network.addresses, name))
    answer = stack.lab.internet.ask(["curl", "-skm", "3", f"telnet://{address}:{number}"])
    assert answer.returncode != 0, f"port {number} answers on the address of {name}"


@pytest.mark.proves("postfix", "proxy", "imap")
def test_another_traffic_policy_would_lose_the_address(stack: Stack) -> None:
    """Without this, the test above could pass on a cluster where nothing ever hides the client."""
    with _policy(stack, "Cluster"):
        callers = {port.number: port.callers(stack) for port in PORTS}
    assert {number for number, seen in callers.items() if stack.lab.internet.address in seen} == set(), (
        callers
    )


@contextmanager
def _policy(stack: Stack, policy: str) -> Iterator[None]:
    """All public Services with this traffic policy, and then again with their own."""
    services = [s for s in stack.get("services")["items"] if s["spec"]["type"] == "LoadBalancer"]
    names = [service["metadata"]["name"] for service in services]
    try:
        _patch(stack, names, policy)
        yield
    finally:
        _patch(stack, names, "Local")


def _patch(stack: Stack, names: list[str], policy: str) -> None:
    for name in names:
        stack.kubectl("patch", "service", name, "-p", json.dumps({"spec": {"externalTrafficPolicy": policy}}))
    for port in PORTS:
        eventually(lambda port=port: _answers(stack, port), f"port {port.number} answers nobody", seconds=60)


def _answers(stack: Stack, port: Port) -> bool:
    names = {"imap": stack.names.sieve, "postfix": stack.names.mx}
    knock = f"exec 3<>/dev/tcp/{names.get(port.daemon, stack.names.website)}/{port.number}"
    return stack.lab.internet.ask(["timeout", "3", "bash", "-c", knock]).returncode == 0
