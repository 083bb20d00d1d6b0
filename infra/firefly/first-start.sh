#!/bin/sh
# Hands the secrets to first-start.php: this image knows `_FILE` variables in its own entry point only.
set -eu

from() { # from SECRET
    cat "${SECRETS_DIRECTORY:-/run/secrets}/$1"
}

APP_KEY=$(from firefly_app_key)
DB_PASSWORD=$(from firefly_db_password)
STATIC_CRON_TOKEN=$(from firefly_cron_token)
export APP_KEY DB_PASSWORD STATIC_CRON_TOKEN
if [ -n "${REDIS_HOST:-}" ]; then
    REDIS_PASSWORD=$(from redis_password)
    export REDIS_PASSWORD
fi

storage=${FIREFLY_III_PATH:-/var/www/html}/storage
for folder in app/public build database export framework/cache/data framework/sessions framework/testing \
    framework/views/v1 framework/views/v2 logs upload; do
    mkdir -p "$storage/$folder"
done
exec php "$(dirname "$0")/first-start.php"
