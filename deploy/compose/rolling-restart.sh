#!/bin/bash
# One replica after the other: drained, made anew from the image, admitted when its health check has passed.
set -euo pipefail
cd "$(dirname "$0")"

# The proxy's control socket; CONTROL_COMMAND replaces how it is reached.
control() { ${CONTROL_COMMAND:-docker compose exec -T proxy} bash -c "exec 3<>/dev/tcp/127.0.0.1/${CONTROL_PORT:-9999} && echo '$1' >&3 && cat <&3"; }
# The same for the backend of large bodies.
set_state() { for backend in replicas large; do control "set server $backend/$1 state $2" >/dev/null; done; }
# A column of the replica's line in `show stat`, counted from one: 5 = requests it holds, 18 = its state.
column() { control "show stat" | awk -F, -v backend="${3:-replicas}" -v name="$1" -v place="$2" '$1 == backend && $2 == name { print $place }'; }
until_it_is() {
    for _ in $(seq 240); do
        [ "$(column "$1" "$2" "${4:-replicas}")" = "$3" ] && return
        sleep 0.5
    done
    echo "$1 does not get there: column $2 is not $3" >&2
    exit 1
}

for replica in replica1 replica2 replica3; do
    set_state "$replica" drain
    until_it_is "$replica" 5 0
    until_it_is "$replica" 5 0 large
    ${RECREATE_COMMAND:-docker compose up --detach --wait --no-deps --force-recreate} "$replica"
    set_state "$replica" ready
    until_it_is "$replica" 18 UP
    echo "$replica was replaced"
done
