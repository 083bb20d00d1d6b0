#!/bin/sh
# Firefly's daily work (recurring transactions, auto-budgets, bills): asked for once an hour, for it does each day once.
# The token is in the address, so it goes over standard input instead of a command line.
set -eu

host=${FIREFLY_HOST:-firefly}
port=${FIREFLY_PORT:-8080}
pause=${CRON_PAUSE_SECONDS:-3600}
mark=${CRON_MARK:-/tmp/last-try}
trap 'exit 0' TERM INT

answer=${CRON_ANSWER:-/tmp/answer}
while :; do
    token=$(cat "${SECRETS_DIRECTORY:-/run/secrets}/firefly_cron_token")
    rm -f "$answer"
    # shellcheck disable=SC2094 # the file is looked at, not read
    # Standard input stays open until something came back: nginx takes its end for a client that went away.
    {
        printf 'GET /api/v1/cron/%s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\n\r\n' \
            "$token" "$host"
        waited=0
        until [ -s "$answer" ] || [ "$waited" -ge 60 ]; do sleep 1 && waited=$((waited + 1)); done
    } | nc -w 60 "$host" "$port" >"$answer" || true
    status=$(head -n 1 "$answer" 2>/dev/null | tr -d '\r')
    next=$pause
    case $status in
        "HTTP/1."?" 200"*) touch "$mark" ;;
        *) echo "firefly-cron: ${status:-no answer from $host:$port}" >&2 && next=30 ;;
    esac
    [ "$pause" = once ] && break
    sleep "$next" &
    wait $! || exit 0
done
