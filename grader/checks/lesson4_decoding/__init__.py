"""Checks for lesson 4: argmax decoding and greedy generation."""
