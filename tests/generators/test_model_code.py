"""Code that lies in a model's folder is not run unless the configuration says so."""

import json

import pytest

from curriculum.core.errors import UserError
from curriculum.generators import Transformers
from curriculum.generators.base import Batch, Request
from curriculum.rewards import RewardModel


@pytest.fixture
def folder(tmp_path):
    """A model whose configuration, tokenizer and classes are code of its own."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    auto = {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}
    auto["AutoModelForSequenceClassification"] = "evil.M"
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": auto}))
    auto_tokenizer = {"auto_map": {"AutoTokenizer": ["evil.T", None]}, "tokenizer_class": "T"}
    (folder / "tokenizer_config.json").write_text(json.dumps(auto_tokenizer))
    return folder


def test_a_generator_does_not_run_it(folder, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    generator = Transformers(model=str(folder))
    with pytest.raises(UserError, match="can't be loaded"):
        list(generator.generate([Batch(0, [Request(0, "p", 0, 1, 0)], 0)]))
    assert not (tmp_path / "ran").exists()


def test_a_reward_model_does_not_run_it(folder, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    reward = RewardModel(model=str(folder))
    with pytest.raises(UserError, match="can't be loaded"):
        reward.score([])
    assert not (tmp_path / "ran").exists()
