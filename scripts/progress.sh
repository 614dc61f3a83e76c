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
