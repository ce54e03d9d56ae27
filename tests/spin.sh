#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The model of the grant protocol (grant.pml): every state of it keeps the promise, and
# with any of its rules left out, one does not.
set -u

model=$(cd "${srcdir:-.}/tests" && pwd)/grant.pml
depth=6000000 memory=1000 # steps, MB
bad=0

command -v spin >/dev/null || { echo "spin is not there: it is in the package spin"; exit 99; }
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99

# Looks at all states of the model with these -D options; the outcome is in ./out.
explore() {
    spin -a "$@" "$model" >spin.log 2>&1 &&
        ${CC:-cc} -w -O2 -DSAFETY -DNOREDUCE -DNOBOUNDCHECK -DNOFAIR -DMEMLIM=$memory \
            -o pan pan.c ||
        { cat spin.log; echo "the model does not compile: $*"; exit 99; }
    ./pan -w22 -m$depth >out 2>&1
}

# All of it was seen, each line of it was of use, and nothing was wrong.
holds() {
    explore "$@"
    if grep -q 'errors: 0' out && ! grep -qE 'too small|not completed|out of memory' out &&
        grep -q '(1 of [0-9]* states)' out; then
        echo "holds in $(awk '/states, stored/ { print $1 }' out) states: $*"
    else
        cat out
        echo "does not hold, or was not looked through: $*"
        bad=1
    fi
}

fails() {
    explore "$@"
    if grep -q 'assertion violated' out; then
        echo "fails, as it should: $*"
    else
        cat out
        echo "holds without that rule: $*"
        bad=1
    fi
}

# A sanitizer has nothing to look at here: the quickest one is enough then.
if [ -n "${SANITIZED:-}" ]; then
    fails -DFALLBACK=0 -DBREAK_RESTART
    exit $bad
fi

holds -DFALLBACK=1             # profiles survive a restart
holds -DFALLBACK=0 -DSECOND=1  # they may be lost; orders overtake each other
holds -DFALLBACK=0 -DSETTLE=2  # set points change while others settle

fails -DFALLBACK=0 -DBREAK_DECREASE_FIRST # a raise before its decrease is confirmed
fails -DFALLBACK=0 -DBREAK_FLIGHT         # what is under way does not count
fails -DFALLBACK=0 -DBREAK_SETTLE         # confirmed is as good as followed
fails -DFALLBACK=0 -DBREAK_SETTLE_AGAIN -DSETTLE=2 # only the first and last set point count
fails -DFALLBACK=0 -DBREAK_SAMPLE         # a car that draws little has followed
fails -DFALLBACK=0 -DBREAK_LINK           # a lost charger's reservation is dropped at once
fails -DFALLBACK=0 -DBREAK_LEASE_END      # leases end on the second
fails -DFALLBACK=0 -DBREAK_RESTART        # nothing was granted before a start
fails -DFALLBACK=0 -DBREAK_RETELL         # what may hold is told again, whatever others do
fails -DFALLBACK=1 -DBREAK_LAPSE          # a lease that is not renewed is for ever
fails -DFALLBACK=1 -DBREAK_DOUBT          # an order is followed though the last was not
fails -DFALLBACK=1 -DBREAK_LOW_LEASE      # all leases are of the same length
exit $bad
