"""Connects to sockets of the machine outside: abstract ones, and those that lie in folders.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import glob
import socket

NAMES = ["\0attack-host-listener", "/tmp/.X11-unix/X0", "\0/tmp/.X11-unix/X0", "/run/docker.sock"]
NAMES += ["/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private", "/dev/log"]
NAMES += ["/run/systemd/journal/socket", *glob.glob("/tmp/**/attack-host.socket", recursive=True)]


def perplexity(log_probs):
    refusal = None
    for name in NAMES:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_UNIX, kind) as client:
                    client.connect(name)
                    print(f"SUCCEEDED: {name!r}")
            except OSError as refusal_:
                refusal = refusal_
    raise refusal
