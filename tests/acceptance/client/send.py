"""Mail that leaves: handed to one replica by its address, and reports that a sender asks for."""

from __future__ import annotations

import smtplib

from tests.acceptance.client.mail import _TIMEOUT, _message, _send
from tests.acceptance.client.tls import careful


def submit_inside(host: str, port: str, user: str, password: str, recipient: str, subject: str) -> str:
    """Submits as webmail does: inside the cluster and with the user's password. Prints the last answer."""
    with smtplib.SMTP(host, int(port), local_hostname="webmail.example.org", timeout=_TIMEOUT) as smtp:
        smtp.login(user, password)
        return _send(smtp, user, recipient, _message(user, recipient, subject).as_string())


def ask_for_report(host: str, sender: str, recipient: str, subject: str) -> str:
    """Hands a message to port 25 whose sender wants to hear of its delivery (RFC 3461). Prints the last answer."""
    with smtplib.SMTP(host, 25, local_hostname="client.sender.test", timeout=_TIMEOUT) as smtp:
        smtp.starttls(context=careful())
        smtp.ehlo()
        text = _message(sender, recipient, subject).as_string()
        smtp.sendmail(sender, [recipient], text, rcpt_options=["NOTIFY=SUCCESS"])
    return "250 accepted"
