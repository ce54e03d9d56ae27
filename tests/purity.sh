#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The core is pure: its library calls nothing but the few functions below, keeps no
# writable data, and its files include nothing but their own headers and these.
set -u

lib=${1:-libcore.a}
calls='memcpy|memmove|memset|memcmp|strcmp|strncmp|strlen|__stack_chk_fail'
# position-independent code, and what compilers and sanitizers put in by themselves
calls="$calls|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer|msan|lsan|gcov|llvm_gcov|llvm_profile)_.*"
headers='stdbool.h|stddef.h|stdint.h|string.h|limits.h'
bad=0

[ -f "$lib" ] || { echo "$lib is not there"; exit 99; }
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# what the objects of the library define for each other is no call to the outside
${NM:-nm} -P "$lib" >"$work/nm" || exit 99
awk 'NF > 1 && $2 != "U" && $2 != "w" { print $1 }' "$work/nm" | sort -u >"$work/own"
awk '$2 == "U" || $2 == "w" { print $1 }' "$work/nm" | sort -u >"$work/wanted"
[ -s "$work/own" ] || { echo "$lib defines nothing"; exit 99; }
for s in $(comm -23 "$work/wanted" "$work/own" | grep -vxE "$calls"); do
    echo "the core calls $s(), which is not on the list:"
    ${NM:-nm} -A -u "$lib" | grep -w "$s"
    bad=1
done

# sanitizers add data of their own
if [ -z "${SANITIZED:-}" ]; then
    awk '$2 ~ /^[bBC]$/ { print $1 }' "$work/nm" >"$work/state"
    # .data without .data.rel.ro: constant tables with addresses in them are no state
    ${OBJDUMP:-objdump} -t "$lib" |
        awk 'NF > 4 && $(NF - 2) == ".data" && $2 != "d" && $3 != "d" { print $NF }' >>"$work/state"
    if [ -s "$work/state" ]; then
        echo "the core has writable data:"
        cat "$work/state"
        bad=1
    fi
fi

top=${srcdir:-.}
find "$top/src/core" "$top/algorithms" -name '*.[ch]' >"$work/files"
[ -s "$work/files" ] || { echo "no sources below $top"; exit 99; }
while read -r f; do
    sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*([<"][^>"]*[>"]).*/\1/p' "$f" |
        while read -r inc; do
            name=$(echo "$inc" | tr -d '<>"')
            case $inc in
            '<'*) echo "$name" | grep -qxE "$headers" && continue ;;
            *)
                [ -e "$top/src/core/$name" ] && continue
                [ -e "$top/algorithms/$name" ] && continue
                ;;
            esac
            echo "$f includes $inc, which is not for the core"
        done
done <"$work/files" >"$work/includes"
if [ -s "$work/includes" ]; then
    cat "$work/includes"
    bad=1
fi

[ $bad = 0 ] && echo "pure: $(wc -l <"$work/files") files," \
    "$(wc -l <"$work/own") symbols, no call to the outside but" \
    "$(comm -23 "$work/wanted" "$work/own" | tr '\n' ' ')"
exit $bad
