"""What reads like an instruction in each language that a value of a stack file may end up in."""

from __future__ import annotations

from collections.abc import Mapping

EVERYWHERE = (
    "\n", "\r\n", "\r", "\x00", "\t", " ", "'", '"', "\\", "`", "$", "#", ";", "\u2028", "\u202e", "ü", "\N{FULLWIDTH FULL STOP}", "x" * 70,
)  # fmt: skip
"""Ends of lines, quotes and what else most of them have in common."""

LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "shell": ("$(id)", "`id`", "${HOME}", "; id", "| id", "&& id", "& ", "> /tmp/x", "'\nid\n'", "\nEOF\nid\n", "*", "?", "~", "!1", "{a,b}", "-e", "=x"),
    "sed": ("|e id", "|g;", "&", "\\1", "\\n", "/", "|"),
    "nginx": (";", "{", "}", "$host", "${x}", "; return 200;", '" 1;\n}\nserver {\n listen 1;\n}\n', "~*^", "# ", "\\", "default", "hostnames", "include /etc/passwd;"),
    "Postfix map": ("\n* x@evil.example", "#x", " y", "\n y", ",evil@example.com", "|cmd", ":include:/etc/passwd", "@", "%s", "%u", "/x/", "$1", "!"),
    "Postfix setting": ("\nmynetworks = 0.0.0.0/0", "$mynetworks", "${x?y}", ",", " ", "{", "}", "static:all", "|x", "[x]:1", "=", "#"),
    "Cyrus": ("\nadmins: x", ": ", "#", "\\", "{", '" cmd="x', "%", "!", "^"),
    "Perl": ("'; system('id'); '", '"', "@{[ ]}", "$x", "@x", "%x", ");", "\\'", "qw(", "=cut", "\n__END__\n"),
    "PHP": ("'.system('id').'", '"', "<?php", "?>", "${x}", "null", "true", "(empty)", "false", "\\'", "$_ENV", "%00", "#", "//"),
    "SQL": ("' OR 1=1 -- ", "'; DROP x; --", "\\'", "--", "/*", "*/", ";", "%", "_", '"', "`x`", "\0"),
    "option file": ("\n[mysqld]\nskip-grant-tables\n", "#", ";", "=", "[x]", "\nrequirepass x", '" x "', "!include x", "\\", "loose-"),
    "turnserver.conf": ("\nno-auth", "\nallowed-peer-ip=0.0.0.0", "=", "#", " ", ",", "-", "0x", "'"),
    "zone file": (") 1 IN A 192.0.2.66 (", "\n@ IN A 192.0.2.66", ";", "(", ")", '" "', "\\000", "\\.", "@", "$INCLUDE x", "$ORIGIN x.", "\n$GENERATE 1-9 a$ A 192.0.2.1", "*", "_", ".", ".."),
    "mail record": ("; p=none", ";", "; ", ",mailto:x@evil.example", "!10m", " +all", " include:evil.example", "%{i}", "=", ":", "/0", "~", "?", "\\;", "v=spf1", "k=", "%"),
    "YAML": (": x", "\n- x", "\nkey: x", "#x", " #x", "!x", "!!python/object:x", "&x", "*x", "|", ">", "[x]", "{x: y}", "- x", "? x", "% x", "@x", "~", "null", "yes", "1e3", "0x1", "0o7", "1_000", "2026-01-01", "12:30", "<<", "---\n", "\x85", "\ufeff"),
    "JSON": ('"', "\\", '","x":"y', "\\u0000", "{", "}", "[", "]", ",", ":", "__proto__", "\ud83d\ude00", "NaN", "</x>"),
    "PromQL": ('"} or vector(1) #', '"', "'", "`", "}", "{", "[5m]", ")", " or ", "=~", ".*", "|", "\\", "#", "$", "{{ $value }}", "offset"),
    "VRL": ('"', "'", 's\'x\'', "}", "{", "\n.x = 1", "; .", "??", "!", "{{x}}", "\\", "#", "/0", ", client)", "r'"),
    "template": ("{{ .x }}", "{{x}}", "{{", "}}", "{%x%}", "{%", "${x}", "<%= %>", "[[", "{{- /*", "%(x)s", "%s", "%n", "{0}", "{}"),
    "Kubernetes": ("$(HOME)", "$$(X)", "$(", ")", "/", "_", ".", "-", "..", "A", "x" * 64, "x" * 254, "kubernetes.io/", "../../x", ":", "@sha256:", "@", ",", "="),
    "URL": ("@evil.example", "?x=y", "#x", "%0a", "%00", "%", "//", "../", "\\", "://", ":0", ":99999", "[::1]", "javascript:", " ", "|", ",", "user:pw@", "&"),
    "regular expression": (".*", "(", ")", "[", "]", "{9}", "+", "?", "^", "$", "|", "\\", "(?i)", ".", "$1", "*"),
    "headers": ("\r\nSet-Cookie: x", "\r\n\r\n<x>", "; script-src *", "'unsafe-inline'", ";", ",", " *", "<x>", "=?utf-8?q?=0a?=", ":", "<", ">"),
    "HTML and Markdown": ("<script>", "<img src=x>", "](javascript:x)", "![", "**", "@everyone", "-->", "```\n", "|", "</details>", "&lt;", "&#10;", "#", "_", "~~", "$(x)"),
    "terminal": ("\x1b[2J", "\x1b]0;x\x07", "\x07", "\x08", "\x7f", "\x9b", "\x85", "\u202e", "\u2066", "\r", "\x0c", "\ud83d\ude00"),
}  # fmt: skip
"""Language -> fragments that mean something there."""
