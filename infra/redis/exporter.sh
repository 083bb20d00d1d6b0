#!/bin/sh
# The exporter wants its password as a JSON map from addresses to passwords: made from the secret, on a tmpfs.
set -eu
umask 077

password=$(cat "${SECRETS_DIRECTORY:-/run/secrets}/redis_password")
REDIS_PASSWORD_FILE=${EXPORTER_RUN_DIRECTORY:-/tmp}/passwords.json
printf '{"%s": "%s"}' "$REDIS_ADDR" "$password" >"$REDIS_PASSWORD_FILE"
export REDIS_PASSWORD_FILE
exec "${REDIS_EXPORTER:-/redis_exporter}" "$@"
