"""The secrets of the stack: what each is for, how it is made, whether it can be replaced."""

from __future__ import annotations

import os
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

# Safe in URLs, on command lines, in YAML and in Redis' configuration, whatever reads it.
LETTERS_AND_DIGITS = string.ascii_letters + string.digits
MODE = 0o444
FOLDER_MODE = 0o700
OF_THE_OWNER = "authelia_owner_password"
USERS_FILE = "authelia_users.yml"


@dataclass(frozen=True)
class Secret:
    """One file of infra/secrets.

    `restart` are the services that read it; `then` is what else makes a new value true, in words or a command.
    `loses` says what a new value costs, `fixed` why there can't be one.
    """

    name: str
    length: int
    purpose: str
    restart: tuple[str, ...] = ()
    then: str = ""
    loses: str = ""
    fixed: str = ""
    exactly: bool = False

    def make(self) -> str:
        """A new value; with letters of both cases and a digit, as some password rules want."""
        while True:
            value = "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(self.length))
            if any(c.islower() for c in value) and any(c.isupper() for c in value) and any(c.isdigit() for c in value):
                return value

    def fault(self, value: str) -> str | None:
        """What is wrong with a value, in words that do not tell it; None if nothing is."""
        if not value:
            return "is empty"
        if value != value.strip():
            return "begins or ends with a blank or a line break"
        if set(value) - set(LETTERS_AND_DIGITS + "_.~-"):
            return "holds more than letters, digits and _ . ~ -"
        if self.exactly and len(value) != self.length:
            return f"has {len(value)} characters instead of exactly {self.length}"
        shortest = min(self.length, 64 if self.length >= 64 else 20)
        return f"has {len(value)} characters; at least {shortest} are wanted" if len(value) < shortest else None


def _database(name: str, *services: str) -> Secret:
    return Secret(f"{name}_db_password", 40, f"the database role {name}", ("roles", *services))


SECRETS = (
    Secret("postgres_password", 40, "the owner of the database server", ("roles",)),
    _database("twinning", "code", "metrics"),
    _database("dagster", "code", "webserver", "daemon", "metrics"),
    _database("firefly", "firefly"),
    _database("nextcloud", "nextcloud", "nextcloud-cron"),
    _database("authelia", "authelia"),
    _database("grafana", "grafana"),
    _database("exporter", "postgres-exporter"),
    Secret("redis_password", 40, "Redis", ("redis", "nextcloud", "nextcloud-cron", "authelia", "redis-exporter")),
    Secret(
        "influxdb_admin_password",
        32,
        "the log-in `twinning` of InfluxDB's pages",
        then="python3 infra/stack compose exec influxdb sh -c"
        " 'INFLUX_TOKEN=$(cat /run/secrets/influxdb_admin_token) influx user password --name twinning'"
        "   (asks for the new one)",
    ),
    Secret(
        "influxdb_admin_token",
        64,
        "making buckets and tokens in InfluxDB",
        loses="InfluxDB knows the token of its first start only: its volume influxdb_data has to be removed with the new"
        " one. Its series are made anew from Postgres.",
        then="python3 infra/stack compose rm --stop --force influxdb, remove the volume twinning_influxdb_data, then"
        " python3 infra/stack up, then python3 infra/stack compose restart grafana",
    ),
    Secret(
        "firefly_app_key",
        32,
        "what Firefly III encrypts",
        ("firefly", "firefly-cron"),
        loses="Firefly III cannot read any more what it encrypted: the keys that sign its tokens, second factors,"
        " sessions. Bookings stay.",
        exactly=True,
    ),
    Secret("firefly_cron_token", 32, "Firefly's daily work", ("firefly", "firefly-cron"), exactly=True),
    Secret(
        "firefly_owner_password",
        24,
        "the owner's first log-in to Firefly III",
        fixed="only the first start reads it: change it in Firefly III (Options, Profile, Change your password)",
    ),
    Secret(
        "nextcloud_admin_password",
        24,
        "the owner's first log-in to Nextcloud",
        ("nextcloud", "nextcloud-cron"),
        then="python3 infra/stack compose exec -u www-data nextcloud sh -c"
        " 'OC_PASS=$(cat /run/secrets/nextcloud_admin_password) php occ user:resetpassword --password-from-env"
        ' "$NEXTCLOUD_ADMIN_USER"\'',
    ),
    Secret(
        "grafana_admin_password",
        24,
        "the owner's log-in to Grafana",
        ("grafana",),
        then="python3 infra/stack compose exec -T grafana grafana cli admin reset-admin-password --password-from-stdin"
        " <infra/secrets/grafana_admin_password",
    ),
    Secret(
        "grafana_secret_key",
        64,
        "what Grafana encrypts",
        ("grafana",),
        loses="Grafana cannot read any more what it encrypted: passwords and tokens that were entered on its pages."
        " What the stack provisions is written anew at each start.",
    ),
    Secret("authelia_session_secret", 64, "Authelia's sessions", ("authelia",), then="everybody logs in again"),
    Secret(
        "authelia_storage_encryption_key",
        64,
        "what Authelia encrypts",
        ("authelia",),
        loses="Authelia cannot read any more what it encrypted, and refuses to start: everybody's second factors are"
        " lost with its database. Its own `authelia storage encryption change-key` loses nothing.",
    ),
    Secret("authelia_jwt_secret", 64, "Authelia's links for new passwords", ("authelia",)),
    Secret(OF_THE_OWNER, 24, "the owner's log-in to Authelia", ("authelia",)),
)
BY_NAME = {secret.name: secret for secret in SECRETS}


def write(file: Path, value: str, *, replace: bool = False) -> None:
    """Writes a secret whole or not at all. Raises FileExistsError if it is there and not to be replaced."""
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(value)
            stream.flush()
            os.fsync(stream.fileno())
        new.chmod(MODE)
        if replace:
            new.replace(file)
        else:
            # A link, unlike a rename, never takes the place of what somebody made in the meantime.
            os.link(new, file)
    finally:
        new.unlink(missing_ok=True)


def prepare(folder: Path) -> None:
    """Makes the folder, which only its owner may enter; the files in it are readable, for containers run as many users."""
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    folder.chmod(FOLDER_MODE)
