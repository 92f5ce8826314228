"""Checks for lesson 2: embedding, positions, unembedding."""
