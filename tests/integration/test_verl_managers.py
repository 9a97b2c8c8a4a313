"""verl's reward managers, beside what verl's own give for the same responses as token ids."""

import asyncio
import importlib.util
import json
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("verl", reason="verl is not installed; CI has environments with it")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # what verl imports warns of its own libraries
]

# Spaces at the ends, letters of several bytes and an empty text: what tokenizers like to lose.
GSM8K = ["so it is #### 42", " #### 41 ", "42", "", "数学 🎲 #### 42", "#### 42\n\n#### 41"]
DAPO = ["Answer: 42", "Answer: 41", "I think. Answer: 42", "no idea", " Answer: 42 " + "!" * 30, ""]
RIGHT = {"openai/gsm8k": [1, 0, 0, 0, 1, 0], "math_dapo": [1, 0, 1, 0, 0, 0]}
RESPONSES = {"openai/gsm8k": GSM8K, "math_dapo": DAPO}

LENGTH = """
def compute_score(data_source, solution_str, ground_truth, extra_info, scale=1.0):
    if "raise" in solution_str:
        raise ValueError("no answer in it")
    return scale * len(solution_str) * extra_info["weight"]

def of_batch(data_sources, solution_strs, ground_truths, extra_infos, scale=1.0, offset=0.0):
    lengths = [len(each) + offset for each in solution_strs]
    return [scale * each * info["weight"] for each, info in zip(lengths, extra_infos)]

async def later(data_source, solution_str, ground_truth, extra_info):
    return {"score": len(solution_str) * extra_info["weight"], "other": 7}
"""


def rows_of(*sources):
    return [
        {
            "prompt": [{"role": "user", "content": f"{source} {number}"}],
            "data_source": source,
            "reward_model": {"style": "rule", "ground_truth": "42"},
            "extra_info": {"index": number, "weight": 0.1},
            "response": response,
        }
        for number, source in enumerate(sources)
        for response in RESPONSES[source]
    ]


@pytest.fixture(scope="module")
def tokenizer():
    """Bytes and a few longer pieces, with special tokens at pad and end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=280,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<pad>", "<end>"],
        show_progress=False,
    )
    trained.train_from_iterator([*GSM8K, *DAPO], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=trained, pad_token="<pad>", eos_token="<end>")


@pytest.fixture
def data(tokenizer):
    """What a trainer hands to a manager: prompts padded on the left, responses on the right."""
    import torch
    from verl import DataProto

    def padded(texts, side):
        ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        width = max(map(len, ids))
        tokens = torch.full((len(ids), width), tokenizer.pad_token_id)
        mask = torch.zeros(len(ids), width, dtype=torch.long)
        for row, own in enumerate(ids):
            place = slice(0, len(own)) if side == "right" else slice(width - len(own), width)
            tokens[row, place] = torch.tensor(own, dtype=torch.long)
            mask[row, place] = 1
        return tokens, mask

    def data(rows):
        prompts, prompt_mask = padded([row["prompt"][0]["content"] for row in rows], "left")
        responses, response_mask = padded([row["response"] for row in rows], "right")
        extra = [json.loads(json.dumps(row["extra_info"])) for row in rows]
        return DataProto.from_single_dict(
            {
                "prompts": prompts,
                "responses": responses,
                "input_ids": torch.cat([prompts, responses], dim=1),
                "attention_mask": torch.cat([prompt_mask, response_mask], dim=1),
                "data_source": np.array([row["data_source"] for row in rows], object),
                "reward_model": np.array([row["reward_model"] for row in rows], object),
                "extra_info": np.array(extra, object),
            }
        )

    return data


@pytest.fixture
def reward_loop(data, tokenizer):
    """verl's own scores and what else it says, through its own loader of reward managers."""
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import load_reward_manager

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def scores(rows, name, **reward):
        config = {"reward": {"reward_manager": {"source": "register", "name": name}, **reward}}
        manager = load_reward_manager(OmegaConf.create(config), tokenizer)
        batch = data(rows)
        said = [
            loop.run_until_complete(manager.run_single(batch.select_idxs([row])))
            for row in range(len(rows))
        ]
        return (
            [float(each["reward_score"]) for each in said],
            [each["reward_extra_info"] for each in said],
        )

    yield scores
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def before_the_loop(data, tokenizer):
    """verl's own scores by a manager from before the reward loop, as 32-bit numbers."""
    from verl.workers.reward_manager import get_reward_manager_cls

    def scores(rows, name, function, **reward_kwargs):
        manager = get_reward_manager_cls(name)(
            tokenizer=tokenizer, num_examine=0, compute_score=function, **reward_kwargs
        )
        return manager(data(rows), return_dict=True)["reward_tensor"].sum(-1).numpy()

    yield scores
    asyncio.set_event_loop(None)  # prime leaves a closed one


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    """A file of reward functions, and they themselves."""
    path = tmp_path_factory.mktemp("functions") / "lengths.py"
    path.write_text(LENGTH)
    spec = importlib.util.spec_from_file_location("lengths", path)
    assert spec is not None and spec.loader is not None
    functions = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = functions  # where prime's processes look for them
    spec.loader.exec_module(functions)
    yield path, functions
    del sys.modules[spec.name]


@pytest.fixture
def ours(run, tmp_path):
    """The rewards of run.py and its output."""

    def ours(rows, *arguments):
        (tmp_path / "in").mkdir(exist_ok=True)
        pd.DataFrame(rows).to_parquet(tmp_path / "in" / "rollouts.parquet")
        done = run("preset=analyze_rollouts", f"data.path={tmp_path}/in", "reward=verl", *arguments)
        assert done.returncode == 0, done.stderr
        scored = pd.read_parquet(tmp_path / "out" / "rollouts_with_rewards.parquet")
        assert scored["response"].tolist() == [row["response"] for row in rows]
        return scored["reward"].tolist(), done

    return ours


def test_naive_gives_verl_s_own_scores(ours, reward_loop):
    rows = rows_of("openai/gsm8k")
    own, _ = reward_loop(rows, "naive")
    assert own == RIGHT["openai/gsm8k"]
    assert ours(rows, "reward.manager=naive")[0] == own


def test_naive_with_a_function_that_is_async_and_reads_extra_info(ours, reward_loop, function):
    path, _ = function
    rows = rows_of("openai/gsm8k", "math_dapo")
    own, _ = reward_loop(rows, "naive", custom_reward_function={"path": str(path), "name": "later"})
    assert own == pytest.approx([0.1 * len(row["response"]) for row in rows])
    arguments = ("reward.manager=naive", f"reward.path={path}", "reward.name=later")
    assert ours(rows, *arguments)[0] == own


PENALTY = {
    "max_resp_len": 24,
    "overlong_buffer_cfg": {"enable": True, "len": 16, "penalty_factor": 0.5, "log": False},
}
SAID = (
    "reward.reward_kwargs={max_resp_len:24,"
    "overlong_buffer_cfg:{enable:true,len:16,penalty_factor:0.5,log:false}}"
)


@pytest.fixture
def saved(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def test_dapo_s_penalty_is_in_reward_score_as_in_training(ours, reward_loop, saved, tokenizer):
    rows = rows_of("openai/gsm8k", "math_dapo")
    own, _ = reward_loop(rows, "dapo", reward_kwargs=PENALTY)
    right = np.array([*RIGHT["openai/gsm8k"], *(2 * np.array(RIGHT["math_dapo"]) - 1)])
    tokens = np.array([len(tokenizer.encode(row["response"])) for row in rows])
    penalty = np.minimum(-(tokens - 8) / 16 * 0.5, 0)
    assert (penalty < 0).any() and (penalty == 0).any()
    assert own == pytest.approx(right + penalty)
    arguments = ("reward.manager=dapo", SAID, "reward.key=reward_score")
    assert ours(rows, *arguments, f"reward.tokenizer={saved}")[0] == own


def test_dapo_s_penalty_is_not_in_acc_and_needs_no_tokenizer_then(ours, reward_loop):
    rows = rows_of("math_dapo")
    _, said = reward_loop(rows, "dapo", reward_kwargs=PENALTY)
    assert [each["acc"] for each in said] == RIGHT["math_dapo"]
    rewards, done = ours(rows, "reward.manager=dapo", SAID)
    assert rewards == RIGHT["math_dapo"]
    assert "dapo's penalty on length does not count: reward.key=reward_score has it" in done.stderr


def test_batch_calls_a_function_of_batches(ours, before_the_loop, function):
    path, functions = function
    rows = rows_of("openai/gsm8k", "math_dapo")
    own = before_the_loop(rows, "batch", functions.of_batch, scale=2.0, offset=1.0)
    arguments = ("reward.manager=batch", f"reward.path={path}", "reward.name=of_batch")
    rewards, _ = ours(
        rows, *arguments, "reward.reward_kwargs={scale:2.0}", "reward.function_kwargs={offset:1.0}"
    )
    assert np.float32(rewards).tolist() == own.tolist()
    assert rewards == [2.0 * (len(row["response"]) + 1.0) * 0.1 for row in rows]


def test_prime_gives_verl_s_own_scores(ours, before_the_loop):
    from verl.utils.reward_score import default_compute_score

    rows = rows_of("openai/gsm8k")
    own = before_the_loop(rows, "prime", default_compute_score)
    assert own.tolist() == RIGHT["openai/gsm8k"]
    rewards, done = ours(rows, "reward.manager=prime")
    assert rewards == own.tolist()
    assert not np.signbit(rewards).any()
    assert "subprocess(es) terminated" not in done.stdout


def test_what_prime_swallows_is_a_failure_with_its_cause(
    run, before_the_loop, function, tmp_path, read_result
):
    path, functions = function
    rows = rows_of("openai/gsm8k")[:2]
    rows[1]["response"] = "raise!"
    own = before_the_loop(rows, "prime", functions.compute_score)
    assert own.tolist() == [np.float32(1.6), 0.0]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run(
        *("data=rollouts", f"data.path={tmp_path}/rollouts.parquet", "reward=verl"),
        *("reward.manager=prime", f"reward.path={path}"),
    )
    assert done.returncode == 0, done.stderr
    failed = pd.read_parquet(tmp_path / "out" / "rejects" / "failed_rollouts.parquet")
    assert failed["cause"].tolist() == [
        "RuntimeError: the prime manager's 0.0 for a failure: "
        "[Error] Task failed: no answer in it, completion: raise!"
    ]
    assert read_result(tmp_path / "out")["mean_reward"] == 16 * 0.1


def test_prime_takes_no_dicts(run, before_the_loop, tmp_path):
    """verl's own has 0.0 for each of them, right or wrong."""
    from verl.utils.reward_score import default_compute_score

    rows = rows_of("math_dapo")[:1]
    assert before_the_loop(rows, "prime", default_compute_score).tolist() == [0.0]
    pd.DataFrame(rows).to_parquet(tmp_path / "rollouts.parquet")
    done = run(
        *("data=rollouts", f"data.path={tmp_path}/rollouts.parquet", "reward=verl"),
        "reward.manager=prime",
    )
    assert done.returncode == 1
    assert "prime can't read the dict that the function gives: reward.manager=naive" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reward.manager=gdpo"], "reward.manager=gdpo: one of 'naive', 'dapo'"),
        (["reward.manager=batch"], "f(data_sources, solution_strs, ground_truths, extra_infos"),
        (["reward.path=f.py"], "reward.path is for a reward.manager; without one: reward=function"),
        (["reward.reward_kwargs={a:1}"], "reward.reward_kwargs is for a reward.manager"),
        (["reward.tokenizer=small"], "reward.tokenizer is for a reward.manager"),
        (["reward.manager=naive", "reward.path=no.py"], "there is no no.py"),
        (["reward.manager=dapo", SAID, "reward.key=reward_score"], "reward.tokenizer=NAME"),
        (
            ["reward.manager=dapo", "reward.reward_kwargs={overlong_buffer_cfg:{enable:true}}"],
            "reward.reward_kwargs, says verl's dapo manager: max_resp_len must be provided",
        ),
        (
            ["reward.manager=prime", "reward.reward_kwargs={a:1}"],
            "reward.reward_kwargs, says verl's prime manager: ",
        ),
        (
            ["reward.manager=dapo", "reward.tokenizer=/nowhere"],
            "reward.tokenizer=/nowhere can't be",
        ),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_mistakes_are_told_before_anything_is_scored(run, tmp_path, arguments, words):
    done = run("reward=verl", *arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert not list((tmp_path / "out").rglob("failed_rollouts.parquet"))
    assert done.stderr.rstrip().splitlines()[-1].startswith("error: ")
