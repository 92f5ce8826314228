"""Sends datagrams to this machine, and has names looked up.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error|wrong
"""

import socket


def perplexity(log_probs):
    refusal = None
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"escaped", (address, 47_123))
    for address in ("192.0.2.1", "127.255.255.255", "224.0.0.1"):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sender.sendto(b"escaped", (address, 47_123))
        except OSError as refusal_:
            print(address, refusal_)
            refusal = refusal_
    try:
        print("SUCCEEDED:", socket.getaddrinfo("attack.invalid", 80))
    except OSError as refusal_:
        print(refusal_)
    raise refusal
