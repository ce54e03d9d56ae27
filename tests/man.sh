#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chargehand(1) has every command of the program, and every option of each.
set -eu
srcdir=${srcdir:-.}
page=$srcdir/doc/chargehand.1
failed=0

fail() {
    echo "FAIL: $*" >&2
    failed=1
}

commands() { # of a usage: the first words of its indented lines
    sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

# has SECTION WORDS...: checks the options that `chargehand WORDS --help` tells
has() {
    section=$1
    shift
    text=$(sed -n "/^\.Ss $section\$/,/^\.S[sh] /p; /^\.Ss $section /,/^\.S[sh] /p" "$page")
    test -n "$text" || fail "there is no section on $section"
    for option in $(./chargehand "$@" --help | grep -o -e '--[a-z][a-z-]*' | sort -u); do
        test "$option" = --help || echo "$text" | grep -q -e "Fl $option" \
            -e "Fl ${option#-}\( \|\$\)" -e ", ${option#-}\( \|\$\)" ||
            fail "$section: nothing on $option"
    done
}

n=0
for command in $(./chargehand --help | commands); do
    n=$((n + 1))
    grep -q "^\.It Cm $command\$" "$page" || fail "$command is not in the list"
    if test "$command" = meter; then
        for sub in $(./chargehand meter --help | commands); do
            has "meter $sub" meter "$sub"
        done
    else
        has "$command" "$command"
    fi
done
test $n -ge 7 || fail "only $n commands in --help"
exit $failed
