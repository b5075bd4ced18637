"""Collabora: opens what lies in our Chwala, and nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
CONF = "/etc/coolwsd/coolwsd.xml"
A, B = ((RECIPES / name / "rootfs/init.sh").read_text() for name in ("collabora", "collabora-b"))
XML = (RECIPES / "collabora/rootfs" / CONF.lstrip("/")).read_text()
DAEMON = re.compile(r"(/usr/bin/)?coolwsd ")
OTHERS = """
    <host allow="true">anybody\\..*</host><host allow="true"/>
    <!-- <alias_groups mode="first"> -->
    <alias_groups desc="x" mode="first"><group><host allow="true">elsewhere</host></group></alias_groups>
    <alias_groups/>
"""
"""Hosts that an image allows in every place that Collabora reads."""


def collabora() -> Workload:
    return deployment("cluster").workload("collabora")


def start(sandbox: Sandbox, init: str, xml: str = XML, task: str = "") -> int:
    """The exit code of the container; /usr/bin is where it is in the image and nowhere here."""
    sandbox.put("/init.sh", init.replace("/usr/bin/coolwsd", "coolwsd"))
    sandbox.put(CONF, xml)
    for command in ("coolwsd", "contract-check"):
        sandbox.command(command)
    sandbox.mount(entry.PATH, deployment("cluster").folder("collabora", "collabora", entry.PATH))
    script = deployment("cluster").file("collabora", "collabora", f"{entry.PATH}/entry.sh")
    return sandbox.run(script, env=collabora().env("collabora") | {"KOLAB_TASK": task}).returncode


def in_file(sandbox: Sandbox) -> list[str]:
    """The hosts that the file itself names."""
    file = CONF if sandbox.path(CONF).exists() else "/etc/cool/new.xml"
    tree = ET.fromstring(sandbox.text(file))  # noqa: S314 (our own)
    assert tree.find("storage/wopi/alias_groups") is not None
    return [str(each.text) for name in ("host", "alias") for each in tree.iter(name)]


def options(sandbox: Sandbox) -> dict[str, str]:
    """What Collabora is told on its command line."""
    (call,) = (call for call in sandbox.calls if DAEMON.match(call))
    given = [re.match(r"--o\w*[=:](.*?)=(.*)", word) for word in call.split()]
    return {each[1]: each[2] for each in given if each}


IMAGES = {
    "generation A": (A, XML),
    "generation B": (B, XML),
    "no substitution at all": (A.replace("sed ", "true "), XML),
    "hosts in every place": (B, XML.replace('<wopi allow="true">', f'<wopi allow="true">{OTHERS}')),
    "no groups": (A, re.sub(r"<alias_groups.*</alias_groups>", "", XML, flags=re.DOTALL)),
    "TLS and an administrator's page": (
        A.replace("exec ", "exec env "),
        XML.replace("false</enable>", "true</enable>"),
    ),
    "another command line": (
        B.replace("exec /usr/bin/coolwsd --version", "nice coolwsd --o:ssl.enable=true"),
        XML,
    ),
    "hosts on the command line": (
        A.replace(
            "--o:stop",
            "'--o:storage.wopi.alias_groups.group[1].host=.*' '--o:storage.wopi.host[0]=.*' --override=storage.wopi.host=.*"
            " --o=storage.filesystem[@allow]=true --o:net.listen=loopback --o:admin_console.enable=true --o:stop",
        ),
        XML,
    ),
    "a listener on the loopback": (A, XML.replace("<ssl>", "<net><listen>loopback</listen></net><ssl>")),
    "blanks in its tags": (B, re.sub(r"</(\w+)>", r"</\1\n >", XML.replace("<wopi ", "<wopi\n"))),
    "one tag for no hosts": (A, re.sub(r"<wopi.*</wopi>", '<wopi desc="a > b"/>', XML, flags=re.DOTALL)),
    "names that begin alike": (
        A,
        XML.replace("<wopi ", "<wopi_old/><wopi ").replace(
            "<filesystem", "<!-- </wopi> --><wopi-hosts><![CDATA[</wopi><]]></wopi-hosts><filesystem"
        ),
    ),
    **{
        f"another file after {form}": (
            A.replace("exec ", f"mkdir /etc/cool; mv {CONF} /etc/cool/new.xml; exec ").replace(
                "--o:stop", f"--{form}/etc/cool/new.xml --o:stop"
            ),
            XML,
        )
        for form in ("config-file=", "config-file:", "config:")
    },
}


@pytest.mark.parametrize("name", IMAGES)
def test_collabora_opens_documents_of_chwala_only(sandbox: Sandbox, name: str) -> None:
    assert start(sandbox, *IMAGES[name]) == 0, sandbox.err
    assert in_file(sandbox) == []
    given = options(sandbox)
    wopi = {key: value for key, value in given.items() if key.startswith("storage.wopi")}
    assert wopi == {
        "storage.wopi[@allow]": "true",
        "storage.wopi.alias_groups[@mode]": "groups",
        "storage.wopi.alias_groups.group[0].host": "http://roundcube:8080",
        "storage.wopi.alias_groups.group[0].host[@allow]": "true",
    }
    chwala = deployment("cluster").workload("roundcube").env("roundcube")["FILE_API_SERVER_URL"]
    assert chwala.startswith("http://roundcube:8080/")
    assert (given["storage.filesystem[@allow]"], given["server_name"]) == ("false", "example.org")
    assert given["net.listen"] == "any"
    # Plain HTTP behind a proxy that has TLS.
    assert (given["ssl.enable"], given["ssl.termination"], given["admin_console.enable"]) == (
        "false",
        "true",
        "false",
    )


@pytest.mark.parametrize(
    ("init", "xml", "sentence"),
    [
        (A, XML.replace("wopi", "wopi-hosts"), "has no element wopi"),
        (A, XML.replace("</alias_groups>", ""), "has a </wopi> where it has no <wopi>"),
        (A.replace("exec /usr/bin/coolwsd", "exec coolwsd-ng"), XML, "hands over to 'coolwsd-ng"),
        (
            A.replace("exec ", "exec renamed --config-file=/etc/cool/new.xml "),
            XML,
            "/etc/cool/new.xml is not in this image",
        ),
        (
            A.replace("--o:stop", "--o storage.wopi.host[0]=.* --o:stop"),
            XML,
            "tells coolwsd '--o', which cannot be judged",
        ),
        (A, XML.replace("</storage>", ""), "has a </config> where it has no <config>"),
        (A.partition("exec")[0], XML, "ended without its daemon"),
    ],
)
def test_a_collabora_image_that_cannot_be_told_is_refused(
    sandbox: Sandbox, init: str, xml: str, sentence: str
) -> None:
    assert start(sandbox, init, xml) == 70
    assert sentence in sandbox.err
    assert not any(DAEMON.match(call) for call in sandbox.calls)


@pytest.mark.parametrize("init", [A, B], ids=["A", "B"])
def test_a_rehearsal_opens_no_office(sandbox: Sandbox, init: str) -> None:
    assert start(sandbox, init, task="rehearse") == 0
    assert not any(DAEMON.match(call) for call in sandbox.calls)


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
