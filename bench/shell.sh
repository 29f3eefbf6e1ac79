#!/usr/bin/env bash
# ringpipe run beside the plain pipe and GNU parallel, on a text, in turn in every round.
#
# Usage: scripts/bench shell [--size SIZE] [--rounds N] [--copies N] [--folder DIR] [--json FILE]
#
#   --size SIZE    of the text [1GB]
#   --rounds N     every cell once in each; the medians are told [5]
#   --copies N     of the filter [2]
#   --folder DIR   where the text is written, and removed again [/tmp]
#   --json FILE    all times, in seconds
#
# Every cell is also run once on the beginning of the text, and its output compared with the
# pipe's, line for line in any order: what is fast and wrong fails.
set -euo pipefail
export LC_ALL=C

size=1GB
rounds=5
copies=2
folder=/tmp
json=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
            exit
            ;;
        --size | --rounds | --copies | --folder | --json)
            [ $# -ge 2 ] || { echo "bench: $1 needs a value; see scripts/bench shell --help" >&2; exit 64; }
            declare "${1#--}=$2"
            shift 2
            ;;
        *)
            echo "bench: unknown option '$1'; see scripts/bench shell --help" >&2
            exit 64
            ;;
    esac
done
bytes=$(numfmt --from=auto "${size%B}")

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ringpipe=${RINGPIPE_BIN_DIR:-$root/build/release/bin}/ringpipe
work=$(mktemp -d "$folder/ringpipe-bench-shell.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Lines like those of an access log, again and again.
lines=$work/lines
awk 'BEGIN {
    srand(1)
    for (i = 0; i < 20000; ++i) {
        printf "10.%d.%d.%d - - [%02d/Mar/2024:%02d:%02d:%02d +0000] \"GET /item/%d?from=%d HTTP/1.1\" %d %d\n",
            256 * rand(), 256 * rand(), 256 * rand(), 1 + 28 * rand(), 24 * rand(), 60 * rand(),
            60 * rand(), 1e6 * rand(), 1e4 * rand(), rand() < 0.9 ? 200 : 404, 1e5 * rand()
    }
}' >"$lines"
text=$work/text
while cat "$lines"; do :; done 2>/dev/null | head -c "$bytes" >"$text" || true
part=$work/part
head -c 4000000 "$text" >"$part"
for file in "$text" "$part"; do # whole lines: parallel may join half a one to another job's line
    truncate -s "-$(tail -n 1 "$file" | wc -c)" "$file"
done

kinds=(busy light trivial)
declare -A filters=([trivial]='cat' [light]='sed s/GET/POST/')
# GNU parallel has all cores for it, too: nobody can be 3 x as fast.
filters[busy]="sed -E 's/([0-9]+)\\.([0-9]+)/\\2.\\1/g; s/item|from|GET/<&>/g'"

cells=(pipe ringpipe)
if command -v parallel >/dev/null; then
    cells+=(parallel)
else
    echo "bench: GNU parallel is missing (apt-get install parallel); going on without it" >&2
fi

# run CELL FILTER FILE SINK: SINK is a command that reads all of it. `cat FILE |` in all of them, so
# that each has the same pipe to read from.
# shellcheck disable=SC2002
run() {
    case $1 in
        pipe) cat "$3" | bash -c "$2" | bash -c "$4" ;;
        ringpipe) "$ringpipe" run "cat '$3'" "${copies}x $2" "$4" ;;
        # Its defaults: a job for each core, blocks of 1 MB.
        parallel) cat "$3" | parallel --will-cite --pipe "$2" | bash -c "$4" ;;
    esac
}

for filter in "${filters[@]}"; do
    run pipe "$filter" "$part" "sort > $work/right"
    for cell in "${cells[@]}"; do
        run "$cell" "$filter" "$part" "sort > $work/answer"
        cmp -s "$work/right" "$work/answer" ||
            { echo "bench: $cell gave other lines than the pipe for: $filter" >&2; exit 1; }
    done
done

cat "$text" >/dev/null # from memory, from here on
measure() { # CELL KIND FILTER
    local start=$EPOCHREALTIME end
    run "$1" "$3" "$text" 'cat > /dev/null'
    end=$EPOCHREALTIME
    echo "$((${end/./} - ${start/./}))" >>"$work/$2.$1"
}
echo "load before: $(cut -d' ' -f1-3 /proc/loadavg); $(nproc) cores; $(stat -c %s "$text") bytes" >&2
for ((round = 1; round <= rounds; ++round)); do
    for cell in "${cells[@]}"; do
        for kind in "${kinds[@]}"; do measure "$cell" "$kind" "${filters[$kind]}"; done
    done
    echo "round $round of $rounds" >&2
done

median() { sort -n "$1" | awk '{a[NR] = $1} END {print (a[int((NR + 1) / 2)] + a[int(NR / 2) + 1]) / 2e6}'; }
printf '%-10s %-10s %10s %10s %14s %14s\n' filter cell 's' 'MB/s' 'x the pipe' 'x parallel'
for kind in "${kinds[@]}"; do
    pipe=$(median "$work/$kind.pipe")
    parallel=
    [ ! -e "$work/$kind.parallel" ] || parallel=$(median "$work/$kind.parallel")
    for cell in "${cells[@]}"; do
        awk -v kind="$kind" -v cell="$cell" -v t="$(median "$work/$kind.$cell")" -v pipe="$pipe" \
            -v parallel="$parallel" -v bytes="$bytes" 'BEGIN {
                printf "%-10s %-10s %10.2f %10.0f %14.2f %14s\n", kind, cell, t, bytes / t / 1e6,
                    pipe / t, parallel == "" ? "-" : sprintf("%.2f", parallel / t)
            }'
    done
done
echo "x: how many times as fast; ringpipe with $copies copies of the filter."
for kind in "${kinds[@]}"; do echo "$kind: ${filters[$kind]}"; done

if [ -n "$json" ]; then
    {
        printf '{"bytes": %s, "copies": %s, "rounds": %s, "seconds": {' "$bytes" "$copies" "$rounds"
        comma=
        for kind in "${kinds[@]}"; do
            for cell in "${cells[@]}"; do
                printf '%s"%s %s": [%s]' "$comma" "$kind" "$cell" \
                    "$(awk '{printf "%s%.6f", (NR > 1 ? ", " : ""), $1 / 1e6}' "$work/$kind.$cell")"
                comma=', '
            done
        done
        printf '}}\n'
    } >"$json"
fi
