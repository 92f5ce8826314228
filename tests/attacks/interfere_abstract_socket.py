"""A daemon of its own waits at an abstract socket, to be asked by the next submission.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import os
import socket
import time

NAME = "\0attack-leftover-socket"
begun = []


def perplexity(log_probs):
    if begun:
        return
    begun.append(True)
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(NAME)
            print(f"SUCCEEDED: {client.recv(100)!r}")
        except ConnectionRefusedError as refusal:
            print(refusal)
    server = socket.socket(socket.AF_UNIX)
    server.bind(NAME)
    server.listen()
    server.settimeout(60)
    if os.fork() == 0:
        os.setsid()
        client, _ = server.accept()
        client.sendall(b"an answer from the submission before")
        time.sleep(1)
        os._exit(0)
