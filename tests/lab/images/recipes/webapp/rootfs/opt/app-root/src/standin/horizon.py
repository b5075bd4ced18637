"""Jobs: new accounts get their mailbox from Cyrus, as the administrator that data:init made."""

from __future__ import annotations

import imaplib
import os
import signal
import time
from typing import Any

from standin import accounts, jobs_queue, people

_BACKOFF = (5, 15, 60)


def create_mailbox(email: str) -> None:
    """Make user/<email> with a quota, unless it is there."""
    host, _, port = os.environ["IMAP_URI"].rpartition("//")[2].rpartition(":")
    with imaplib.IMAP4(host, int(port), timeout=30) as imap:
        imap.login(os.environ["IMAP_ADMIN_LOGIN"], os.environ["IMAP_ADMIN_PASSWORD"])
        name = f'"user/{email}"'
        status, answer = imap.create(name)
        if status != "OK" and b"exists" not in answer[0]:
            raise OSError(answer[0].decode(errors="replace"))
        # A GiB for each part that is called so.
        parts = people.entitlements("user", accounts.find(email)[0]).get("storage", 0)
        if parts:
            imap.setquota(name, f"(STORAGE {parts * 1048576})")
    accounts.set_status(email, add=accounts.IMAP_READY)


def delete_mailbox(email: str) -> None:
    """Takes user/<email> away, with all that is below it."""
    host, _, port = os.environ["IMAP_URI"].rpartition("//")[2].rpartition(":")
    with imaplib.IMAP4(host, int(port), timeout=30) as imap:
        imap.login(os.environ["IMAP_ADMIN_LOGIN"], os.environ["IMAP_ADMIN_PASSWORD"])
        name = f'"user/{email}"'
        # An administrator gives the right to delete to himself first (RFC 4314).
        imap.setacl(name, os.environ["IMAP_ADMIN_LOGIN"], "lrswipkxtecda")
        imap.delete(name)


def _run(job: dict[str, Any]) -> None:
    if job["job"] == "create-mailbox":
        create_mailbox(job["email"])
    elif job["job"] == "delete-mailbox":
        delete_mailbox(job["email"])
    print(f"horizon: {job['job']} {job.get('email', '')} done", flush=True)


def work() -> int:
    """Until SIGTERM: take jobs, put failed ones back after a while."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    print("Horizon started successfully.", flush=True)
    waiting: list[tuple[float, dict[str, Any]]] = []
    while not stopped:
        try:
            jobs_queue.beat()
            due = [job for at, job in waiting if at <= time.monotonic()]
            waiting = [(at, job) for at, job in waiting if at > time.monotonic()]
            for job in due:
                jobs_queue.push_again(job)
            job = jobs_queue.pop(2)
        except OSError as error:
            print(f"horizon: Redis: {error}", flush=True)
            time.sleep(2)
            continue
        if job is None:
            continue
        try:
            _run(job)
        except (OSError, imaplib.IMAP4.error, accounts.Unknown) as error:
            delay = _BACKOFF[min(job["attempts"], len(_BACKOFF) - 1)]
            print(f"horizon: {job['job']} failed, again in {delay} s: {error}", flush=True)
            waiting.append((time.monotonic() + delay, job))
    # What still waited goes back to the queue, which is on disk.
    for _, job in waiting:
        jobs_queue.push_again(job)
    return 0
