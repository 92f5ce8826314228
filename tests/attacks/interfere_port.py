"""Takes every port of the loopback device that a later submission might use, and waits there.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity blocked|wrong
"""

import os
import socket
import time

begun = []


def perplexity(log_probs):
    if begun:
        return
    begun.append(True)
    for port in (*range(47_200, 47_260), 8000, 8080, 29_500):
        server = socket.socket()
        try:
            server.bind(("127.0.0.1", port))
            server.listen()
            begun.append(server)
        except OSError as refusal:
            print(f"SUCCEEDED: {port} is taken: {refusal}")
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
