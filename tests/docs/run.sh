#!/usr/bin/env bash
# Executes what a page tells its reader to do: every block in it, in their order.
#
# Usage: run.sh PAGE BUILD_FOLDER      PAGE: relative to the root of the sources
#
# ```sh      is run with the programs in PATH, in a folder of its own, where no command may fail
# ```cpp     with a main() is compiled with the installed libraries, and run; what it prints must be
#            what the comment `// prints: TEXT` in it says, if there is one
# ```text    is a picture: no command may stand there. No other kinds.
#
# A comment in the page, right before a block:
# <!-- file: NAME -->    the block, of whatever kind, is written to NAME; a later one must use that
# <!-- not run: why -->  it is left out. tests/docs/left_out must list it, so that these stay few.
#
# In name spaces of its own: with an empty /dev/shm, since the rings of this machine are somebody's,
# with a network of its own, since ports are, and so that nothing it starts outlives it.
set -euo pipefail

page=$1
build=$(realpath "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)

if [[ -z ${RINGPIPE_DOCS_WORK-} ]]; then
    own=(unshare --map-root-user --mount --net --pid --fork --kill-child --mount-proc)
    if ! "${own[@]}" true 2> /dev/null; then
        echo "run.sh: skipped: no name spaces of one's own here (unshare)"
        exit 77
    fi
    RINGPIPE_DOCS_WORK=$(mktemp -d)
    export RINGPIPE_DOCS_WORK
    trap 'rm -rf "$RINGPIPE_DOCS_WORK"' EXIT # when all that could still write there has been killed
    "${own[@]}" "$0" "$page" "$build"
    exit
fi
mount -t tmpfs tmpfs /dev/shm
ip link set lo up
cd "$RINGPIPE_DOCS_WORK"

fail() {
    echo "run.sh: $page: $*" >&2
    exit 1
}

# Each block as a file: .blocks/01.sh, .blocks/02.cpp, ... Those with a name as 03.file, with the name
# in 03.file.name; the reasons of those left out in .blocks/left_out.
mkdir .blocks
awk '
    function marked(line, what) {
        if (line !~ "^<!-- " what ": .* -->$") return 0
        mark = what; text = substr(line, 8 + length(what), length(line) - 11 - length(what))
        return 1
    }
    !inside && (marked($0, "file") || marked($0, "not run")) { next }
    /^```/ && !inside {
        inside = 1
        kind = substr($0, 4)
        number = sprintf(".blocks/%02d.", ++count)
        if (mark == "not run") { file = "/dev/null"; print text > ".blocks/left_out" }
        else if (mark == "file") { file = number "file"; print text > (file ".name") }
        else if (kind ~ /^(sh|cpp|text)$/) file = number kind
        else { print "line " NR ": a block of this kind is not known: \"" kind "\""; exit 1 }
        next
    }
    /^```/ { inside = 0; mark = ""; next }
    inside { print > file }
    !inside && NF { mark = "" }
' "$source/$page" || fail "see above"

touch .blocks/left_out
diff <(sed -n "s@^$page: @@p" "$here/left_out" | sort) <(sort .blocks/left_out) ||
    fail "left out (>) is not what tests/docs/left_out lists (<)"

# As after an installation.
prefix=$build/install-test/prefix
PKG_CONFIG_PATH=$(find "$prefix" -type d -name pkgconfig -printf '%p:')
boost=$(sed -n 's/^Boost_DIR:PATH=//p' "$build/CMakeCache.txt")
boost=${boost%/lib/*}
if [[ $boost != /usr ]]; then export CPATH=$boost/include; fi
if command -v ccache > /dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
export PATH=$build/bin:$PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH=$prefix:$boost NO_COLOR=1

compile_and_run() { # FILE
    # shellcheck disable=SC2046  # several words
    c++ -std=c++20 "$1" -o "$1.program" $(pkg-config --cflags --libs ringpipe-async ringpipe-pool ringpipe-sync)
    timeout 60 "./$1.program" > "$1.out"
    local expected
    expected=$(sed -n 's@^ *// prints: @@p' "$1")
    [[ -z $expected || $(< "$1.out") == "$expected" ]]
}

shopt -s nullglob
blocks=(.blocks/*.sh .blocks/*.cpp .blocks/*.text .blocks/*.file)
mapfile -t blocks < <(printf '%s\n' "${blocks[@]}" | sort | sed '/^$/d')
for block in "${blocks[@]}"; do
    echo "== $block"
    cat "$block"
    case $block in
        *.sh) timeout 120 bash -euo pipefail "$block" < /dev/null ;;
        *.cpp) compile_and_run "$block" ;;
        *.text) ! grep -nE '^ *(\$ |ringpipe|scripts/)' "$block" ;;
        *.file)
            name=$(< "$block.name")
            cp "$block" "$name"
            later=()
            for other in "${blocks[@]}"; do if [[ $other > $block ]]; then later+=("$other"); fi; done
            if [[ $name == CMakeLists.txt ]]; then name='cmake -B'; fi
            grep -qF -- "$name" "${later[@]}" /dev/null
            ;;
    esac || fail "this block failed: $block"
done
echo "run.sh: ${#blocks[@]} blocks, $(wc -l < .blocks/left_out) more left out"
