#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand meter from the outside: a simulated meter is listed, read and refused.
set -eu
srcdir=${srcdir:-.}
CHARGEHAND_METERS=$srcdir/meters
export CHARGEHAND_METERS
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null || :; rm -rf "$dir"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# expect CODE COMMAND...: its output goes to $dir/out and $dir/err
expect() {
    want=$1
    shift
    got=0
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    test "$got" = "$want" || {
        cat "$dir/out" "$dir/err" >&2
        fail "$* gives $got, not $want"
    }
}

says() {
    grep -q -- "$2" "$dir/$1" || {
        cat "$dir/$1" >&2
        fail "no \"$2\""
    }
}

mkfifo "$dir/port"
./chargehand meter simulate eastron-sdm630 --port 0 --unit 3 --current 10,4,-2 \
    >"$dir/port" &
server=$!
read -r line <"$dir/port"
port=${line##*:}

read_meter="./chargehand meter read --tcp 127.0.0.1:$port --timeout 5000"
expect 0 $read_meter --unit 3 --model eastron-sdm630
says out 'L3 *230.0 V *-2.00 A *-460 W'
says out 'total *50.00 Hz *2760 W'
expect 0 $read_meter --unit 3 --model eastron-sdm630 --json
says out '"current_a":\[10,4,-2\],"power_phase_w":\[2300,920,-460\],"power_w":2760,'
says out '"unit":3,"voltage_v":\[230,230,230\],'
expect 0 $read_meter --unit 3 --model eastron-sdm630 --json --invert --raw
says out '"current_a":\[-10,-4,2\]'
says out '"words":\[17254,0,17254,0,17254,0,16672,0,'
expect 0 $read_meter --unit 3 --model "$srcdir/meters/eastron-sdm630.yaml"
expect 1 $read_meter --unit 3 --model cg-em340
says err 'exception 2 (illegal address: wrong model?)'
expect 69 $read_meter --unit 4 --model eastron-sdm630 --timeout 100
says err 'unit 4 at 127.0.0.1:.* does not answer'
expect 69 ./chargehand meter read --tcp 127.0.0.1:1 --model cg-em340
says err 'nothing listens there'
expect 69 ./chargehand meter read --rtu /nonexistent/tty:19200:8E1 --model cg-em340
says err 'there is no such device'
expect 78 $read_meter --model dzg-dvh4013
says err '"dzg-dvh4013" has no usual unit id: one must be given'
expect 78 ./chargehand meter read --rtu /dev/null --model eastron-sdm120
says err '"eastron-sdm120" has no usual speed: --rtu DEVICE:BAUD:8N1, as it is set there'
expect 78 $read_meter --model eastron-sdm631
says err 'did you mean "eastron-sdm630"?'

expect 0 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 2-4
says out '^unit   3  eastron-sdm630  *L1 230.0 V 10.00 A  L2 '
says out '^unit   3  eastron-sdm54 ' # has the same registers
test "$(grep -vc '^unit   3  eastron-' "$dir/out")" = 0 || fail "too much was found"
expect 0 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 3 --json
says out '"model":	"eastron-sdm630"'
expect 1 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 7-8 --timeout 50
expect 69 ./chargehand meter scan --tcp 127.0.0.1:1
expect 64 ./chargehand meter scan --tcp 127.0.0.1 --units 9-3

for words in "" "--tcp 127.0.0.1:502" "--model x" "--tcp : --model x" \
    "--tcp 127.0.0.1:0 --model x" "--rtu /dev/x:9600:9N1 --model x" \
    "--rtutcp host --model x" "--unit 256 --tcp x --model x" \
    "--tcp a --rtu b --model x" "--tcp a --unit 1-2 --model x" "--tcp a --model x more" "--nonsense"; do
    # shellcheck disable=SC2086
    expect 64 ./chargehand meter read $words
done
expect 64 ./chargehand meter
expect 64 ./chargehand meter nonsense
expect 64 ./chargehand meter check
expect 64 ./chargehand meter simulate
for command in "" list read scan check simulate; do
    # shellcheck disable=SC2086
    expect 0 ./chargehand meter $command --help
    says out '^usage: chargehand meter'
done

expect 0 ./chargehand meter list
says out '^eastron-sdm630  *meter'
expect 0 ./chargehand meter list --json FRONIUS
says out '"model":	"fronius-gen24-meter"'
expect 0 ./chargehand meter list socomec-diris-b30
says out '^socomec-diris-b30  *meter .* (untested)$'
if grep -q eastron "$dir/out"; then fail "the word does not select"; fi

expect 0 ./chargehand meter check "$srcdir/meters/eastron-sdm630.yaml" \
    "$srcdir/meters/sunspec-meter.yaml" "$srcdir/meters/sunspec/203.yaml"
says out '2 of 2 tests pass'
says out 'each cycle *function 4, registers 0 to 17 (18)'
expect 0 ./chargehand meter check --json "$srcdir/meters/eastron-sdm630.yaml"
says out '"passed":	2'

sed -e 's/^id: .*/id: mine/' -e 's/i1: -16.2/i1: 16.2/' \
    "$srcdir/meters/eastron-sdm630.yaml" >"$dir/mine.yaml"
expect 1 ./chargehand meter check "$dir/mine.yaml"
says err 'mine.yaml:[0-9]*:[0-9]*: test: i gives -16.200'
sed -e 's/^id: .*/id: mine/' -e 's/max_regs/max_reg/' \
    "$srcdir/meters/eastron-sdm630.yaml" >"$dir/mine.yaml"
expect 78 ./chargehand meter check "$dir/mine.yaml" "$srcdir/meters/cg-em340.yaml"
says err 'mine.yaml:[0-9]*:10: unknown key "max_reg" in limits, did you mean "max_regs"?'
sed -e 's/^id: .*/id: mine/' -e '/^test:/,$d' \
    "$srcdir/meters/eastron-sdm630.yaml" >"$dir/mine.yaml"
expect 1 ./chargehand meter check "$dir/mine.yaml"
says err 'there is no test'

# the example of the documentation
sed -n '/^```yaml/,/^```$/{/^```/d;p;}' "$srcdir/doc/new-meter.md" >"$dir/my-meter.yaml"
expect 0 ./chargehand meter check "$dir/my-meter.yaml"
says out '1 of 1 tests pass'

kill "$server"
wait "$server" || fail "the simulated meter ended with $?"
server=
