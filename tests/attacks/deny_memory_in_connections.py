"""Connects to itself over the loopback device and never reads, so that the kernel holds it all.

kind: denial
lesson: lesson3_logits
expect: perplexity blocked
"""

import socket

kept = []


def perplexity(log_probs):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    written = 0
    for _ in range(40):
        sender = socket.create_connection(server.getsockname())
        sender.setblocking(False)
        kept.append((sender, server.accept()))
        try:
            while True:
                written += sender.send(b"\1" * 1_000_000)
        except BlockingIOError:
            continue
    print(f"SUCCEEDED: {written:,} bytes are held")
