# Sourced by the scripts that build: where things are kept, and what the compiler cache hashes.

export PLAYHEAD_CACHE="${PLAYHEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/playhead}"
export CCACHE_DIR="${CCACHE_DIR:-$PLAYHEAD_CACHE/ccache}" CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
# ccache hashes these four variables: with one value each, a login shell, a cron job and CI share
# what any of them has compiled.
unset LC_ALL LC_CTYPE LC_MESSAGES
export LANG=C.UTF-8
