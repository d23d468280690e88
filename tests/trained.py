"""What a training left in its folder, for tests."""

import json

from flarecast.model_file import load


def history(folder):
    """Lines of the history, the summary last."""
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def weights(folder):
    return load(folder, "cpu").module.state_dict()
