#!/usr/bin/env bash
# Installs ringpipe, and builds and runs a user's project with it, each way that there is.
#
# Usage: run.sh WAY BUILD_FOLDER
set -euo pipefail

way=$1
build=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
prefix=$build/install-test/prefix
work=$build/install-test/$way

# Seconds instead of a minute when something has not changed.
launcher=()
if command -v ccache > /dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

build_project() { # WAY CMAKE-OPTIONS...
    rm -rf "$work"
    cmake -S "$here/project" -B "$work" -G Ninja -DRINGPIPE_FROM="$1" "${@:2}" "${launcher[@]}" \
        -DBoost_DIR="$(sed -n 's/^Boost_DIR:PATH=//p' "$build/CMakeCache.txt")"
    cmake --build "$work" --target user
    "$work/user"
}

case $way in
    install)
        rm -rf "$prefix"
        if [[ $build == "$source/build/release" ]]; then
            "$source/scripts/install" "$prefix"
        else
            cmake --install "$build" --prefix "$prefix"
        fi
        for program in ringpipe ringpipe-producer ringpipe-consumer; do
            "$prefix/bin/$program" --version | grep -q "^$program "
            test -s "$prefix/share/man/man1/$program.1.gz"
            bash -n "$prefix/share/bash-completion/completions/$program"
            test -s "$prefix/share/zsh/vendor-completions/_$program"
        done
        # What users include does not depend on where the sources are.
        ! grep -rn --include='*.hpp' '#include "[a-z_]*/' "$prefix/include" | grep -v '"ringpipe/'
        ;;
    find_package) build_project "$way" -DCMAKE_PREFIX_PATH="$prefix" ;;
    pkg_config)
        mkdir -p "$work"
        PKG_CONFIG_PATH=$(find "$prefix" -type d -name pkgconfig -printf '%p:')
        export PKG_CONFIG_PATH
        boost=$(sed -n 's/^Boost_DIR:PATH=//p' "$build/CMakeCache.txt")
        # shellcheck disable=SC2046  # several words
        c++ -std=c++20 -DWITH_ALL -I"${boost%/lib/*}/include" "$here/project/main.cpp" -o "$work/user" \
            $(pkg-config --cflags --libs ringpipe-async ringpipe-pool ringpipe-sync)
        "$work/user"
        ;;
    add_subdirectory | FetchContent) build_project "$way" -DRINGPIPE_SOURCE="$source" ;;
    completion)
        # shellcheck disable=SC1090,SC1091  # made by the program
        source "$prefix/share/bash-completion/completions/ringpipe"
        complete_line() {
            read -ra COMP_WORDS <<< "$1"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _ringpipe
            echo "${COMPREPLY[*]}"
        }
        [[ $(complete_line "ringpipe sta") == stat ]]
        [[ $(complete_line "ringpipe stat --wa") == --watch ]]
        ;;
    package)
        command -v dpkg-deb > /dev/null
        rm -rf "$work"
        (cd "$build" && cpack -G DEB -B "$work" > "$build/install-test/cpack.log")
        [[ $(dpkg-deb --contents "$work"/ringpipe_*.deb) == *" ./usr/bin/ringpipe-consumer"* ]]
        [[ $(dpkg-deb --contents "$work"/ringpipe-dev_*.deb) == *" ./usr/include/ringpipe/shm/ring.hpp"* ]]
        # Found by dpkg-shlibdeps, and written by hand.
        [[ $(dpkg-deb --field "$work"/ringpipe_*.deb Depends) == *libc6*libfmt*libstdc++6* ]]
        [[ $(dpkg-deb --field "$work"/ringpipe-dev_*.deb Depends) == libboost1.[0-9]*-dev,\ libfmt-dev\ \(\>=*libcereal-dev ]]
        if command -v lintian > /dev/null; then
            # The project has no address for mail yet, and a build for /usr/local no folder per machine.
            lintian --allow-root --fail-on error,warning --suppress-tags \
                bogus-mail-host,bogus-mail-host-in-debian-changelog,pkg-config-unavailable-for-cross-compilation \
                "$work"/ringpipe_*.deb "$work"/ringpipe-dev_*.deb
        fi
        ;;
    *)
        echo "run.sh: no such way: $way" >&2
        exit 64
        ;;
esac
