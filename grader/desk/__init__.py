"""What a student works with: pytest, watch, notebooks, hints, pictures."""
