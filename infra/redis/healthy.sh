#!/bin/sh
# Answers with the password? It goes over standard input: a command line and an environment can be looked at.
set -eu
password=$(cat "${SECRETS_DIRECTORY:-/run/secrets}/redis_password")
answer=$(printf 'AUTH %s\nPING\n' "$password" | redis-cli -h 127.0.0.1 -p "${REDIS_PORT:-6379}" | tr '\n' ' ')
[ "$answer" = "OK PONG " ]
