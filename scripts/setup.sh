#!/usr/bin/env bash
# Installs what clusters on this machine need and starts the container engine.
# Says what it does; does nothing where nothing is missing. On a terminal it
# asks before it installs, unless YES=1.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

# The packages of Debian that bring each program.
declare -A package=([docker]=docker.io [dockerd]=docker.io [mmdebstrap]=mmdebstrap [iptables]=iptables [ssh]=openssh-client)

missing_packages() {
    local program
    for program in docker mmdebstrap iptables ssh; do
        command -v "$program" >/dev/null || echo "${package[$program]}"
    done
    # A client alone may be of an engine elsewhere, if one answers.
    if ! docker info >/dev/null 2>&1 && ! command -v dockerd >/dev/null; then
        echo "${package[dockerd]}"
    fi
}

need_root() {
    [ "$(id -u)" -eq 0 ] && return
    say "$1 one must be root: run this again as root."
    exit 1
}

install_packages() {
    local wanted
    wanted=$(missing_packages | sort -u | tr '\n' ' ')
    [ -n "$wanted" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "Install with your system's package manager, then run this again: $wanted"
        say "(an engine that runs Linux containers, such as Docker, and mmdebstrap to build the image of the nodes)"
        exit 1
    fi
    say "This needs the Debian packages: $wanted"
    if [ -t 0 ] && [ "${YES:-}" != 1 ]; then
        local answer
        read -r -p "Install them now? [y/N] " answer
        [ "$answer" = y ] || { say "Nothing was installed."; exit 1; }
    fi
    need_root "To install packages"
    apt-get -qq update
    # shellcheck disable=SC2086 # a list of words
    env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $wanted >&2
}

wait_for_engine() {
    local deadline=$((SECONDS + 60))
    until docker info >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "The container engine does not answer after 60 s. Its last lines:"
            tail -n 20 "$1" >&2 || true
            exit 1
        fi
        sleep 0.2
    done
}

# A machine that went down hard leaves pid files whose number may since belong
# to another process, or to one that is dead and not yet collected; the engine
# then believes that it runs already. The program of a dead process has no link.
remove_stale_pid_file() { # FILE PROGRAM
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    case $(readlink "/proc/$pid/exe") in
    */"$2" | */"$2 (deleted)") ;;
    *) rm -f "$1" ;;
    esac
}

start_engine() {
    local answer
    answer=$(docker info 2>&1) && return
    if grep -qi 'permission denied' <<<"$answer"; then
        say "You may not use the container engine: run as root, or join the group docker."
        exit 1
    fi
    need_root "To start the container engine"
    say "Starting the container engine"
    if [ -d /run/systemd/system ]; then
        systemctl start docker
        wait_for_engine /dev/null
        return
    fi
    remove_stale_pid_file /var/run/docker.pid dockerd
    # A containerd that outlived its dockerd is taken over by the next.
    remove_stale_pid_file /run/docker/containerd/containerd.pid containerd
    local log=/var/log/dockerd.log
    # In a session of its own, so that it outlives this script.
    setsid dockerd >"$log" 2>&1 </dev/null &
    wait_for_engine "$log"
}

install_packages
start_engine
