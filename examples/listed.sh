#!/usr/bin/env bash
# Checks that README.md lists the examples that are run, each once, in their order, and numbers them; and
# that each source with a main() is one of them.
#
# Usage: listed.sh NAME...    what is run, in that order
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

number=0
diff <(for name; do echo "$((++number)) $name $name.cpp"; done) \
    <(sed -nE 's/^\| ([0-9]+) \| \[([a-z_]+)\]\(([a-z_.]+)\) \|.*/\1 \2 \3/p' README.md) ||
    { echo "listed.sh: what is run (<) is not what README.md lists (>)" >&2 && exit 1; }
diff <(printf '%s.cpp\n' "$@" | sort) <(grep -l '^int main(' ./*.cpp | sed 's@^\./@@' | sort) ||
    { echo "listed.sh: what is run (<) is not what has a main() (>)" >&2 && exit 1; }
