#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand share and bench as commands: answers, defaults, errors with their paths,
# exit codes.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# expect CODE ARGUMENT...: runs share on $dir/in.json or the arguments
expect() {
    code=$1
    shift
    ./chargehand share "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$code" ] || fail "share $*: exit code $got, not $code: $(cat "$dir/err")"
}

says() { # says FILE TEXT
    grep -qF -e "$2" "$dir/$1" || fail "no '$2' in: $(cat "$dir/$1")"
}

# gives JSON TEXT...: an answer that has all of these
gives() {
    printf '%s\n' "$1" >"$dir/in.json"
    expect 0 "$dir/in.json"
    shift
    for text in "$@"; do says out "$text"; done
}

# refuses JSON TEXT: exit code 78 and an error with this in it
refuses() {
    printf '%s\n' "$1" >"$dir/in.json"
    expect 78 "$dir/in.json"
    says err "$2"
    [ -s "$dir/out" ] && fail "an answer to $1"
}

grid='"circuits":[{"name":"grid","limit_a":32}]'
bay() { echo "{\"name\":\"$1\",\"circuit\":\"grid\",\"phases\":\"$2\",\"max_a\":32$3}"; }

expect 0 --help
says out "usage: chargehand share"
expect 64
expect 64 a b
expect 64 --nonsense
expect 74 "$dir/none.json"

# the example of the manual
gives '{"policy": "equal", "voltage_v": 230, "step_a": 0.1,
 "circuits":   [{"name": "grid", "limit_a": [63, 63, 63], "base_a": [10.0, 4.0, -2.0],
                 "power_limit_w": null},
                {"name": "garage", "parent": "grid", "limit_a": 32}],
 "connectors": [{"name": "bay1", "circuit": "garage", "phases": "231", "min_a": 6,
                 "max_a": 16, "weight": 1, "priority": 0, "charging": true,
                 "on_s": 1200, "waited_s": 0, "arrived_s": -3600, "departs_s": 7200,
                 "energy_wh": 12000}]}' \
    '{"name":"bay1","current_a":16,"reason":"max","circuit":null,"phase":null}' \
    '{"name":"grid","used_a":[26,20,14],"free_a":[37,43,49]}' \
    '{"name":"garage","used_a":[16,16,16],"free_a":[16,16,16]}'

# no minimum when none is told; a rotated phase; steps of 0.1 A
gives "{$grid,\"connectors\":[$(bay a 231),$(bay b 2),$(bay c 2)]}" \
    '"name":"a","current_a":10.7,"reason":"circuit","circuit":"grid","phase":"L2"' \
    '"current_a":10.6,"reason":"circuit"' '"used_a":[10.7,32,10.7]'
# children before parents; a power limit; whole amperes
gives "{\"step_a\":1,\"circuits\":[{\"name\":\"sub\",\"parent\":\"top\"},{\"name\":\"top\",
    \"power_limit_w\":10000}],\"connectors\":[{\"name\":\"a\",\"circuit\":\"sub\",
    \"phases\":\"123\",\"max_a\":32}]}" \
    '"current_a":14,"reason":"power","circuit":"top","phase":null' \
    '"free_a":[null,null,null],"used_w":9660,"free_w":340'
# weights, also broken ones; offsets
gives "{\"policy\":\"weighted\",$grid,\"connectors\":[$(bay a 1 ',"weight":0.5'),
    $(bay b 1 ',"weight":1.5')]}" '"name":"a","current_a":8,' '"name":"b","current_a":24,'
gives "{$grid,\"connectors\":[$(bay a 1 ',"offset_a":-4'),$(bay b 1)]}" \
    '"name":"a","current_a":14,' '"name":"b","current_a":18,'
# minimums: who has just come on is held, the other waits
gives "{$grid,\"connectors\":[$(bay a 1 ',"min_a":20'),
    $(bay b 1 ',"min_a":20,"charging":true,"on_s":60')]}" \
    '"name":"a","current_a":0,"reason":"waiting","circuit":"grid","phase":"L1"' \
    '"name":"b","current_a":32,"reason":"max"'
# modes; 9 A are exported, three for each phase
gives "{\"circuits\":[{\"name\":\"grid\",\"limit_a\":32,\"base_a\":[-3,-3,-3]}],
    \"connectors\":[$(bay a 1 ',"mode":"off"'),$(bay b 2 ',"mode":"solar"'),
    $(bay c 3 ',"mode":"minsolar","min_a":6'),$(bay d 3 ',"mode":"fast"')]}" \
    '"name":"a","current_a":0,"reason":"mode"' \
    '"name":"b","current_a":3,"reason":"solar","circuit":"grid"' \
    '"name":"c","current_a":6,' '"name":"d","current_a":29,"reason":"circuit"'
# unbalance, and unknown wiring
gives "{\"circuits\":[{\"name\":\"grid\",\"unbalance_a\":20}],
    \"connectors\":[$(bay a 2),$(bay b unknown)]}" \
    '"name":"a","current_a":20,"reason":"unbalance","circuit":"grid","phase":"L2"' \
    '"name":"b","current_a":32,'
# several problems, out of a pipe
one="{$grid,\"connectors\":[$(bay a 1)]}"
[ "$(printf '%s %s\n%s' "$one" "$one" "$one" | ./chargehand share - | wc -l)" -eq 3 ] ||
    fail "three problems"
gives "{$grid,\"connectors\":[]}" '"connectors":[]'

refuses '{"circuits": [' "in.json:1:15: this is not JSON"
refuses '[]' "in.json: not an object"
refuses "{\"connectors\":[]}" "circuits: not a list"
refuses "{$grid,\"connectors\":[3]}" "connectors[0]: not an object"
refuses "{$grid,\"connectors\":[$(bay a 1),$(bay b 124)]}" "connectors[1].phases: "
refuses "{$grid,\"connectors\":[$(bay a 11)]}" "connectors[0].phases: "
refuses "{$grid,\"connectors\":[{\"name\":\"a\",\"circuit\":\"x\"}]}" \
    "connectors[0].circuit: there is no circuit 'x'"
says err "connectors[0].phases: is missing"
says err "connectors[0].max_a: is missing"
refuses "{$grid,\"connectors\":[$(bay a 1 ',"min_a":33')]}" "connectors[0].min_a: "
refuses "{$grid,\"connectors\":[$(bay a 1 ',"min_a":"6"')]}" \
    "connectors[0].min_a: not a number"
refuses "{$grid,\"connectors\":[$(bay a 1 ',"weight":0')]}" "connectors[0].weight: "
refuses "{$grid,\"connectors\":[$(bay a 1 ',"priority":1.5')]}" "connectors[0].priority: "
refuses "{$grid,\"connectors\":[$(bay a 1 ',"mode":"x"')]}" "connectors[0].mode: "
refuses "{$grid,\"connectors\":[$(bay a 1),$(bay a 2)]}" "two with the name 'a'"
refuses "{\"policy\":\"x\",$grid,\"connectors\":[]}" "policy: there is no policy 'x'"
refuses '{"circuits":[{"name":"a","parent":"b"},{"name":"b","parent":"a"}],"connectors":[]}' \
    "circuits[0].parent: its way to the root goes in a circle"
refuses '{"circuits":[{"name":"a","limit_a":[1,2]}],"connectors":[]}' "circuits[0].limit_a: "
refuses '{"circuits":[{"name":"a","limit_a":-1}],"connectors":[]}' "circuits[0].limit_a: "

# bench: the lines that it has to print, no matter how fast the machine is
./chargehand bench --help | grep -q "usage: chargehand bench" || fail "bench --help"
./chargehand bench nonsense 2>"$dir/err"
[ $? -eq 64 ] || fail "bench nonsense"
./chargehand bench >"$dir/out" || fail "bench: exit code $?"
for n in 10 100 1000 10000; do
    grep -Eq "^\{\"bench\": \"share\", \"n\": $n, \"mean_us\": [0-9.]+, \"p99_us\": [0-9.]+\}$" \
        "$dir/out" || fail "bench share $n: $(cat "$dir/out")"
done
grep -Eq '"step", "n": 100, "mean_us": [0-9.]+, "p99_us": [0-9.]+' "$dir/out" ||
    fail "bench step: $(cat "$dir/out")"
grep -Eq '"replay", .*"ticks_per_s": [0-9]+\}$' "$dir/out" ||
    fail "bench replay: $(cat "$dir/out")"
exit $failed
