#!/bin/sh
# Fetches the language models that are asked for into the shared volume. It is the server that downloads, and the one
# that answers has no way out: so a second one, with a way out and nobody to talk to, lives here for as long as it takes.
set -eu

if [ -z "${TWINNING_MODEL:-}" ]; then
    echo "ollama-pull: TWINNING_MODEL names no model; nothing to fetch"
    exit 0
fi

OLLAMA_HOST=127.0.0.1:11434
export OLLAMA_HOST
ollama serve &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

tries=0
until ollama list >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "ollama-pull: the server did not start" >&2
        exit 1
    fi
    sleep 1
done

for model in $TWINNING_MODEL; do
    tries=1
    until ollama pull "$model"; do
        if [ "$tries" -ge 3 ]; then
            echo "ollama-pull: $model could not be fetched" >&2
            exit 1
        fi
        tries=$((tries + 1))
        sleep "${PULL_PAUSE_SECONDS:-20}"
    done
    echo "ollama-pull: $model is there"
done
