#!/usr/bin/env bash
# Executes what a page tells its reader to do: every block of shell and C++ in it, in their order.
#
# Usage: run.sh PAGE BUILD_FOLDER
#
# ```sh    is run with the programs in PATH, in a folder of its own, where no command may fail
# ```cpp   with a main() is compiled with the installed libraries, and run; what it prints must be
#          what the comment `// prints: TEXT` in it says, if there is one
# <!-- not run: why -->  before a block leaves it out
#
# In name spaces of its own: with an empty /dev/shm, since the rings of this machine are somebody's,
# and so that nothing it starts outlives it.
set -euo pipefail

page=$(realpath "$1")
build=$(realpath "$2")

if [[ ${RINGPIPE_DOCS_INSIDE-} != yes ]]; then
    own=(unshare --map-root-user --mount --pid --fork --kill-child --mount-proc)
    if ! "${own[@]}" true 2> /dev/null; then
        echo "run.sh: skipped: no name spaces of one's own here (unshare)"
        exit 77
    fi
    export RINGPIPE_DOCS_INSIDE=yes
    exec "${own[@]}" "$0" "$page" "$build"
fi
mount -t tmpfs tmpfs /dev/shm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Each block as a file: 01.sh, 02.cpp, ...
awk '
    /^<!-- not run:/ { left_out = 1; next }
    /^```(sh|cpp)$/ && !inside {
        inside = 1
        kind = substr($0, 4)
        file = left_out ? "/dev/null" : sprintf("%02d.%s", ++count, kind)
        next
    }
    /^```/ { inside = !inside && /^```./ ? 2 : 0; left_out = 0; next }
    inside == 1 { print > file }
    !inside && NF { left_out = 0 }
' "$page"

compile_and_run() { # FILE
    local prefix=$build/install-test/prefix
    local boost
    boost=$(sed -n 's/^Boost_DIR:PATH=//p' "$build/CMakeCache.txt")
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$(echo "$prefix"/lib/*/pkgconfig)
    # shellcheck disable=SC2046  # several words
    c++ -std=c++20 -I"${boost%/lib/*}/include" "$1" -o "$1.program" \
        $(pkg-config --define-variable=prefix="$prefix" --cflags --libs ringpipe-shm)
    timeout 60 "./$1.program" > "$1.out"
    local expected
    expected=$(sed -n 's@^ *// prints: @@p' "$1")
    [[ -z $expected || $(< "$1.out") == "$expected" ]]
}

export PATH=$build/bin:$PATH NO_COLOR=1
shopt -s nullglob
blocks=([0-9]*)
for block in "${blocks[@]}"; do
    echo "== $block"
    cat "$block"
    case $block in
        *.sh) timeout 120 bash -euo pipefail "$block" < /dev/null ;;
        *.cpp) compile_and_run "$block" ;;
    esac || {
        echo "run.sh: this block of $page failed: $block" >&2
        exit 1
    }
done
echo "run.sh: ${#blocks[@]} blocks"
((${#blocks[@]} > 0))
