"""What is handed out: kits, packages, new lessons."""
