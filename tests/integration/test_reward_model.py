"""`reward=reward_model`: very small models with random weights, against one text at a time."""

import json

import pandas as pd
import pytest

pytest.importorskip("torch", reason="torch is not installed; CI has an environment with it")
pytest.importorskip("transformers", reason="transformers is not installed; CI has it")

TEMPLATE = "{% for m in messages %}<bos>{{ m['role'] }}:{{ m['content'] }}<eos>{% endfor %}"
PROMPTS = ["1+1=", [{"role": "system", "content": "add"}, {"role": "user", "content": "10-2="}]]


def responses(prompt):
    """Of all lengths, in no order, and with padding's own token in the text."""
    return ["2", "", "=".join("0123456789"), "11", "ab" * 30, "one", "G+R", "<pad>", "z" * 41]


@pytest.fixture(scope="module")
def save(tmp_path_factory):
    """Write a checkpoint of the small model's form whose head gives so many labels."""
    import torch
    from transformers import LlamaForSequenceClassification

    from curriculum.demo.small_model import build_model, build_tokenizer, save_checkpoint

    def save(labels=1, template=None, pad=True):
        config = build_model(0).config
        config.num_labels = labels
        if not pad:
            config.pad_token_id = None
        torch.manual_seed(0)
        model = LlamaForSequenceClassification(config)
        torch.nn.init.normal_(model.score.weight)  # logits that differ
        tokenizer = build_tokenizer()
        tokenizer.chat_template = template
        folder = tmp_path_factory.mktemp("reward_model")
        save_checkpoint(model, tokenizer, folder)
        return folder

    return save


@pytest.fixture
def rollouts(tmp_path):
    rows = [{"prompt": p, "response": each} for p in PROMPTS for each in responses(p)]
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(row | {"ground_truth": ""}) + "\n" for row in rows))
    return path


@pytest.fixture
def score(run, tmp_path, rollouts):
    """A run with a reward model: what it said, and the rewards where it went well."""

    def score(model, *options):
        done = run(
            *("preset=analyze_rollouts", "metric=mean_reward", f"data.path={rollouts}"),
            *("reward=reward_model", f"reward.model={model}", *options),
        )
        path = tmp_path / "out" / "rollouts_with_rewards.parquet"
        return done, pd.read_parquet(path)["reward"].tolist() if path.exists() else None

    return score


def one_at_a_time(folder, read):
    """The logit of each text as `read(tokenizer, prompt, response)` gives it to the model."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    texts = [read(tokenizer, p, each) for p in PROMPTS for each in responses(p)]
    with torch.inference_mode():
        return [model(**text).logits.item() for text in texts]


def joined(prompt):
    return prompt if isinstance(prompt, str) else "\n".join(each["content"] for each in prompt)


def concatenated(tokenizer, prompt, response):
    return tokenizer(joined(prompt) + response, return_tensors="pt")


def through_template(tokenizer, prompt, response):
    chat = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    text = "".join(f"<bos>{each['role']}:{each['content']}<eos>" for each in chat)
    return tokenizer(f"{text}<bos>assistant:{response}<eos>", return_tensors="pt")


@pytest.mark.parametrize("template", [None, TEMPLATE], ids=["plain", "chat"])
@pytest.mark.parametrize("pad", [True, False], ids=["padding", "no padding"])
def test_scores_are_those_of_one_text_at_a_time(save, score, template, pad):
    model = save(template=template, pad=pad)
    done, rewards = score(model, "reward.batch_size=4")
    assert done.returncode == 0, done.stderr
    expected = one_at_a_time(model, through_template if template else concatenated)
    assert rewards == pytest.approx(expected, abs=1e-4)
    assert max(expected) - min(expected) > 0.1


def test_a_tokenizer_with_a_separator_reads_a_pair(tmp_path, score):
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    pieces = [*"0123456789+-=abez", *(f"##{c}" for c in "0123456789abez")]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *pieces]
    vocabulary = {piece: i for i, piece in enumerate(names)}
    words = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = BertPreTokenizer()
    words.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{each[1:-1].lower()}_token": each for each in names[:4]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=128, **special)
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = BertConfig(vocab_size=len(tokenizer), num_attention_heads=2, num_labels=1, **size)
    config.initializer_range = 0.5  # logits that differ
    model = BertForSequenceClassification(config)
    for each in (model, tokenizer):
        each.save_pretrained(tmp_path / "bert")

    def pair(tokenizer, prompt, response):
        return tokenizer(joined(prompt), response, return_tensors="pt")

    done, rewards = score(tmp_path / "bert")
    assert done.returncode == 0, done.stderr
    expected = one_at_a_time(tmp_path / "bert", pair)
    assert rewards == pytest.approx(expected, abs=1e-4)
    assert max(expected) - min(expected) > 0.1


def test_what_is_too_long_fails_and_its_neighbours_do_not(tmp_path, save, score):
    model = save()
    expected = one_at_a_time(model, concatenated)
    done, rewards = score(model, "reward.max_length=40")
    assert done.returncode == 0, done.stderr
    lengths = [len(joined(p) + each) for p in PROMPTS for each in responses(p)]
    long = [
        length - 4 * ("<pad>" in each) > 40
        for length, each in zip(lengths, 2 * responses(""), strict=True)
    ]
    assert sum(long) == 4
    for reward, other, is_long in zip(rewards, expected, long, strict=True):
        assert pd.isna(reward) if is_long else reward == pytest.approx(other, abs=1e-4)
    failed = pd.read_parquet(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")
    assert failed["cause"].str.contains("tokens, more than 40").all()


def test_a_model_that_gives_no_one_score_ends_the_run(tmp_path, save, score):
    from curriculum.demo.small_model import build_model, build_tokenizer, save_checkpoint

    model = build_model(0)
    model.config.num_labels = 1
    save_checkpoint(model, build_tokenizer(), tmp_path / "generator")
    for folder, cause in [
        (save(labels=2), "has 2 labels; a reward model has one"),
        (tmp_path / "generator", "is no reward model: it lacks score.weight"),
        (tmp_path / "nowhere", "can't be loaded"),
    ]:
        done, _ = score(folder)
        assert done.returncode == 1
        assert f"reward.model={folder} {cause}" in done.stderr
        assert "Traceback" not in done.stderr
