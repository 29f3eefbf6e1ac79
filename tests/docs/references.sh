#!/usr/bin/env bash
# Checks what the pages refer to: that the files they link to or name exist, and that the programs know the
# options that they mention.
#
# Usage: references.sh BUILD_FOLDER
set -euo pipefail

build=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t pages < <(find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sort)
failed=0

wrong() {
    echo "references.sh: $*" >&2
    failed=1
}

for page in "${pages[@]}"; do
    # [text](where), without those that lead out of here.
    while read -r where; do
        [[ -e $(dirname "$page")/${where%%#*} ]] || wrong "$page links to $where, which is not there"
    done < <(grep -oP '\]\(\K[^)#][^)]*' "$page" | grep -v '://' || true)

    # `folder/file.cpp` or `scripts/name`, as from the root or as users include it; a * stands for what a shell makes of it.
    while read -r name; do
        compgen -G "${name#ringpipe/}" > /dev/null || wrong "$page names $name, which is not there"
    done < <(grep -oP '`\K([a-z]+/[\w/*-]+\.[\w./*]+|(scripts|\.ci)/\w+)' "$page" || true)
done

# Every option of ours in README.md and docs: `ringpipe stat r --json`, in blocks and in the text.
declare -A help
while read -r program command side option; do
    case "$program $command" in
        'ringpipe bridge') called=("$program" "$command" "$side") ;;
        ringpipe\ *) called=("$program" "$command") ;;
        *) called=("$program") ;;
    esac
    text=${help[${called[*]}]-}
    if [[ -z $text ]]; then
        text=$("$build/bin/${called[0]}" "${called[@]:1}" --help) ||
            { wrong "there is no ${called[*]}" && continue; }
        help[${called[*]}]=$text
    fi
    grep -qE -- "(^|[ ,!])$option\b" <<< "$text" || wrong "${called[*]} has no option $option"
done < <(sed 's/[0-9a-z]* | /\n/g; s/`/\n/g; s/;/\n/g' README.md docs/*.md |
    grep -oP '^(ringpipe(-producer|-consumer)? .*)' |
    sed "s/#.*//; s/'[^']*'//g" |
    awk '{ for (i = 2; i <= NF; ++i) if ($i ~ /^--[a-z]/) { sub(/[=.,)].*/, "", $i); print $1, $2, $3, $i } }' | sort -u)
exit "$failed"
