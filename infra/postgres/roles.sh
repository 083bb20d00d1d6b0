#!/bin/sh
# Databases, roles and their passwords as the secrets say. Safe at every start: a password that was rotated takes effect
# here, one that was not stays. Over the server's socket it needs no password, so that even the owner's can be rotated.
set -eu
umask 077

secrets=${SECRETS_DIRECTORY:-/run/secrets}
here=$(dirname "$0")
PGHOST=${PGHOST:-/var/run/postgresql}
PGUSER=${PGUSER:-postgres}
PGDATABASE=postgres
PGAPPNAME="twinning roles"
export PGHOST PGUSER PGDATABASE PGAPPNAME

# role:secret
passwords="postgres:postgres_password twinning:twinning_db_password dagster:dagster_db_password
    firefly:firefly_db_password nextcloud:nextcloud_db_password authelia:authelia_db_password
    grafana:grafana_db_password exporter:exporter_db_password"

password_of() { # password_of SECRET
    value=$(cat "$secrets/$1") || return 1
    case $value in
        "") echo "roles: the secret $1 is empty; make it with: python3 infra/stack init" >&2 && return 1 ;;
        *[!A-Za-z0-9_.~-]*) echo "roles: the secret $1 holds more than letters, digits and _ . ~ -" >&2 && return 1 ;;
    esac
    printf '%s' "$value"
}

# Everything is read before anything is changed.
for pair in $passwords; do
    password_of "${pair#*:}" >/dev/null
done

case $PGHOST in
    /*) ;;
    *)
        PGPASSFILE=$(mktemp)
        export PGPASSFILE
        trap 'rm -f "$PGPASSFILE"' EXIT
        printf '*:*:*:%s:%s\n' "$PGUSER" "$(password_of postgres_password)" >"$PGPASSFILE"
        ;;
esac

# Passwords go as the rows of a COPY: they are in no statement, so neither a log nor pg_stat_activity can show them.
{
    cat "$here/roles.sql"
    echo 'copy given (role, password) from stdin;'
    for pair in $passwords; do
        printf '%s\t%s\n' "${pair%%:*}" "$(password_of "${pair#*:}")"
    done
    printf '\\.\n'
    cat "$here/passwords.sql" "$here/databases.sql" "$here/privileges.sql"
} | psql --no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1 --set=SHOW_CONTEXT=never --output=/dev/null

echo "roles: databases, roles and passwords are as the secrets say"
