"""What all daemons together may open."""

from __future__ import annotations

from model.findings import Rule

DATABASE_CONNECTIONS = Rule(
    "database-connections",
    path="kolab:external.database.maxConnections",
    problem="is {over} fewer than the {needed} connections that this stack may open ({terms}): whoever comes last gets none, and mail is deferred",
    fix="raise max_connections of that server to {needed} and write it here, or lower {key}",
    why="A connection that the database refuses looks like a database that is down, in the busiest hour.",
)
DATABASE_CONNECTIONS_UNKNOWN = Rule(
    "database-connections-unknown",
    path="kolab:external.database.maxConnections",
    problem="is missing, and this stack may open {needed} connections ({terms}): MariaDB takes 151 unless it was told otherwise",
    fix="ask that server (SHOW VARIABLES LIKE 'max_connections'), raise it to {needed}, and write it here",
    why="A connection that the database refuses looks like a database that is down, in the busiest hour.",
    severity="warning",
)
DATABASE_MEMORY = Rule(
    "database-memory",
    path="kolab:resources.mariadb.memoryLimit",
    problem="is {over}Mi too small for MariaDB with the {needed} connections that this stack may open ({terms}): it would be killed in the busiest hour",
    fix="set it to {enough}Mi, or lower {key}",
    why="MariaDB needs memory for each connection beside its buffer pool.",
)
WEBAPP_WORKERS = Rule(
    "webapp-workers",
    path="kolab:replicas.webapp",
    problem="gives {workers} workers, and mail may ask {asked} questions at once: the last ones would end unanswered and mail be deferred",
    fix="set it to {pods}, or lower kolab:replicas.postfix",
    why="Each message asks the web application, and puts its sender off when there is no answer in time.",
)
POSTFIX_MEMORY = Rule(
    "postfix-memory",
    path="kolab:resources.postfix.memoryLimit",
    problem="is {limit}Mi, {over}Mi less than Postfix needs when strangers take every session and the web application is slow: it would be killed",
    fix="set it to {needed}Mi or more",
    why="Strangers decide how many sessions there are, so the worst case must fit.",
)
SESSIONS_MEMORY = Rule(
    "sessions-memory",
    path="kolab:resources.{name}.memoryLimit",
    problem="is {limit}Mi, and the sessions of {people} people take {needed}Mi: it would be killed when all of them are there",
    fix="set it to {needed}Mi or more, or choose a smaller kolab:size",
    why="Mail programs and phones wait for new mail all day, and each that waits takes memory.",
)
