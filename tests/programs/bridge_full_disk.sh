#!/usr/bin/env bash
# ringpipe bridge: a server whose disk is full holds it up; one with room again gets all, in order.
#
# Usage: bridge_full_disk.sh FOLDER_OF_PROGRAMS
#
# The disk is a tmpfs that grows, in name spaces of its own: nothing outlives it.
set -euo pipefail

if [[ -z ${RINGPIPE_DISK_WORK-} ]]; then
    own=(unshare --map-root-user --mount --net --pid --fork --kill-child --mount-proc)
    if ! "${own[@]}" true 2> /dev/null; then
        echo "bridge_full_disk.sh: skipped: no name spaces of one's own here (unshare)"
        exit 77
    fi
    RINGPIPE_DISK_WORK=$(mktemp -d)
    export RINGPIPE_DISK_WORK
    trap 'rm -rf "$RINGPIPE_DISK_WORK"' EXIT
    "${own[@]}" "$0" "$@"
    exit
fi
PATH=$(realpath "$1"):$PATH
mount -t tmpfs tmpfs /dev/shm
ip link set lo up
cd "$RINGPIPE_DISK_WORK"
mkdir store
mount -t tmpfs -o size=4m tmpfs store

fail() {
    echo "bridge_full_disk.sh: $*" >&2
    tail -n 3 ./*.log >&2
    exit 1
}

# Until the command succeeds; every 50 ms.
await() {
    local tries=600
    until "$@"; do
        ((tries-- > 0)) || fail "in vain: $*"
        sleep 0.05
    done
}

# It would keep below the size of the disk, if it were not told another.
printf 'listen: "127.0.0.1:4222"\njetstream { store_dir: "%s/store", max_file_store: 1GB }\n' "$PWD" > conf
start() {
    nats-server -c conf > "$1.log" 2>&1 &
    server=$!
    await grep -qs 'Server is ready' "$1.log"
}
disk_is_full() { (($(stat -f -c %a store) == 0)); }
# Once it has waited for an answer in vain, the ring fills.
is_held_up() {
    ringpipe stat jobs --json > seen.json
    grep -q '"connected": true' seen.json && ! grep -q '"last_error": ""' seen.json
}

start first
seq 100000 | ringpipe-producer jobs --capacity 256KiB &
producer=$!
await ringpipe stat jobs > /dev/null 2>&1
ringpipe bridge out jobs nats://127.0.0.1:4222/jobs --create 2> out.log &
out=$!
await disk_is_full
await is_held_up
kill -0 "$producer" || fail "the producer did not wait"
kill -0 "$out" || fail "the bridge gave up"

mount -o remount,size=100m store
kill -KILL "$server"
start second
wait "$out" || fail "bridge out ended with $?"
wait "$producer" || fail "the producer ended with $?"
ringpipe bridge in nats://127.0.0.1:4222/jobs there 2> in.log || fail "bridge in ended with $?"
ringpipe-consumer there | cmp - <(seq 100000) || fail "what came is not what was sent"
