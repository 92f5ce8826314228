"""What was handed in and what came of it; pages and exports."""
