"""Commands as a user gives them, for tests."""

from click.testing import CliRunner

from flarecast.cli import main


def call(*words, code=0):
    """What a command says, on either stream, where it ends with the exit code that is expected."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output
