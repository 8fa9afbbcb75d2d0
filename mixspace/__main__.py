"""`python -m mixspace`, and the command `mixspace`: the program of `python -m search`.

Its name is nobody else's, so this program is found where there is another `search` as well.
"""

from typing import NoReturn


def main() -> NoReturn:
    """Run the program with the arguments of this process, and exit."""
    # `mixspace` has seen to it by now that these packages are ours.
    from search.cli.main import main as run_program

    run_program()


if __name__ == "__main__":
    main()
