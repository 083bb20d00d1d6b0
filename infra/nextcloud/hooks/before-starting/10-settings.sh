#!/bin/sh
# Puts the settings of the stack beside Nextcloud's own, and the apps as the stack wants them. Safe at every start.
set -eu

html=${NEXTCLOUD_DIRECTORY:-/var/www/html}
settings=${NEXTCLOUD_SETTINGS:-/opt/twinning/twinning.config.php}

occ() {
    php "$html/occ" --no-interaction --no-ansi "$@"
}

# While it is on, nothing of an app can be asked; a start that failed for it would never end it.
if occ maintenance:mode | grep -q 'currently enabled'; then
    echo "nextcloud: maintenance mode is on; what this hook sets is left for the next start" >&2
    exit 0
fi

if ! cmp -s "$settings" "$html/config/twinning.config.php"; then
    cp "$settings" "$html/config/.twinning.config.php.new"
    mv -f "$html/config/.twinning.config.php.new" "$html/config/twinning.config.php"
fi

# Only what the image brings can be switched on: there is no app store.
there() {
    [ -d "$html/apps/$1" ] || [ -d "$html/custom_apps/$1" ]
}

for app in files_external admin_audit twofactor_totp twofactor_backupcodes; do
    occ app:enable "$app"
done
if there twofactor_webauthn; then
    occ app:enable twofactor_webauthn
fi

# They ask or tell others, or are in the way of a household.
for app in survey_client support nextcloud_announcements updatenotification federation weather_status firstrunwizard \
    recommendations related_resources user_status; do
    if there "$app"; then
        occ app:disable "$app"
    fi
done

occ config:app:set files_sharing outgoing_server2server_share_enabled --value=no
occ config:app:set files_sharing incoming_server2server_share_enabled --value=no
occ config:app:set files_sharing lookupServerEnabled --value=no
occ config:app:set files_sharing lookupServerUploadEnabled --value=no

occ twofactorauth:enforce --on
occ background:cron
