#!/bin/sh
# Fetches the speech model that is asked for into the shared volume; the server itself has no way out.
set -eu

if [ -z "${TWINNING_SPEECH_MODEL:-}" ]; then
    echo "whisper-pull: TWINNING_SPEECH_MODEL names no model; nothing to fetch"
    exit 0
fi
HF_HUB_DISABLE_TELEMETRY=1
DO_NOT_TRACK=1
export HF_HUB_DISABLE_TELEMETRY DO_NOT_TRACK
for model in $TWINNING_SPEECH_MODEL; do
    python -c 'import sys; from huggingface_hub import snapshot_download; snapshot_download(sys.argv[1])' "$model"
    echo "whisper-pull: $model is there"
done
