"""Connects to this machine over TCP, by every name and address that it has, and to a test network.

kind: escape
lesson: lesson3_logits
expect: perplexity blocked|error
"""

import socket

PORT = 47_123  # where the test listens, outside


def perplexity(log_probs):
    refusal = None
    for address in ("127.0.0.1", "::1", "192.0.2.1", "10.0.2.2", "172.17.0.1", "169.254.169.254"):
        for port in (PORT, 22):
            try:
                socket.create_connection((address, port), timeout=0.05).sendall(b"escaped")
                print(f"SUCCEEDED: {address}:{port}")
            except OSError as refusal_:
                print(address, port, refusal_)
                refusal = refusal_ if refusal_.errno else refusal
    raise refusal
