"""The grades of a class in the forms that learning platforms and test reports have."""
