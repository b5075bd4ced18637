"""Collabora: opens what lies in our Chwala, and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

SUBSTITUTION = 'sed -i -e "s|ALLOWED_HOSTS_GROUPS|$GROUPSSTRING|" /etc/coolwsd/coolwsd.xml'
PLACE = "        ALLOWED_HOSTS_GROUPS"
CONF = "/etc/coolwsd/coolwsd.xml"
FILES = {
    "/init.sh": f'GROUPSSTRING="$ALLOWED_HOSTS\nand more"\n{SUBSTITUTION}\nexec coolwsd\n',
    CONF: f'<config>\n    <alias_groups mode="groups">\n{PLACE}\n    </alias_groups>\n</config>\n',
}
"""What our adjustments rely on (upstream: docker/collabora)."""


def collabora() -> Workload:
    return deployment("cluster").workload("collabora")


def start(sandbox: Sandbox, without: tuple[str, str] = ("", "")) -> int:
    file, line = without
    for path, text in FILES.items():
        sandbox.put(path, text.replace(f"{line}\n", "\n") if path == file else text)
    sandbox.command("coolwsd")
    sandbox.mount(entry.PATH, deployment("cluster").folder("collabora", "collabora", entry.PATH))
    script = deployment("cluster").file("collabora", "collabora", f"{entry.PATH}/entry.sh")
    return sandbox.run(script, env=collabora().env("collabora")).returncode


def test_collabora_opens_documents_of_chwala_only(sandbox: Sandbox) -> None:
    assert start(sandbox) == 0
    hosts = ET.fromstring(sandbox.text(CONF)).findall("alias_groups/group/host")  # noqa: S314 (our own)
    chwala = deployment("cluster").workload("roundcube").env("roundcube")["FILE_API_SERVER_URL"]
    assert [(host.get("allow"), host.text) for host in hosts] == [("true", "http://roundcube:8080")]
    assert chwala.startswith("http://roundcube:8080/")
    assert sandbox.calls == ["coolwsd"]


@pytest.mark.parametrize("line", [("/init.sh", SUBSTITUTION), (CONF, PLACE)], ids=["substitution", "place"])
def test_a_collabora_image_that_lacks_a_line_does_not_start(sandbox: Sandbox, line: tuple[str, str]) -> None:
    assert (start(sandbox, without=line), sandbox.calls) == (70, [])


def test_collabora_may_use_its_file_capabilities() -> None:
    context = collabora().container("collabora")["securityContext"]
    assert context["allowPrivilegeEscalation"] is True
    assert sorted(context["capabilities"]["add"]) == ["CHOWN", "FOWNER", "MKNOD", "SYS_CHROOT"]
    assert (context["runAsUser"], context.get("privileged")) == (1001, None)


def test_all_editors_of_a_document_meet_in_one_pod() -> None:
    spec = collabora().object["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_office_is_on_the_origin_of_the_webmail() -> None:
    # The webmail's Content-Security-Policy allows nothing else.
    assert collabora().env("collabora")["SERVER_NAME"] == "example.org"
    inner = deployment("cluster").file("proxy", "proxy", "/etc/nginx/conf.d/kolab.conf")
    assert "proxy_pass http://collabora:9980;" in inner


def test_only_the_proxy_and_the_webmail_reach_the_office() -> None:
    assert deployment("cluster").clients("collabora", 9980) == {"proxy", "roundcube"}
