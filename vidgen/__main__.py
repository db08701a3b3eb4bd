"""`python -m vidgen` does what `vidgen` does."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; Ctrl-C is answered in one line while it is still being loaded, too."""
    try:
        from vidgen.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("vidgen: error: stopped\n")
        return 130
    return run()


if __name__ == "__main__":  # workers import it too
    sys.exit(main())
