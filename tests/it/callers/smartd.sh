# As smartd does for the line in Debian's smartd.conf.
set -e
set -- $(sed -n 's/^DEVICESCAN .* -m \([^ ]*\) -M exec \([^ ]*\)$/\1 \2/p' /etc/smartd.conf)
export SMARTD_ADDRESS=$1 SMARTD_MAILER=$2
export SMARTD_MESSAGE='Device: /dev/sda [SAT], FAILED SMART self-check. BACK UP DATA NOW!'
export SMARTD_FAILTYPE=Health SMARTD_PREVCNT=0 SMARTD_NEXTDAYS=1
export SMARTD_TFIRST='Mon Nov 30 09:00:00 2026 CST' SMARTD_TFIRSTEPOCH=1796000400
export SMARTD_DEVICE=/dev/sda SMARTD_DEVICETYPE=sat SMARTD_DEVICESTRING='/dev/sda [SAT]'
export SMARTD_DEVICEINFO='WDC WD10EZEX, S/N:WD-1, 1.00 TB'
exec /usr/share/smartmontools/smartd_warning.sh
