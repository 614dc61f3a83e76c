# Sourced after progress.sh: fetches single files out of pinned npm packages into the cache.

# npm_file PACKAGE VERSION INTEGRITY FILE TARGET
# Downloads the package, checks its sha512 integrity, and puts FILE of it at TARGET (atomically).
# Does nothing when TARGET is there: its folder carries the version.
npm_file() {
    local package="$1" version="$2" integrity="$3" file="$4" target="$5"
    [ -s "$target" ] && return 0
    step "fetch $package@$version" npm_file_now "$package" "$version" "$integrity" "$file" "$target"
}

npm_file_now() {
    local package="$1" version="$2" integrity="$3" file="$4" target="$5" work found
    mkdir -p "$(dirname "$target")"
    work="$(mktemp -d "$(dirname "$target")/.fetch.XXXXXX")"
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" RETURN
    (cd "$work" && npm pack --silent "$package@$version" >/dev/null)
    found="sha512-$(openssl dgst -sha512 -binary "$work"/*.tgz | base64 -w0)"
    if [ "$found" != "$integrity" ]; then
        echo "$package@$version: integrity is $found, expected $integrity" >&2
        return 1
    fi
    tar -xzf "$work"/*.tgz -C "$work" "package/$file"
    mv "$work/package/$file" "$target"
}
