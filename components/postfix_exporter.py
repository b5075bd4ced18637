"""The Postfix exporter: a container of Postfix's pod that counts what waits in its queue."""

from __future__ import annotations

from components.containers import Build, Container, Privileges, Probe, from_template
from model import topology


def exporter_container(build: Build) -> Container:
    """The exporter for a pod whose claim template `queue` holds the queue."""
    return Container(
        name="metrics",
        build=build,
        privileges=Privileges(
            uid=0,
            gid=0,
            capabilities=("DAC_OVERRIDE",),
            read_only_root=True,
            reason="Postfix shows its queue on a socket that only its own users may open",
        ),
        args=(
            f"--web.listen-address=:{topology.POSTFIX_EXPORTER.port('metrics').number}",
            "--postfix.showq_path=/var/spool/postfix/public/showq",
            # Counters come from the log pipeline; no file holds the log in this pod.
            "--postfix.logfile_path=/dev/null",
        ),
        mounts=[from_template("queue", "/var/spool/postfix", "spool")],
        ports=topology.POSTFIX_EXPORTER.ports,
        liveness=Probe(tcp=True, port="metrics", period=30),
    )
