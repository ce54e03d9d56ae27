#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand replay as a command: options, exit codes, JSON, report, journal.
srcdir=${srcdir:-.}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
site=$srcdir/data/sites/apartment.yaml
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# expect CODE ARGUMENT...: runs replay, output in $dir/out and $dir/err
expect() {
    code=$1
    shift
    ./chargehand replay "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$code" ] || fail "replay $*: exit code $got, not $code"
}

says() { # says FILE TEXT
    grep -qF -e "$2" "$dir/$1" || fail "no '$2' in: $(cat "$dir/$1")"
}

cat >"$dir/s.csv" <<END
connector,arrival,departure,energy_kwh,max_current_a,phases
CP-01,2026-01-12T17:00:00Z,2026-01-12T20:00:00Z,5,16,3
CP-02,2026-01-12T17:10:00Z,2026-01-12T20:00:00Z,30,16,1
END
cat >"$dir/l.csv" <<END
time,circuit,l1_a,l2_a,l3_a
2026-01-12T17:00:00Z,grid,10,12,14
2026-01-12T18:00:00Z,grid,30,42,34
END

expect 0 --help
says out "99.9 %"
expect 64
expect 64 -c "$site"
expect 64 -c "$site" --sessions "$dir/s.csv" --plant other
expect 64 -c "$site" --sessions "$dir/s.csv" --policy nonsense
says err "there are: equal"
expect 64 -c "$site" --sessions "$dir/s.csv" --compare equal,equal --journal "$dir/j"
expect 74 -c "$site" --sessions "$dir/none.csv"
says err "none.csv"
expect 78 -c "$dir/none.yaml" --sessions "$dir/s.csv"
expect 78 -c "$srcdir/data/sites/home.yaml" --sessions "$dir/s.csv"
says err "s.csv:2: connector 'CP-01' is not in the site file"
expect 78 -c "$site" --sessions "$dir/s.csv" --set site.nonsense=1

expect 0 -c "$site" --sessions "$dir/s.csv" --loads "$dir/l.csv" --json \
    --report "$dir/r.html" --journal "$dir/j"
for key in policy sessions simulated_s wall_s ticks energy_requested_kwh \
    energy_delivered_kwh delivered_pct sessions_complete_pct peak_kw \
    starts_per_session setpoints_sent jain over_limit_s over_limit_by_control_s \
    worst_over_limit_a; do
    says out "\"$key\":"
done
says out '"energy_requested_kwh":	35,'
says out '"sessions_complete_pct":	50,' # 16 A on one phase do not make 30 kWh
says out '"over_limit_by_control_s":	0,'
grep -q '</svg>' "$dir/r.html" || fail "the report has no drawing"
grep -q '</html>' "$dir/r.html" || fail "the report has no end"
grep -qi '<script' "$dir/r.html" && fail "the report has a script"
head -n 1 "$dir/j" | grep -q '^chargehand-journal' || fail "the journal has no head"
cp "$dir/j" "$dir/first"
expect 0 -c "$site" --sessions "$dir/s.csv" --loads "$dir/l.csv" --journal "$dir/j"
cmp "$dir/first" "$dir/j" || fail "the same run gives another journal"

expect 0 -c "$site" --sessions "$dir/s.csv" --compare equal,equal --json
says out '"runs":'
expect 0 -c "$site" --sessions "$dir/s.csv" --power-limit-kw 5 --plant ideal --json
grep -Eq '"peak_kw":	(4\.[0-9]+|5),' "$dir/out" || fail "peak: $(cat "$dir/out")"
expect 0 --generate apartment "$dir"
cmp "$dir/loads.csv" "$srcdir/data/apartment-week/loads.csv" || fail "another week"
expect 64 --generate nonsense "$dir"
expect 74 --generate apartment "$dir/none"
exit $failed
