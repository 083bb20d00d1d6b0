#!/bin/sh
# Gives the volumes that several services share their owners, and each person a folder in the inbox. Safe at every start.
set -eu

own() { # own FOLDER OWNER MODE
    mkdir -p "$1"
    chown "$2" "$1"
    chmod "$3" "$1"
}

# 33 is www-data, as whom Nextcloud writes; 10001 is Twinning, which takes files away. New folders inherit the group.
own /inbox 10001:33 2770
for person in $TWINNING_PEOPLE; do
    case $person in
        */* | .*) echo "TWINNING_PEOPLE: $person can't be the name of a folder" >&2 && exit 2 ;;
    esac
    own "/inbox/$person" 10001:33 2770
done

# Tokens are made by InfluxDB (1000) and Firefly III (33) at their first start and read by Twinning; Grafana
# sees its own alone.
own /tokens 0:0 1777
own /tokens-grafana 1000:1000 0755
own /textfiles 10001:10001 0755
own /certificates 0:101 0755
own /acme 0:101 0755
