#!/bin/sh
# The login program behind a pump's service port: asks for name and password, takes any, then knows two commands.
# Started by telnetd as: pump_login.sh SERIAL MAC
printf 'Wireless module %s\r\nlogin: ' "$2"
read -r name || exit 1
stty -echo
printf 'Password: '
read -r secret || exit 1
stty echo
[ -n "$name" ] && [ -n "$secret" ] || exit 1
printf '\r\n'
while printf '> ' && read -r command; do
    case $command in
        'show id'*) printf 'Baxter Spectrum IQ  serial %s  software 9.02.01\r\n' "$1" ;;
        exit*) exit 0 ;;
    esac
done
