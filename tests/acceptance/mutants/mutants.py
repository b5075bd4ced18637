"""Programs with one mistake each, of the kind that loses mail, and what has to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """One mistake: `old` is replaced by `new` in a file of the program.

    Noticed by at least one of `tests` (names in this folder's parent), or, where a daemon cannot even start, by the
    sentence of `refusal` with which its container ends.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    refusal: str | None = None
    mode: str = "single-node"

    def apply(self, program: Path) -> None:
        """Makes the mistake. AssertionError when the program has changed so much that it is none any more."""
        path = program / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.name}: {self.file} no longer has {self.old!r} exactly once"
        path.write_text(text.replace(self.old, self.new))


MUTANTS = (
    Mutant(
        "public services with the traffic policy Cluster",
        "components/exposure.py",
        'external_traffic_policy="Local"',
        'external_traffic_policy="Cluster"',
        tests=("test_addresses.py::test_the_daemon_sees_the_address_of_the_client",),
    ),
    Mutant(
        "a DKIM key under another file name",
        "components/amavis.py",
        'f"/var/dkim/{args.domain}.{name}.pem"',
        'f"/var/dkim/{args.domain}.{name}.key"',
        refusal="DKIM",
    ),
    Mutant(
        "Amavis not beside Postfix",
        "components/postfix.py",
        "            amavis_container(self, args.amavis, credentials),\n",
        "",
        tests=("test_reception.py::test_mail_from_the_internet_is_read_over_imaps",),
    ),
    Mutant(
        "the volume of MariaDB one level up",
        "components/mariadb.py",
        '_DATA = "/var/lib/mysql/data"',
        '_DATA = "/var/lib/mysql"',
        refusal="no volume at /var/lib/mysql/data",
    ),
    Mutant(
        "Postfix without one of its variables",
        "components/postfix.py",
        '                "LMTP_DESTINATION": topology.IMAP.at("lmtp"),\n',
        "",
        refusal="LMTP_DESTINATION",
    ),
    Mutant(
        "the queue of Postfix on scratch space",
        "components/postfix.py",
        '                from_template("queue", "/var/spool/postfix", "spool"),\n',
        '                __import__("components.containers").containers.scratch("spool", "/var/spool/postfix"),\n',
        refusal="no volume at /var/spool/postfix",
    ),
    Mutant(
        "Cyrus as a Deployment whose new pod starts before the old one ends",
        "components/imap.py",
        "self.stateful_set(",
        "self.deployment(",
        tests=("test_changes.py::test_cyrus_never_runs_twice",),
    ),
    Mutant(
        "MYNETWORKS with the network of all pods",
        "components/postfix.py",
        '"MYNETWORKS": "127.0.0.0/8"',
        '"MYNETWORKS": "127.0.0.0/8 10.244.0.0/16"',
        tests=("test_relaying.py",),
    ),
    Mutant(
        "another certificate on port 25",
        "components/parts/mail.py",
        "certificate=certificates.mx,",
        "certificate=certificates.proxy,",
        tests=("test_reception.py::test_the_banner_is_the_helo_name",),
    ),
    Mutant(
        "Postfix on a node that may not send",
        "components/parts/mail.py",
        "return stack.edge() if stack.settings.single_node else",
        'return Placement(nodes=("n2",)) if stack.settings.single_node else',
        tests=("test_deployment.py::test_postfix_runs_on_the_nodes_that_may_send_and_nowhere_else",),
    ),
)
