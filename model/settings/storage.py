"""Volumes, and data engines that others run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from model.settings.base import Section
from model.texts import Bucket, ObjectName, Region
from model.types import Hostname, Network, VolumeSize
from model.urls import Endpoint


class Volume(Section):
    """One persistent volume."""

    size: VolumeSize
    """Requested size; it can grow later, never shrink."""
    storage_class: ObjectName | None = None
    """Storage class; the cluster's default when empty. Changing it later means moving the data by hand."""


def _volume(size: str) -> Volume:
    return Volume(size=size)


class Storage(Section):
    """Volumes that hold what must not be lost."""

    protect: bool = True
    """Refuse deletion and replacement of data. Only a throw-away stack turns this off."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteOncePod"] = "ReadWriteOncePod"
    """ReadWriteOncePod keeps a second pod off the data; ReadWriteOnce for provisioners that do not know it."""
    mailboxes: Volume = _volume("50Gi")
    """Mail, calendars, contacts (/var/spool/imap)."""
    imap_state: Volume = _volume("5Gi")
    """mailboxes.db, sieve, seen state (/var/lib/imap). Back it up together with mailboxes."""
    queue: Volume = _volume("5Gi")
    """Postfix queue, one per replica."""
    database: Volume = _volume("10Gi")
    """MariaDB."""
    dumps: Volume = _volume("5Gi")
    """Dumps of the databases, packed: the last three of before new images changed tables, and what the last restore overwrote."""
    redis: Volume = _volume("2Gi")
    """Job queue and sessions."""
    files: Volume = _volume("20Gi")
    """Versity Gateway, or MinIO; while files move from one to the other, each has a volume of this size."""
    metrics: Volume = _volume("10Gi")
    """Prometheus."""
    logs: Volume = _volume("10Gi")
    """VictoriaLogs."""
    filters: Volume = _volume("2Gi")
    """SpamAssassin and ClamAV databases, and mail that the filter keeps from people, which gets a quarter; one per Postfix replica."""


def _as_text(value: Any) -> Any:
    """YAML takes an unquoted release for a number."""
    return str(value) if isinstance(value, float) else value


class Mariadb(Section):
    """The MariaDB of this stack."""

    release: Annotated[Literal["10.5", "11.8"], BeforeValidator(_as_text)] = "10.5"
    """Its release. 10.5 is Kolab's own image, which nobody mends any more; 11.8 is MariaDB's own, mended until June 2028.
    11.8 takes the data of 10.5 over, once and for good: docs/how-to/update-the-database.md."""


FilesEngine = Literal["minio", "minio-to-versitygw", "versitygw-from-minio", "versitygw"]


class Files(Section):
    """The server that keeps people's files, where it is ours (docs/how-to/move-files.md)."""

    engine: FilesEngine = "minio"
    """versitygw: Versity Gateway, for every new stack. minio: MinIO, of which nobody publishes images any more; stacks from
    before have it until they move, by the two stages between: minio-to-versitygw copies all files beside MinIO, which still
    serves, and versitygw-from-minio serves them from the gateway, MinIO standing by."""

    @property
    def moving(self) -> bool:
        """Whether both run."""
        return self.engine in ("minio-to-versitygw", "versitygw-from-minio")

    @property
    def minio(self) -> bool:
        """Whether MinIO runs."""
        return self.engine != "versitygw"

    @property
    def gateway(self) -> bool:
        """Whether Versity Gateway runs."""
        return self.engine != "minio"

    @property
    def served_by_gateway(self) -> bool:
        """Whether people's files are in Versity Gateway; else they are in MinIO."""
        return self.engine in ("versitygw-from-minio", "versitygw")

    @property
    def snapshots(self) -> Literal["files", "objects"]:
        """The tag of their backups: MinIO cannot read what Versity Gateway keeps, nor the other way round."""
        return "objects" if self.served_by_gateway else "files"


class ExternalDatabase(Section):
    """A MariaDB that somebody else runs (one writable endpoint on port 3306)."""

    host: Hostname
    """Name of the endpoint."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""
    max_connections: Annotated[int, Field(ge=1, le=100000)] | None = None
    """Its max_connections, which preview compares with what this stack may open. MariaDB's own default is 151."""


class ExternalRedis(Section):
    """A Redis that somebody else runs (port 6379, no cluster protocol)."""

    host: Hostname
    """Name of the endpoint."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""


class ExternalS3(Section):
    """An S3 service instead of one of ours. Access key: kolab:s3AccessKey, kolab:s3SecretKey."""

    endpoint: Endpoint
    """URL of the service, without bucket."""
    region: Region = "us-east-1"
    """Region name."""
    bucket: Bucket
    """Existing bucket."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""


class External(Section):
    """Data engines outside of the stack."""

    database: ExternalDatabase | None = None
    """Instead of MariaDB. Databases `kolabdev` and `roundcube` (utf8mb4) must exist, each with a user of its name who has
    all rights on it (kolab:databasePassword, kolab:roundcubeDatabasePassword). The stack makes the tables as these
    users, and asks for no password of root."""
    redis: ExternalRedis | None = None
    """Instead of Redis."""
    s3: ExternalS3 | None = None
    """Instead of kolab:files."""
