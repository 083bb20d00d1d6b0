#!/bin/sh
# Firefly's daily work (recurring transactions, auto-budgets, bills): asked for once an hour, for it does each day once.
# The token is in the address, so it goes over standard input instead of a command line.
set -eu

host=${FIREFLY_HOST:-firefly}
port=${FIREFLY_PORT:-8080}
pause=${CRON_PAUSE_SECONDS:-3600}
mark=${CRON_MARK:-/tmp/last-try}
trap 'exit 0' TERM INT

while :; do
    token=$(cat "${SECRETS_DIRECTORY:-/run/secrets}/firefly_cron_token")
    status=$(printf 'GET /api/v1/cron/%s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n\r\n' \
        "$token" "$host" | nc -w 60 "$host" "$port" | head -n 1 | tr -d '\r') || status=""
    case $status in
        "HTTP/1."?" 200"*) touch "$mark" ;;
        *) echo "firefly-cron: ${status:-no answer from $host:$port}" >&2 ;;
    esac
    [ "$pause" = once ] && break
    sleep "$pause" &
    wait $! || exit 0
done
