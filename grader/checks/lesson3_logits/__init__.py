"""Checks for lesson 3: softmax, loss, causality."""
