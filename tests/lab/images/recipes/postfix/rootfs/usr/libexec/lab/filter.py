"""The mail filter behind Amavis: shows each message to the web application and hands it back through sendmail.

Arguments as Postfix' pipe gives them: -f SENDER -- RECIPIENT... Exit codes are sysexits.h: 69 bounces, 75 retries.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import urlencode

_UNAVAILABLE, _TRY_LATER = 69, 75
_REJECT, _DROP = 460, 461


def ask(base: str, sender: str, recipients: list[str], message: bytes) -> tuple[int, bytes]:
    """Status and body of the hook's answer; OSError when there is none."""
    query = urlencode({"recipient": ",".join(recipients), "sender": sender})
    url = f"{base}/api/webhooks/policy/mail/filter?{query}"
    request = urllib.request.Request(url, message, {"Content-Type": "message/rfc822"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, b""


def main(base: str, arguments: list[str]) -> int:
    """Filter the message on stdin."""
    sender, recipients = arguments[1].lower(), arguments[3:]
    message = sys.stdin.buffer.read()
    try:
        status, changed = ask(base, sender, recipients, message)
    except OSError:
        return _TRY_LATER
    if status == _DROP:
        return 0
    if status == _REJECT:
        return _UNAVAILABLE
    if status not in (200, 204):
        return _TRY_LATER
    command = ["/usr/sbin/sendmail", "-G", "-i", "-f", sender, *recipients]
    done = subprocess.run(command, input=changed if status == 200 else message, check=False)
    return _TRY_LATER if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
