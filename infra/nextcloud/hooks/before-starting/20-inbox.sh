#!/bin/sh
# The inbox that Twinning reads, inside Nextcloud: "Inbox" shows the members of the group inbox everybody's folders,
# "Inbox of ada" shows those of the group inbox-ada the one of ada. Safe at every start; takes nothing away.
set -eu

html=${NEXTCLOUD_DIRECTORY:-/var/www/html}
inbox=${INBOX_DIRECTORY:-/srv/inbox}
people=${TWINNING_PEOPLE:-me}
admin=${NEXTCLOUD_ADMIN_USER:-admin}

occ() {
    php "$html/occ" --no-interaction --no-ansi "$@"
}

# While it is on, nothing of an app can be asked; a start that failed for it would never end it.
if occ maintenance:mode | grep -q 'currently enabled'; then
    echo "nextcloud: maintenance mode is on; what this hook sets is left for the next start" >&2
    exit 0
fi

ensure_group() { # ensure_group GROUP
    if ! printf '%s\n' "$groups" | grep -qx "  - $1:"; then
        occ group:add "$1"
    fi
}

mount_number() { # mount_number MOUNT_POINT: from the second and third column of the table; empty without it
    occ files_external:list | awk -F '|' -v wanted="$1" '
        { for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }
        $3 == wanted { print $2; exit }'
}

ensure_mount() { # ensure_mount MOUNT_POINT DIRECTORY GROUP
    number=$(mount_number "$1")
    if [ -z "$number" ]; then
        number=$(occ files_external:create "$1" local null::null --config "datadir=$2" --output=json)
        case $number in
            "" | *[!0-9]*)
                echo "nextcloud: $1 could not be mounted: $number" >&2
                return 1
                ;;
            *) ;;
        esac
        # Without a group it would be everybody's; the web server is not up yet.
        occ files_external:applicable "$number" --add-group "$3" >/dev/null
        echo "nextcloud: $1 shows $2 to the group $3"
    else
        occ files_external:applicable "$number" --add-group "$3" >/dev/null
        occ files_external:config "$number" datadir "$2" >/dev/null
    fi
}

groups=$(occ group:list --limit 1000)
ensure_group inbox
occ group:adduser inbox "$admin"
ensure_mount /Inbox "$inbox" inbox

for person in $people; do
    case $person in
        "" | *[!a-z0-9_-]*)
            echo "nextcloud: TWINNING_PEOPLE: $person is no name of small letters, digits, _ and -" >&2
            exit 1
            ;;
        *) ;;
    esac
    if [ ! -d "$inbox/$person" ]; then
        mkdir "$inbox/$person"
        chmod 2770 "$inbox/$person"
    fi
    ensure_group "inbox-$person"
    ensure_mount "/Inbox of $person" "$inbox/$person" "inbox-$person"
done
