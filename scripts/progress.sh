# Sourced by the other scripts: says what is going on, so that nothing is silent for long.

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }

# step TITLE COMMAND…: runs a command with a ticking line; shows its output only when it fails.
step() {
    local title="$1" log started pid
    shift
    log="$(mktemp)"
    started=$SECONDS
    "$@" >"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if [ -t 2 ]; then
            printf '\r▸ %s … %ss ' "$title" "$((SECONDS - started))" >&2
        elif [ $(((SECONDS - started) % 15)) -eq 14 ]; then
            printf '▸ %s … %ss\n' "$title" "$((SECONDS - started))" >&2
        fi
        sleep 1
    done
    if wait "$pid"; then
        printf '%s▸ %s (%ss)\n' "$([ -t 2 ] && printf '\r')" "$title" "$((SECONDS - started))" >&2
        rm -f "$log"
    else
        printf '\n▸ %s failed:\n' "$title" >&2
        tail -n 40 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

# titled_when_busy TITLE: passes on what ninja prints, below the title; nothing where there is no work.
# (`ninja -n` cannot tell: it always wants to look for new files first, and does not do it.)
titled_when_busy() {
    local title="$1" line busy=
    while IFS= read -r line; do
        case "$line" in
            'ninja: Entering directory'* | 'ninja: no work to do.' | *'Re-checking globbed directories...') continue ;;
        esac
        [ -n "$busy" ] || say "$title"
        busy=1
        if [ -t 1 ] && [[ "$line" == '['* ]]; then
            printf '\r%.100s\033[K' "$line"
        else
            printf '%s\n' "$line"
        fi
    done
    if [ -n "$busy" ] && [ -t 1 ]; then echo; fi
}
