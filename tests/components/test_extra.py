"""Lines of an operator's own reach the daemons, hold there, and leave what the program says as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import entry
from components.roundcube import literal
from model.extra.cyrus import CYRUS
from model.extra.nginx import NGINX
from model.extra.spamassassin import SPAMASSASSIN
from model.settings import Settings
from tests.support.deploy import Deployment, deploy
from tests.support.extremes import extremes
from tests.support.nginx import GENERATIONS, init_of, prepare, running
from tests.support.postfix import folder
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed

_TRIED = {"rule": "extra-unknown", "reason": "tried what comes of it"}


def extended(**extra: Any) -> Deployment:
    """The stack `bare` with lines of one's own."""
    settings: Settings = changed("bare", {"extra": extra})
    return deploy(settings)


def tried(**extra: Any) -> Deployment:
    """The same with lines that are only acknowledged."""
    return deploy(changed("bare", {"extra": extra, "acknowledge": [_TRIED]}))


def test_variables_reach_the_container_that_is_named_and_no_other() -> None:
    made = extended(environment={"amavis": {"LC_ALL": "C.UTF-8"}, "roundcube-migrate": {"LANG": "C"}})
    assert made.workload("postfix").env("amavis")["LC_ALL"] == "C.UTF-8"
    assert "LC_ALL" not in made.workload("postfix").env("postfix")
    assert made.workload("roundcube-migrate").env("migrate")["LANG"] == "C"
    assert "LANG" not in made.workload("roundcube").env("roundcube")


def test_what_a_container_has_itself_wins() -> None:
    made = tried(environment={"mariadb": {"TZ": "Mars/Olympus"}})
    assert made.workload("mariadb").env("mariadb")["TZ"] == "UTC"


def test_annotations_stand_on_the_pods_of_the_daemon_alone() -> None:
    made = extended(annotations={"imap": {"prometheus.io/scrape": "true"}})
    assert made.workload("imap").template["metadata"]["annotations"] == {"prometheus.io/scrape": "true"}
    others = [each for each in made.workloads if each.daemon != "imap"]
    assert all("annotations" not in each.template["metadata"] for each in others)


@pytest.mark.security
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (30, "30"),
        ("Mail", "'Mail'"),
        ("it's", r"'it\'s'"),
        ("\\'; system('id'); //", r"'\\\'; system(\'id\'); //'"),
        (("a", "b"), "['a', 'b']"),
        ("Grüße", "'Grüße'"),
    ],
)
def test_a_value_stays_one_value_of_php(value: Any, text: str) -> None:
    assert literal(value) == text


def _texts() -> st.SearchStrategy[str]:
    return st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text == text.strip())


@pytest.mark.security
@given(_texts())
def test_a_text_ends_where_it_ends_and_php_reads_what_was_written(text: str) -> None:
    inside = re.fullmatch(r"'((?:[^'\\]|\\['\\])*)'", literal(text))
    assert inside
    assert re.sub(r"\\(['\\])", r"\1", inside[1]) == text


@pytest.mark.thorough
@pytest.mark.security
@pytest.mark.parametrize(
    "text", ["Grüße", "日本語", "it's", "\\", "\\'", "a\\\\'); system('id'); //", "$x {$y}", "ends in \\"]
)
def test_a_real_php_reads_what_was_written(text: str) -> None:
    php = shutil.which("php")
    if php is None:
        pytest.skip("PHP is not installed")
    done = subprocess.run([php, "-r", f"echo {literal(text)};"], capture_output=True, text=True, check=True)
    assert done.stdout == text


def test_roundcube_reads_options_and_the_size_of_messages_after_them() -> None:
    made = extended(roundcube={"product_name": "Mail", "mail_pagesize": 100})
    said = made.workload("roundcube").env("roundcube")["EXTRA_CONFIG"]
    assert said.startswith("$config['product_name'] = 'Mail'; $config['mail_pagesize'] = 100; ")
    assert said.endswith("$config['max_message_size'] = 52428800;")


@pytest.mark.thorough
@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_website_answers_by_directives_of_ones_own_even_where_the_image_says_otherwise(
    generation: str, tmp_path: Path
) -> None:
    made = extended(
        website=['add_header X-Robots-Tag "noindex, nofollow" always', "keepalive_timeout 7s 7", "gzip off", "gzip_min_length 2k"]
    )  # fmt: skip
    init = init_of(generation).replace("server_name $", "keepalive_timeout 99 99; server_name $", 1)
    assert "keepalive_timeout 99" in init
    with running(Sandbox(tmp_path / "root"), made, init) as proxy:
        answer = proxy.get("/health", headers={"Connection": "keep-alive"})
        assert answer.status == 200
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Keep-Alive"] == "timeout=7"


@pytest.mark.thorough
def test_a_directive_that_nginx_does_not_take_stops_the_container_and_is_named(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "root")
    made = tried(website=["gzip on", "gzip_comp_level 99"])
    environment = prepare(sandbox, made)
    done = sandbox.run(made.file("proxy", "proxy", f"{entry.PATH}/entry.sh"), env=environment)
    assert done.returncode == 70
    assert "nginx does not take 'gzip_comp_level 99' of kolab:extra.website: [emerg] " in done.stderr


_DIRECTIVES = """
client_body_timeout 5s|lingering_time 1h|resolver_timeout 1s|resolver_timeout 1m|keepalive_timeout 1 1|keepalive_timeout 9999m 9999m
keepalive_requests 10|keepalive_requests 100000|gzip_comp_level 1|gzip_comp_level 9|proxy_connect_timeout 5s|proxy_connect_timeout 5m
proxy_read_timeout 30s|proxy_send_timeout 1h|client_body_buffer_size 1k|client_header_buffer_size 999k|gzip_min_length 0
gzip_min_length 999k|postpone_output 999999|large_client_header_buffers 4 4k|large_client_header_buffers 99 99k|gzip_buffers 4 4k
proxy_buffers 99 99k|output_buffers 1 4k|output_buffers 99 99k|proxy_buffer_size 4k|gzip off|tcp_nopush on|etag off|log_not_found off
ignore_invalid_headers on|gzip_types text/css image/svg+xml|gzip_proxied no-cache no-store|gzip_http_version 1.0|deny 192.0.2.0/8
deny 2001:db8::/128|add_header NEL "{}"|add_header Referrer-Policy same-origin always
"""


_LINES = _DIRECTIVES.strip().replace("\n", "|").split("|")


def test_no_harmless_kind_of_directive_is_left_out() -> None:
    names = [line.partition(" ")[0] for line in _LINES]
    assert all(any(re.fullmatch(kind, name) for name in names) for kind in NGINX.harmless)


@pytest.mark.thorough
@pytest.mark.parametrize("directive", _LINES)
def test_nginx_takes_every_harmless_directive_at_its_ends(directive: str, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("nginx is not installed: tests/install-packages test")
    name, _, value = directive.partition(" ")
    assert NGINX.judge(name, value) is None
    (tmp_path / "logs").mkdir()
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{ access_log off; server {{ listen unix:{tmp_path}/s; {directive}; }} }}\n"
    )
    done = subprocess.run(
        [nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    if not Path("/usr/share/perl5/Mail/SpamAssassin.pm").exists():
        pytest.skip("SpamAssassin is not installed: tests/install-packages test")
    with folder() as root:
        yield Sandbox(root)


def spamassassin(sandbox: Sandbox, *lines: str) -> subprocess.CompletedProcess[str]:
    """What Amavis' script makes of lines for SpamAssassin."""
    rules = sandbox.path("/data/rules")
    rules.mkdir(parents=True)
    files = entry.files("amavis") | {"extra.cf": "".join(f"{line}\n" for line in lines)}
    sandbox.mount(entry.PATH, files)
    script = f"source {entry.PATH}/adjust.sh\nrules=/data/rules\nsource {entry.PATH}/extra.sh\necho taken\n"
    return sandbox.run(script)


@pytest.mark.thorough
def test_spamassassin_takes_lines_of_ones_own(sandbox: Sandbox) -> None:
    done = spamassassin(sandbox, "body LOCAL_LOAN /cheap loan/i", "score LOCAL_LOAN 2.5", "ok_locales en de")
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr
    assert "score LOCAL_LOAN 2.5" in sandbox.text("/data/rules/zy_kolab.cf")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line", ["score LOCAL_LOAN much", "no_such_option 1", "body LOCAL_LOAN /cheap(loan/"]
)
def test_a_line_that_spamassassin_does_not_take_stops_the_container(sandbox: Sandbox, line: str) -> None:
    done = spamassassin(sandbox, line)
    assert done.returncode == 70
    assert "SpamAssassin does not take a line of kolab:extra.spamassassin" in done.stderr


def imap(sandbox: Sandbox, **options: Any) -> subprocess.CompletedProcess[str]:
    """What Cyrus' script makes of options."""
    files = tried(imap=options).folder("imap", "imap", entry.PATH)
    sandbox.mount(entry.PATH, {name: files[name] for name in ("adjust.sh", "extra.sh", "extra.conf")})
    sandbox.put("/etc/imapd.conf", "configdirectory: /var/lib/imap\npopminpoll: 9\ntimeout: 30\n")
    sandbox.command("cyr_info", 'exec /usr/lib/cyrus/bin/cyr_info "$@"')
    script = "SETTINGS=/etc/imapd.conf\nsource {0}/adjust.sh\nsource {0}/extra.sh\necho taken\n"
    return sandbox.run(script.format(entry.PATH))


@pytest.mark.thorough
def test_cyrus_takes_options_of_ones_own_in_place_of_the_images(sandbox: Sandbox) -> None:
    done = imap(sandbox, popminpoll=1, quotawarn=80)
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr
    assert sandbox.text("/etc/imapd.conf").splitlines() == [
        "configdirectory: /var/lib/imap",
        "timeout: 30",
        "popminpoll: 1",
        "quotawarn: 80",
    ]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("search_batchsize", "20d", "Cyrus does not take kolab:extra.imap: non-integer value for search_batchsize"),
        ("search_wishes", "9", "this Cyrus has no option search_wishes: remove kolab:extra.imap.search_wishes"),
    ],
)  # fmt: skip
def test_an_option_that_cyrus_does_not_take_stops_the_container(
    sandbox: Sandbox, option: str, value: str, sentence: str
) -> None:
    done = imap(sandbox, **{option: value})
    assert done.returncode == 70
    assert sentence in done.stderr


_TEXTS = {
    "0": ("0", "0"),
    "yes|no|on|off|0|1|true|false|t|f": ("no", "t"),
    "no|off|0|false|f": ("no", "f"),
    "merge|skip|keep": ("merge", "keep"),
    str(CYRUS.harmless["calendar_component_set"]): ("VEVENT", "VEVENT VTODO VJOURNAL VFREEBUSY VAVAILABILITY VPOLL"),
    str(CYRUS.harmless["(calendar|addressbook)_default_displayname"]): ("Personal", "One, two"),
    str(CYRUS.harmless["search_index_skip_(domains|users)"]): ("example.org", "a@example.org b@example.org"),
    str(CYRUS.harmless["specialuse_(nochildren|protect)"]): ("\\Trash", "\\Archive \\Junk"),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("end", range(4))
def test_cyrus_takes_every_harmless_option_at_its_ends(sandbox: Sandbox, end: int) -> None:
    sandbox.put("/etc/imapd.conf", "configdirectory: /var/lib/imap\n")
    said = sandbox.run("/usr/lib/cyrus/bin/cyr_info -C /etc/imapd.conf conf-default").stdout
    options = extremes(CYRUS, [line.split(":")[0] for line in said.splitlines()], _TEXTS)[end]
    assert {
        "timeout",
        "maxword",
        "sieve_maxscripts",
        "search_batchsize",
        "specialusealways",
    } <= options.keys()
    done = imap(sandbox, **options)
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr


@pytest.mark.thorough
def test_no_line_of_spamassassin_that_its_parser_reads_itself_goes_through_or_is_acknowledged() -> None:
    parser = Path("/usr/share/perl5/Mail/SpamAssassin/Conf/Parser.pm")
    if not parser.exists():
        pytest.skip("SpamAssassin is not installed: tests/install-packages test")
    words = set(re.findall(r"\$key eq '(\w+)'|s/\^(\w+)\\s", parser.read_text()))
    carriers = {"".join(each) for each in words}
    assert {"lang", "if", "ifplugin", "else", "endif", "include", "file", "require_version"} <= carriers
    assert {SPAMASSASSIN.judge(each, "x loadplugin Evil Evil.pm") for each in carriers} == {"code"}
