#!/bin/sh
# Runs a command, shows its output as usual, and sends it with the result in the title.
#   pipe.sh COMMAND [ARGUMENT]...
# The exit code is the command's, whatever becomes of the message.
WXPUSH=${WXPUSH:-/opt/wxpush/wxpush}

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT]..." >&2; exit 64; }
output=$(mktemp) || exit 73
trap 'rm -f "$output"' EXIT

"$@" >"$output" 2>&1
code=$?
cat "$output"
if [ "$code" -eq 0 ]; then mark="✅"; else mark="❌ ($code)"; fi
tail -n 20 "$output" | "$WXPUSH" send -t "$mark $1 on $(uname -n)"
exit "$code"
