#!/bin/sh
# Redis with its password from the secret: in a file on a tmpfs, never on a command line.
set -eu
umask 077

conf=${REDIS_RUN_DIRECTORY:-/run/redis}/redis.conf
password=$(cat "${SECRETS_DIRECTORY:-/run/secrets}/redis_password")
case $password in
    "" | *[!A-Za-z0-9_.~-]*) echo "redis: the secret redis_password is empty or holds more than letters, digits and _ . ~ -" >&2 && exit 1 ;;
    *) ;;
esac
{
    cat "$(dirname "$0")/redis.conf"
    printf 'dir %s\n' "${REDIS_DATA_DIRECTORY:-/data}"
    printf 'requirepass %s\n' "$password"
} >"$conf"
exec redis-server "$conf" "$@"
