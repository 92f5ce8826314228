"""Checks for lesson 1: tokens, byte-pair encoding, BOS."""
