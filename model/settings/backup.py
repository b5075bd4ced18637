"""Where backups go, how often, and who vouches for that place."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field

from model.authorities import Authorities
from model.settings.base import Section
from model.texts import Bucket, DailyTime, FolderName, Region
from model.types import Networks
from model.urls import Endpoint


class _Service(Section):
    """A service that keeps backups: where it is, and who vouches for it."""

    kind: str
    """Kind of repository."""
    endpoint: Endpoint
    """Address of the service, such as https://s3.example.net or https://backup.example.net:8000."""
    networks: Annotated[Networks, Field(min_length=1)]
    """Its addresses: the jobs that read all mail reach them and nothing else outside of the cluster."""
    authorities: Authorities | None = None
    """Certificates (PEM) of the authorities that vouch for the service, if it is no public one: they alone are believed then."""


class S3Repository(_Service):
    """A bucket. Access key: kolab:backupAccessKey, kolab:backupSecretKey; give it no right to delete but below `locks/`."""

    kind: Literal["s3"]
    """Kind of repository."""
    bucket: Bucket
    """Existing bucket, with object lock or versions if the service has them."""
    region: Region = "us-east-1"
    """Region name."""
    folder: FolderName = "kolab"
    """Folder in the bucket; another one for each stack."""

    @property
    def location(self) -> str:
        """As restic names it."""
        return f"s3:{self.endpoint.rstrip('/')}/{self.bucket}/{self.folder}"


class RestRepository(_Service):
    """restic's own server (rest-server), started with --append-only. Password: kolab:backupPassword."""

    kind: Literal["rest"]
    """Kind of repository."""
    username: FolderName
    """User of the server; with --private-repos also the name of its folder."""
    folder: FolderName = "kolab"
    """Folder below the user's own; another one for each stack."""

    @property
    def location(self) -> str:
        """As restic names it. User and password are variables of their own."""
        return f"rest:{self.endpoint.rstrip('/')}/{self.username}/{self.folder}/"


class Backup(Section):
    """Encrypted backups of accounts, mail and files by restic. The key is kolab:backupKey: without it no backup can be read, by anybody."""

    repository: Annotated[S3Repository | RestRepository, Discriminator("kind")]
    """Where backups go."""
    at: DailyTime = "01:30"
    """When the first backup of a day begins (UTC, HH:MM)."""
    every: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24
    """Hours from one backup to the next."""
    drill: Literal["weekly", "monthly", "never"] = "weekly"
    """How often the newest backup of accounts and mail is brought back beside the living stack, into volumes that go afterwards. They need as much room as kolab:storage gives to mail."""

    @property
    def drills(self) -> bool:
        """Whether any are made."""
        return self.drill != "never"
