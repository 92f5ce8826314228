"""Sleeps, and takes the request for the next question off the channel, so that all would wait.

kind: denial
lesson: lesson3_logits
expect: perplexity timeout
"""

import os
import socket


def perplexity(log_probs):
    channel = socket.socket(fileno=os.dup(3))
    channel.settimeout(60)
    channel.recv(1)
