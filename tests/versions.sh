#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No version of OCPP has a name outside of src/proto: not in code, not in comments, not
# in file names. Who must choose one takes it from the table in proto/ocpp_schema.h.
set -u

top=${srcdir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# 1.6, 2.0.1, 2.1 and their like, not as a part of other numbers; ocpp16, ocpp2.0.1,
# OCPP_201, 16J, v201
version='(^|[^0-9.])(1\.6J?|2\.0\.1|2\.1|2\.x)($|[^0-9.a-zA-Z]|\.($|[^0-9]))'
version="$version|[oO][cC][pP][pP][-_ ]?J?[-_ ]?(1[._]?[56]|2[._]?[01])|(^|[^0-9a-zA-Z])(16J|[vV](16|20|21|201))($|[^0-9a-zA-Z])"

find "$top/src" "$top/algorithms" -name proto -prune -o -name '*.[ch]' -print >"$work/files"
[ "$(wc -l <"$work/files")" -gt 100 ] || { echo "no sources below $top"; exit 99; }

tr '\n' '\0' <"$work/files" | xargs -0 grep -nHE "$version" >"$work/found"
sed 's,.*/,,' "$work/files" | grep -E "$version" >>"$work/found"
if [ -s "$work/found" ]; then
    echo "an OCPP version outside of src/proto:"
    cat "$work/found"
    exit 1
fi
echo "no OCPP version in $(wc -l <"$work/files") files"
