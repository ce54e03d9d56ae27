#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The documentation is true: chargehand(1) has every command of the program and every
# option of each, and the site files of README and chargehand.yaml(5) are good ones.
set -eu
srcdir=${srcdir:-.}
page=$srcdir/doc/chargehand.1
CHARGEHAND_METERS=$srcdir/meters
export CHARGEHAND_METERS
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
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

# is_good NAME: the site file on the standard input
is_good() {
    sed -e "s,/etc/chargehand/keys,$dir," >"$dir/site.yaml"
    test -s "$dir/site.yaml" || fail "$1: there is no site file"
    ./chargehand check-config "$dir/site.yaml" >"$dir/out" 2>&1 || {
        cat "$dir/out" >&2
        fail "$1: its site file is not good"
    }
    grep -q '^SAFE' "$dir/out" || fail "$1: its site file is not safe"
}

for key in CP-01 CP-02 mqtt; do
    (umask 077; echo secret-secret >"$dir/$key")
done
sed -n '/^    site:$/,/^[^ ]/s/^    //p' "$srcdir/README.md" | is_good README.md
grep -q '^http:' "$dir/site.yaml" || fail "README.md: status needs http"
sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$srcdir/doc/chargehand.yaml.5" |
    sed -e '/^\./d' -e '/^A house/d' | is_good chargehand.yaml.5
exit $failed
