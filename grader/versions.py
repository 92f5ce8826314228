"""Which version of a package is installed."""


def installed(package: str) -> str:
    """Its version, or `not installed`."""
    from importlib import metadata  # slow, and every command begins by importing this

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
