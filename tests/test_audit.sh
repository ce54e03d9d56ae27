#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand audit as a command: days of a replay, the journal of the demo over a reload
# and a restart, damage, exit codes.
srcdir=${srcdir:-.}
dir=$(mktemp -d) || exit 99
controller=
trap 'test -z "$controller" || kill "$controller"; rm -rf "$dir"' EXIT
site=$srcdir/data/sites/apartment.yaml
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# expect CODE ARGUMENT...: runs an audit, output in $dir/out and $dir/err
expect() {
    code=$1
    shift
    ./chargehand audit "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$code" ] || fail "audit $*: exit code $got, not $code: $(cat "$dir/out" "$dir/err")"
}

says() { # says FILE TEXT
    grep -qF -e "$2" "$dir/$1" || fail "no '$2' in: $(cat "$dir/$1")"
}

expect 0 --help
says out "JOURNAL..."
expect 64
expect 64 --nonsense "$dir/j"
expect 74 "$dir/none"
says err "none"
expect 1 "$site"
says out "this is no journal"

# three days of the example week
week=$srcdir/data/apartment-week
awk -F, 'NR == 1 || $3 < "2026-01-15"' "$week/sessions.csv" >"$dir/sessions.csv"
awk -F, 'NR == 1 || $1 < "2026-01-15"' "$week/loads.csv" >"$dir/loads.csv"
./chargehand replay -c "$site" --sessions "$dir/sessions.csv" --loads "$dir/loads.csv" \
    --journal "$dir/j" >/dev/null || fail "no replay"
expect 0 --json "$dir/j"
for text in '"good":	true' '"skipped":	0' '"differences":	0' '"safety_breaches":	0' \
    '"damaged":	0' '"findings":	[]'; do
    says out "$text"
done
grep -q '"events":	[0-9]\{6\}' "$dir/out" || fail "few events: $(cat "$dir/out")"

# what the command line changes is in the journal, too
./chargehand replay -c "$site" --sessions "$dir/sessions.csv" --power-limit-kw 5 \
    --journal "$dir/k" >/dev/null || fail "no replay with another limit"
expect 0 "$dir/k"

# damage: a digit in the middle, a line that is missing, a torn end
head -n 3000 "$dir/j" >"$dir/good"
sed '2000s/tick\|meter/tock/' "$dir/good" >"$dir/bad"
expect 1 "$dir/bad"
says out "/bad:2000: damage: "
sed 2000d "$dir/good" >"$dir/bad"
expect 1 "$dir/bad"
says out "/bad:2000: damage: "
head -c 100000 "$dir/good" >"$dir/torn"
expect 0 "$dir/torn"
says out "torn"

# the demo's own journal, then the same controller started again, with a reload
./chargehand demo --for 8 --dir "$dir/d" --json >"$dir/demo.json" 2>&1
for text in '"calls_faulty":	0,' '"own_faulty":	0,'; do
    grep -qF "$text" "$dir/demo.json" || fail "the demo: no $text: $(cat "$dir/demo.json")"
done
[ "$(sed -n '/"versions"/,/}/p' "$dir/demo.json" | grep -c '":	[1-9]')" -ge 2 ] ||
    fail "the demo does not mix versions: $(cat "$dir/demo.json")"
j=$dir/d/journal
expect 0 --json "$j"
says out '"differences":	0'
says out '"safety_breaches":	0'
says out '"parts":	1'
grep -q '"orders":	[0-9]\{2\}' "$dir/out" || fail "few orders: $(cat "$dir/out")"
for secret in "$dir"/d/keys/*; do
    grep -qF -f "$secret" "$j" && fail "a password is in the journal"
done

wait_for() { # wait_for N TEXT: until it is N times in the journal, or a minute is over
    timeout 60 sh -c "until [ \$(grep -c '$2' '$j') -ge $1 ]; do :; done" ||
        fail "no '$2' in the journal"
}

./chargehand run -c "$dir/d/site.yaml" >"$dir/run.log" 2>&1 &
controller=$!
wait_for 2 'begun start'
kill -HUP $controller
wait_for 1 'begun reload'
expect 0 "$j" # while it is written
kill $controller
wait $controller || fail "the controller: $(cat "$dir/run.log")"
controller=
expect 0 --json "$j"
says out '"parts":	3'
says out '"skipped":	0'
exit $failed
