"""The command line, `labelmill`."""


def main() -> int:
    return 0
