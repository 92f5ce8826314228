"""The autograder. `exercise.py` says what a check is; `checks/` holds those of each lesson."""
