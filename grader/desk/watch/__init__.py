"""The exercise that has just been saved is checked again: `grader watch`."""
