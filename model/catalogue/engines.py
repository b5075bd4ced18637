"""Releases of the engines that hold data, from what is deployed to what the stack file asks for now."""

from __future__ import annotations

from model.findings import Rule

DATABASE_TAKEN_OVER = Rule(
    "database-taken-over",
    path="kolab:mariadb.release",
    problem="MariaDB {new} takes over the data of {old}: they are dumped first; then nobody logs in, and mail waits, until the system tables are upgraded",
    fix="do this in a quiet hour and with a backup: {new} cannot be taken back, but for the dump (docs/how-to/update-the-database.md)",
    why="A newer release changes the files of the data when it first opens them, and an older one cannot read them again.",
    source="MariaDB: Upgrading Between Major MariaDB Versions",
    severity="warning",
)
DATABASE_GOES_BACK = Rule(
    "database-goes-back",
    path="kolab:mariadb.release",
    problem="goes from {old} back to {new}, which cannot read data of {old}: nobody could log in, and mail would wait",
    fix="write {old} again; or acknowledge it: data that {old} has written are put aside, MariaDB {new} begins empty, and you load the dump of before (docs/how-to/update-the-database.md)",
    why="Data of a newer release are not readable by an older one: what leads back is a dump.",
    source="MariaDB: Downgrading MariaDB",
)
