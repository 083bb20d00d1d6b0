#!/bin/sh
# The bucket and the two tokens that the stack needs: Twinning writes and reads, Grafana reads. Safe at every start.
# InfluxDB keeps digests of tokens only and shows one once: a token whose file is lost, or that is refused, is made anew.
# Used in two ways: by itself beside a running server, or as a script of the image's first start.
set -eu
umask 022

organisation=${INFLUXDB_ORGANISATION:-${DOCKER_INFLUXDB_INIT_ORG:-twinning}}
user=${INFLUXDB_USER:-${DOCKER_INFLUXDB_INIT_USERNAME:-twinning}}
bucket=${INFLUXDB_BUCKET:-twinning}
# The server's own choice of 7 days would cut five years into 260 shards.
shard_group=2184h0m0s
tokens=${TOKENS_DIRECTORY:-/tokens}
host=${INFLUX_HOST:-http://influxdb:8086}
# What these say would win over the files of this script.
unset INFLUX_TOKEN INFLUX_ACTIVE_CONFIG INFLUX_ORG INFLUX_ORG_ID INFLUX_OUTPUT_JSON INFLUX_HIDE_HEADERS INFLUX_BUCKET_NAME || true

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tab=$(printf '\t')

# The client reads its token from a file: a command line and an environment can be looked at.
configuration() { # configuration TOKEN
    printf '[twinning]\n  url = "%s"\n  token = "%s"\n  org = "%s"\n  active = true\n' "$host" "$1" "$organisation"
}

(umask 077 && configuration "$(cat "${SECRETS_DIRECTORY:-/run/secrets}/influxdb_admin_token")" >"$work/admin")

as() { # as CONFIGURATION COMMAND…
    allowed=$1 && shift
    INFLUX_CONFIGS_PATH=$work/$allowed INFLUX_HOST=$host influx "$@"
}

bucket_column() { # bucket_column CONFIGURATION COLUMN: 1 id, 3 retention, 4 length of a shard group; empty without the bucket
    as "$1" bucket list --org "$organisation" --hide-headers >"$work/buckets" || return 1
    awk -F "$tab+" -v name="$bucket" -v column="$2" '
        { for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }
        $2 == name { print $column; exit }' "$work/buckets"
}

id=$(bucket_column admin 1)
if [ -z "$id" ]; then
    as admin bucket create --org "$organisation" --name "$bucket" \
        --description "Series of Twinning; made anew from Postgres at any time" >/dev/null
    id=$(bucket_column admin 1)
    echo "influxdb: bucket $bucket is made"
fi
if [ "$(bucket_column admin 3) $(bucket_column admin 4)" != "infinite $shard_group" ]; then
    # Both at once, and never at the making: where one is left out, or 0 at the making, the client says 30 days.
    as admin bucket update --id "$id" --retention 0 --shard-group-duration "$shard_group" >/dev/null
    echo "influxdb: bucket $bucket keeps everything, in shard groups of 91 days"
fi

is_good() { # is_good FILE: the token in it is let in, and sees the bucket
    [ -s "$1" ] || return 1
    (umask 077 && configuration "$(cat "$1")" >"$work/tried")
    [ "$(bucket_column tried 1 2>/dev/null)" = "$id" ]
}

give() { # give FILE DESCRIPTION PERMISSION…
    file=$1 && description=$2 && shift 2
    if is_good "$file"; then
        return 0
    fi
    as admin auth list --org "$organisation" --hide-headers >"$work/auths"
    awk -F "$tab+" -v wanted="$description" '
        { for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i) }
        $2 == wanted { print $1 }' "$work/auths" >"$work/old"
    (
        umask 077
        as admin auth create --org "$organisation" --user "$user" --description "$description" "$@" --json >"$work/made"
    )
    token=$(sed -n 's/^[[:space:]]*"token":[[:space:]]*"\([^"]*\)".*$/\1/p' "$work/made")
    rm -f "$work/made"
    if [ -z "$token" ]; then
        echo "influxdb: the server made no token for $description" >&2
        return 1
    fi
    (umask 077 && printf '%s' "$token" >"$file.new")
    chmod 0444 "$file.new"
    mv -f "$file.new" "$file"
    # Those before it are known to nobody any more.
    while read -r old; do
        as admin auth delete --id "$old" >/dev/null
    done <"$work/old"
    echo "influxdb: $file holds a new token"
}

give "$tokens/influxdb_twinning" "twinning: writes and reads $bucket" --read-bucket "$id" --write-bucket "$id"
give "${GRAFANA_TOKENS_DIRECTORY:-/tokens-grafana}/influxdb_grafana" "grafana: reads $bucket" --read-bucket "$id"
echo "influxdb: bucket and tokens are there"
