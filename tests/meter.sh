#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand meter from the outside: a simulated meter is listed, read and refused.
set -eu
srcdir=${srcdir:-.}
CHARGEHAND_METERS=$srcdir/meters
export CHARGEHAND_METERS
dir=$(mktemp -d)
server=
reader=
trap 'test -z "$reader" || kill "$reader" 2>/dev/null || :
test -z "$server" || kill "$server" 2>/dev/null || :; rm -rf "$dir"' EXIT

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
    ! grep -n ' $' "$dir/out" "$dir/err" >&2 || fail "$*: a line ends in a blank"
}

says() {
    grep -q -- "$2" "$dir/$1" || {
        cat "$dir/$1" >&2
        fail "no \"$2\""
    }
}

# simulate WORDS...: starts a simulated meter; $port is where it answers, its other
# output goes to $dir/said, and what is written to descriptor 3 is its input
simulate() {
    rm -f "$dir/to" "$dir/from"
    mkfifo "$dir/to" "$dir/from"
    ./chargehand meter simulate "$@" <"$dir/to" >"$dir/from" &
    server=$!
    exec 3>"$dir/to" 4<"$dir/from"
    read -r line <&4
    port=${line##*[: ]}
}

# tell COMMAND: to a simulated meter, and waits until it obeys
tell() {
    echo "$1" >&3
    read -r line <&4
    test "$line" = "yes: $1" || fail "the simulated meter says $line"
}

end_simulation() {
    kill "$server"
    wait "$server" || fail "the simulated meter ended with $?"
    server=
    exec 3>&- 4<&-
}

# start COMMAND...: runs it beside us; $line is the first that it says
start() {
    rm -f "$dir/said"
    mkfifo "$dir/said"
    "$@" >"$dir/said" 2>"$dir/err" &
    reader=$!
    exec 5<"$dir/said"
    read -r line <&5
}

# end SIGNAL: interrupts it, which is no failure
end() {
    kill "-$1" "$reader"
    cat <&5 >/dev/null
    wait "$reader" || fail "interrupted, it ended with $?"
    reader=
    exec 5<&-
}

simulate eastron-sdm630 --port 0 --unit 3 --current 10,4,-2
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
expect 0 $read_meter --unit 3 --model eastron-sdm630 --ct 10/5 --max-regs 2 --json
says out '"current_a":\[20,8,-4\],"power_phase_w":\[4600,1840,-920\]'
expect 1 $read_meter --unit 3 --model eastron-sdm630 --word-order ws
says err 'With word_order: be'
expect 64 $read_meter --unit 3 --model eastron-sdm630 --word-order eb
expect 64 $read_meter --unit 3 --model eastron-sdm630 --ct 5/0
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
says out '^unit   3  eastron-sdm54  *L1 230.0 V 10.00 A  L2 '
says out '^          the same registers: eastron-sdm630, '
test "$(grep -c ^unit "$dir/out")" = 1 || fail "too much was found"
test ! -s "$dir/err" || fail "progress without a terminal"
expect 0 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 3 --json
says out '"model":	"eastron-sdm630"'
expect 1 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 3 --model cg-em340
says out '^unit   3  answers, but is none of the known models$'
expect 1 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 7-8 --timeout 50
expect 1 ./chargehand meter scan --rtutcp "127.0.0.1:$port" --units 3
says err 'unit 3 speaks the other framing: scan --tcp instead of --rtutcp'
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
for command in "" list read scan trace check simulate; do
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

expect 0 ./chargehand meter list inverter sunspec
says out '^solaredge-inverter'
if grep -q '^sunspec-meter' "$dir/out"; then fail "that is no inverter"; fi
expect 1 ./chargehand meter list fronius eastron
says err 'there is no such model'
expect 1 ./chargehand meter list --json nonsense
expect 64 ./chargehand meter list --nonsense

expect 0 ./chargehand meter check "$srcdir/meters/eastron-sdm630.yaml" \
    "$srcdir/meters/sunspec-meter.yaml" "$srcdir/meters/sunspec/203.yaml"
says out '2 of 2 tests pass'
says out 'each cycle *function 4, registers 0 to 17 (18), [0-9]* ms$'
says out '^  on a serial line 9600 8N1: about [0-9]* ms a cycle, [0-9]* ms with all the rest$'
expect 0 ./chargehand meter check --json "$srcdir/meters/eastron-sdm630.yaml"
says out '"passed":	2'

sed -e 's/^id: .*/id: mine/' -e 's/i1: -16.2/i1: 16.2/' \
    "$srcdir/meters/eastron-sdm630.yaml" >"$dir/mine.yaml"
expect 1 ./chargehand meter check "$dir/mine.yaml"
says err 'mine.yaml:[0-9]*:[0-9]*: test: i1 gives -16.200'
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
says out 'each cycle *function 4, registers 12 to 23 (12)'
sed -n '/^    format: 1$/,/^$/s/^    //p' "$srcdir/doc/new-meter.md" >"$dir/my-inverter-meter.yaml"
expect 1 ./chargehand meter check "$dir/my-inverter-meter.yaml" # its test is left to you
says err 'there is no test'
says out 'for SunSpec model 203 213, number 1'

end_simulation

simulate "$dir/my-meter.yaml" --port 0 --current 16,-9.75,0
expect 0 ./chargehand meter read --tcp "127.0.0.1:$port" --model "$dir/my-meter.yaml"
says out 'L1 *230.0 V *16.00 A *3680 W'
says out 'L2 *230.0 V *-9.75 A *-2243 W'
end_simulation

# a loads recording for two units on a pseudo terminal, and faults that come and go
cat >"$dir/loads.csv" <<'END'
time,circuit,l1_a,l2_a,l3_a
2026-01-01T00:00:00Z,1,1,2,3
2026-01-01T00:00:00Z,2,16,0,-5.5
END
simulate eastron-sdm630 --pty --unit 1-2 --loads "$dir/loads.csv" --voltage 231,232,233 \
    --baud 19200 --control
# a running controller holds the port: here, another reader
start ./chargehand meter read --rtu "$port:9600:8N1" --model eastron-sdm630 --unit 1 --watch
for command in read trace scan; do
    expect 69 ./chargehand meter $command --rtu "$port:9600:8N1" --model eastron-sdm630
    says err "$port: chargehand uses it (process $reader), most likely the running"
done
end TERM
read_meter="./chargehand meter read --rtu $port:9600:8N1 --model eastron-sdm630"
expect 0 $read_meter --unit 1
says out 'L2 *232.0 V *2.00 A *464 W'
expect 0 $read_meter --unit 2
says out 'L3 *233.0 V *-5.50 A'
expect 0 ./chargehand meter scan --rtu "$port" --serial "19200 8E1,9600 8N1" --units 2
says out "^$port 19200 8E1:$"
says out '^unit   2  eastron-sdm54  *L1 231.0 V 16.00 A'
expect 64 ./chargehand meter scan --rtu "$port" --serial "19200 9E1" --units 2
says err "'19200 9E1' is not"
tell 'fault silent'
expect 1 ./chargehand meter scan --rtu "$port" --units 2 --timeout 50
says out "^nothing found on $port .*, nor at other speeds$"
# interrupted when it has something to tell
tell clear
start ./chargehand meter scan --rtu "$port:9600" --units 2-200
case $line in "unit   2  eastron-sdm54 "*) ;; *) fail "it says $line" ;; esac
end INT
says err '^interrupted at unit '
tell 'fault exception=6'
expect 69 $read_meter --unit 2
says err 'exception 6 (busy)'
tell clear
tell 'current 1,1,1'
expect 0 $read_meter --unit 2
says out 'L3 *233.0 V *1.00 A'
echo nonsense >&3
read -r line <&4
test "$line" = "no: commands are: current A,A,A; fault ...; clear" || fail "$line"
end_simulation

# what moves is not taken for frozen
simulate eastron-sdm630 --tcp 0 --current 5,5,5 --noise 3
start ./chargehand meter read --tcp "127.0.0.1:$port" --model eastron-sdm630 --watch --json
was=$line
while test "$(echo "$line" | grep -o '"current_a":[^]]*')" = \
    "$(echo "$was" | grep -o '"current_a":[^]]*')"; do
    read -r line <&5 || fail "it has ended"
done
end TERM
case $line in *'"current_a":['[5-8]*,[5-8]*,[5-8]*']'*) ;; *) fail "it says $line" ;; esac
end_simulation

simulate fronius-gen24-meter --rtutcp 0 --loads "$dir/loads.csv" --circuit 2 \
    --fault bytes --fault max-regs=30
expect 0 ./chargehand meter scan --rtutcp "127.0.0.1:$port" --units 1
says out '^unit   1  fronius-gen24-meter'
expect 0 ./chargehand meter read --rtutcp "127.0.0.1:$port" --model fronius-gen24-meter
says out 'L1 *230.0 V *16.00 A'
end_simulation

# what an installer reads out on the phone
trace="./chargehand meter trace --model eastron-sdm630 --timeout 300"
simulate eastron-sdm630 --rtutcp 0 --unit 3 --control
expect 0 $trace --rtutcp "127.0.0.1:$port" --unit 3
says out '^ *[0-9.]* sent    03 04 00 00 00 12 71 e5'
says out '^ *unit 3, function 4: read 18 input registers from 0$'
says out '^ *[0-9.]* came    03 04 24 43 66 00 00 '
says out '^ *after [0-9]* ms: as it should be$'
says out '^Result: a plausible reading$'
says out '^  i3 *4/10 *f32 4000 0000 2 -> 2 A$'
expect 0 $trace --rtutcp "127.0.0.1:$port" --unit 3 --json
says out '{"t_s":[0-9.]*,"what":"sent","bytes":"03 04 00 00 00 12 71 e5"}'
expect 69 $trace --rtutcp "127.0.0.1:$port" --unit 4
says out 'nothing came within [0-9]* ms'
says out "^Result: unit 4 at 127.0.0.1:$port does not answer"
for case in 'crc|check sum .. .., it should be .. ..: noise, another speed' \
    'unit|from unit 4, asked was 3' 'exception=11|exception 11: gateway: the unit' \
    'echo|the request itself comes back' 'twice|ends after 41 bytes, then come others' \
    'late=900|after [0-9]* ms (too late, the time-out is shorter)'; do
    tell "fault ${case%%|*}"
    $trace --rtutcp "127.0.0.1:$port" --unit 3 >"$dir/out" 2>&1 || :
    says out "${case#*|}"
    tell clear
done
tell 'fault bytes'
expect 0 $trace --rtutcp "127.0.0.1:$port" --unit 3
says out 'came    03$'
tell clear
expect 69 $trace --tcp "127.0.0.1:$port" --unit 3
says out 'nothing came'
end_simulation
simulate eastron-sdm630 --tcp 0 --control
tell 'fault id'
expect 69 $trace --tcp "127.0.0.1:$port" --unit 3
says out 'transaction [0-9]*, asked was [0-9]* (a late answer?)'
tell 'fault hang-up'
expect 69 $trace --tcp "127.0.0.1:$port" --unit 3
says out 'the device has closed the connection'
if grep -q 'What the registers mean' "$dir/out"; then fail "none came"; fi
end_simulation
expect 69 $trace --tcp 127.0.0.1:1
says err '127.0.0.1:1: nothing listens there'
simulate fronius-gen24-meter --pty
expect 0 $trace --rtu "$port:9600:8N1" --model fronius-gen24-meter
says out 'read 2 holding registers from 40000$'
says out '^  v1 *3/[0-9]* .* -> 230 V$'
end_simulation

# each model is found again by its registers; METER_MODELS=all: every one, a minute
models=${METER_MODELS:-abb-b23 solaredge-meter2 sunspec-battery}
test "$models" != all || models=$(./chargehand meter list | cut -d ' ' -f 1)
for model in $models; do
    simulate "$model" --tcp 0 --current 10,-4,3
    expect 0 ./chargehand meter scan --tcp "127.0.0.1:$port" --units 1 --json
    says out "\"model\":	\"$model\""
    end_simulation
done

sed 's/,2,16/,heat pump,16/' "$dir/loads.csv" >"$dir/named.csv"
for words in "nonsense" "eastron-sdm630 --tcp 70000" "eastron-sdm630 --tcp x:5020" \
    "eastron-sdm630 --rtu /nonexistent/tty"; do
    # shellcheck disable=SC2086
    if ./chargehand meter simulate $words >/dev/null 2>&1; then fail "good: $words"; fi
done
expect 78 ./chargehand meter simulate eastron-sdm630 --loads "$dir/named.csv"
says err 'choose a --circuit of .*: 1, heat pump$'
expect 78 ./chargehand meter simulate eastron-sdm630 --loads "$dir/named.csv" --circuit x
says err "has no circuit 'x', but 1, heat pump"
simulate eastron-sdm630 --tcp 0
expect 69 ./chargehand meter simulate eastron-sdm630 --tcp "$port"
says err "cannot listen on 127.0.0.1:$port: Address already in use$"
end_simulation
expect 64 ./chargehand meter simulate eastron-sdm630 --fault frozen=3
says err 'frozen takes no number'
expect 64 ./chargehand meter simulate eastron-sdm630 --unit 3-2
expect 64 ./chargehand meter simulate eastron-sdm630 --fault crc
says err "the fault 'crc' needs serial frames"
expect 64 ./chargehand meter simulate eastron-sdm630 --fault id --rtutcp 0
says err "the fault 'id' needs Modbus TCP"
expect 64 ./chargehand meter simulate eastron-sdm630 --pty --fault refuse
says err "the fault 'refuse' needs TCP connections"
