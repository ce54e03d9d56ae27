#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand run from the outside: its start, its signals, its end.
set -eu
srcdir=${srcdir:-.}
CHARGEHAND_METERS=$srcdir/meters
export CHARGEHAND_METERS
dir=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill -9 "$pid" 2>/dev/null || :; rm -rf "$dir"' EXIT

fail() {
    echo "FAIL: $*" >&2
    cat "$dir/log" >&2
    exit 1
}

# write_site [LINE...]: one charger and these lines
write_site() {
    {
        echo 'circuits:'
        echo '- {name: grid, limit: 16}'
        echo 'chargers:'
        echo '- id: CP-01'
        echo 'ocpp: {listen: "127.0.0.1:0"}'
        echo "history: {folder: $dir/history}"
        for line; do echo "$line"; done
    } >"$dir/site.yaml"
}

# Its log comes through pipes: waiting for a line costs nothing, and has an end.
start() {
    rm -f "$dir/says" "$dir/heard"
    mkfifo "$dir/says" "$dir/heard"
    : >"$dir/log"
    ./chargehand run -c "$dir/site.yaml" 2>"$dir/says" &
    pid=$!
    timeout 100 cat "$dir/says" >"$dir/heard" &
    exec 3<"$dir/heard"
}

# waits_for TEXT: reads the log up to the line that has it
waits_for() {
    while read -r line <&3; do
        echo "$line" >>"$dir/log"
        case $line in
            *"$1"*) return ;;
        esac
    done
    fail "no '$1'"
}

# ends CODE: it ends by itself, with this exit code
ends() {
    got=0
    cat <&3 >>"$dir/log" # up to its end, or until that has taken too long
    kill -9 "$pid" 2>/dev/null || :
    wait "$pid" || got=$?
    pid=
    test "$got" = "$1" || fail "exit code $got, not $1"
}

# told TEXT TIMES: so often in the log
told() {
    got=$(grep -c -F -e "$1" "$dir/log") || :
    test "$got" = "$2" || fail "'$1' stands there $got times, not $2"
}

# ---- a reload takes all of the file or nothing, and says which
write_site
start
waits_for ' start '
write_site 'meters:' '- {name: m, model: eastron-sdm360, tcp: "127.0.0.1:1"}' 'x: 1'
kill -HUP "$pid"
waits_for 'the configuration in use stays'
told 'error: '"$dir"'/site.yaml:8:20: model: there is no meter model "eastron-sdm360"' 1
told 'error: '"$dir""/site.yaml:9:1: unknown key 'x'" 1
told "warning: $dir/site.yaml:8:3: meter 'm' is not the meter of any circuit" 1
write_site 'site: {voltage: 240}'
kill -HUP "$pid"
waits_for 'read again and in use'

# ---- it is not hurt by reloads while it ends
kill -TERM "$pid"
waits_for 'set points end with their lease'
n=0
while test $n -lt 10000 && kill -HUP "$pid" 2>/dev/null; do n=$((n + 1)); done &
ends 0

# ---- with meters only nobody listens for chargers: the first one needs a restart
cp "$dir/site.yaml" "$dir/with.yaml"
echo 'circuits: [{name: grid, limit: 16}]' >"$dir/site.yaml"
start
waits_for ' start '
echo 'circuits: [{name: grid, limit: 20}]' >"$dir/site.yaml"
kill -HUP "$pid"
waits_for 'read again and in use'
sed '/^ocpp/d; /^history/d' "$dir/with.yaml" >"$dir/site.yaml"
kill -HUP "$pid"
waits_for 'ocpp.listen has changed, which needs a restart'
kill -TERM "$pid"
waits_for 'set points end with their lease'
ends 0

# ---- what is wrong in the file stops the start
write_site 'x: 1'
start
ends 78
told "$dir/site.yaml:7:1: unknown key 'x'" 1

# ---- after one that was here before, however long ago its history says, a charger that
# has not been heard yet may still draw all it can; at the very first start it cannot
exposure() {
    port=$(sed -n 's,.*http://127.0.0.1:\([0-9]*\)/.*,\1,p' "$dir/log")
    first=
    while :; do # until it has had its first ticks
        ./chargehand status --json --http "127.0.0.1:$port" >"$dir/state" ||
            fail "no state"
        now=$(sed -n 's/.*"time_s":\([0-9]*\).*/\1/p' "$dir/state")
        first=${first:-${now:?}}
        test "$now" -lt $((first + 2)) || break
    done
    sed -n 's/.*"exposure_a":\([0-9.]*\).*/\1/p' "$dir/state" | head -n 1
}
rm -rf "$dir/history"
write_site 'http: {listen: "127.0.0.1:0"}'
for want in 0 16; do
    start
    waits_for '/api/v1/state'
    got=$(exposure)
    test "$got" = "$want" || fail "exposure $got A, not $want"
    kill -TERM "$pid"
    waits_for 'set points end with their lease'
    ends 0
    touch -d '2 days ago' "$dir"/history/*
done
