#!/usr/bin/env bash
# scripts/setup on a machine made up of stubs: what it asks apt-get to install.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/scripts" "$work/bin"
cp "$here/../../scripts/setup" "$work/scripts/"
cat > "$work/scripts/dependencies" <<'END'
build old|new # the first is mentioned by other packages, and cannot be installed
build plain
build there|plain
END

stub() { # NAME, what it does on standard input
    (echo '#!/bin/sh' && cat) > "$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stub id <<< 'echo 0'
stub dpkg-query <<< 'echo installed there'
stub apt-get << 'END'
echo "$@" >> "${0%/*}/../asked"
END
stub apt-cache << 'END'
case "$1 $2" in
    show*) ;; # it knows them all
    *old) printf "%s:\n  Installed: (none)\n  Candidate: (none)\n" "$2" ;;
    *new) printf "%s:\n  Installed: (none)\n  Candidate: 1.0-1\n" "$2" ;;
esac
END

PATH=$work/bin:$PATH "$work/scripts/setup" 2> "$work/said"
# Of "plain" apt says nothing: it is asked for nevertheless, and apt-get says why it cannot.
[[ $(< "$work/asked") == $'update -q\ninstall -qy --no-install-recommends --no-remove new plain' ]] || {
    cat "$work/said" "$work/asked" >&2
    exit 1
}
