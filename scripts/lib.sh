# SPDX-License-Identifier: Apache-2.0
# What scripts/demo and scripts/check share: packages, and building out of tree.
# To be sourced by bash, with `top` = the top of the source tree.

# mosquitto and other daemons are not in everybody's PATH
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf '%s\n' "$*" >&2; }

die()
{
    local code=$1
    shift
    say "${0##*/}: $*"
    exit "$code"
}

# packages_missing GROUP...: prints the packages of these groups that are not there.
packages_missing()
{
    local group package command wanted=" $* "
    while read -r group package command; do
        [[ -n $group && $group != '#'* && $wanted == *" $group "* ]] || continue
        if [[ -n $command ]]; then
            command -v "$command" >/dev/null && continue
        fi
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            echo "$package"
    done <"$top/scripts/packages.txt"
}

# as_root COMMAND...: runs it as root, by sudo where we are not.
as_root()
{
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif [[ -t 0 && -z ${CI:-} ]]; then
        sudo -- "$@" # it may ask for the password
    else
        sudo -n -- "$@"
    fi
}

# need_packages GROUP...: installs what is missing; touches nothing when all is there.
need_packages()
{
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    local hint="install these packages first: ${missing[*]}"
    command -v apt-get >/dev/null || die 69 "there is no apt-get here; $hint"
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
        die 77 "packages are missing, and installing them takes root or sudo; $hint"
    fi
    say "installing ${missing[*]}"
    mkdir -p "$top/build"
    local log=$top/build/apt.log
    # RUNLEVEL=1: a broker that comes with the packages is not started as a service
    {
        as_root apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
                apt-get install -y -q --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 </dev/null || {
        tail -n 15 "$log" >&2
        die 69 "apt-get could not install them (build/apt.log); $hint"
    }
    mapfile -t missing < <(packages_missing "$@")
    [[ ${#missing[@]} == 0 ]] || die 69 "still missing after apt-get: ${missing[*]}"
}

# Where the tree itself has been configured, configure refuses to work elsewhere.
need_bare_tree()
{
    [[ ! -e $top/config.status ]] ||
        die 64 "this folder has been configured itself; first: make distclean"
}

# The configure script is made when it is not there or older than what it is made of.
bootstrap()
{
    local s
    for s in configure.ac Makefile.am; do
        if [[ ! -e $top/configure || ! -e $top/Makefile.in ||
            $top/$s -nt $top/Makefile.in ]]; then
            (cd "$top" && autoreconf -fi) || return
            touch "$top/configure" "$top/Makefile.in"
            return 0
        fi
    done
}

# build_tree DIR JOBS [CONFIGURE-ARGUMENT...]: configures DIR when that is due, then make.
build_tree()
{
    local dir=$1 jobs=$2
    shift 2
    mkdir -p "$dir"
    if [[ ! -e $dir/Makefile || $top/configure -nt $dir/config.status ||
        $(cat "$dir/.configured-with" 2>/dev/null) != "$top $*" ]]; then
        (cd "$dir" && "$top/configure" "$@") || return
        printf '%s\n' "$top $*" >"$dir/.configured-with"
    fi
    make -C "$dir" -j "$jobs" all
}
