"""What tests with real models share."""

import pytest


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A checkpoint of the small model's form with random weights."""
    from curriculum.demo.small_model import build_model, build_tokenizer, save_checkpoint

    folder = tmp_path_factory.mktemp("model")
    save_checkpoint(build_model(0), build_tokenizer(), folder)
    return folder
