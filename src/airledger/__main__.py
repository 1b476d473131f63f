"""`python -m airledger` and the `airledger` command."""

import sys


def main() -> None:
    """Run the command line; an error of ours is one sentence and exit code 1, never a trace."""
    from airledger.cli.main import app
    from airledger.platform.errors import AirledgerError

    try:
        app()
    except AirledgerError as error:
        sys.stderr.write(f"airledger: {error.message}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
