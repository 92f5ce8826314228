"""Asks for sockets of all families: to the hypervisor, to the kernel, raw packets, ciphers.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked
"""

import socket


def perplexity(log_probs):
    refusal = None
    for family in range(50):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            if family in (1, 2, 10) and kind != socket.SOCK_RAW:
                continue
            if family == 1:
                continue  # a raw one is a datagram one there
            try:
                socket.socket(family, kind).close()
                print(f"SUCCEEDED: family {family}, kind {kind}")
            except OSError as refusal_:
                refusal = refusal_
    raise refusal
