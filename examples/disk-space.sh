#!/bin/sh
# Alerts when a file system is fuller than THRESHOLD percent (default 90).
#   disk-space.sh [THRESHOLD]
WXPUSH=${WXPUSH:-/opt/wxpush/wxpush}
threshold=${1:-90}

case $threshold in
'' | *[!0-9]*) echo "usage: $0 [THRESHOLD]   (percent)" >&2; exit 64 ;;
esac

# One line a file system: where it is mounted, how full, and how much is left.
df -Ph -x tmpfs -x devtmpfs -x squashfs -x overlay 2>/dev/null |
    awk -v threshold="$threshold" 'NR > 1 && $5 + 0 > threshold { print $6 ": " $5 " full, " $4 " left" }' |
    "$WXPUSH" send --skip-empty -t "Disk space on $(uname -n)"
