"""A real model of transformers, very small and untrained, and runs that are killed."""

import shutil
import signal

import pandas as pd
import pytest

pytest.importorskip("torch", reason="torch is not installed; CI has an environment with it")
pytest.importorskip("transformers", reason="transformers is not installed; CI has it")

TEMPLATE = (
    "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}={% endif %}"
)
OPTIONS = ["generator=transformers", "generator.max_new_tokens=6", "reward=exact_match"]


@pytest.fixture
def problems(tmp_path):
    rows = [{"prompt": f"{i}+{i}" + "+1" * (i % 7), "ground_truth": str(2 * i)} for i in range(40)]
    path = tmp_path / "problems.jsonl"
    pd.DataFrame(rows).to_json(path, orient="records", lines=True)
    return path


@pytest.fixture
def generated(run, tmp_path, model, problems):
    """The flat file of a run that stops after its rollouts."""

    def generated(name, *options, model=model):
        done = run(
            *OPTIONS,
            "data=verl",
            f"data.path={problems}",
            f"model.path={model}",
            "num_samples=4",
            "until=rollouts",
            f"output_dir={tmp_path}/{name}",
            f"store_dir={tmp_path}/store_{name}",
            *options,
        )
        assert done.returncode == 0, done.stderr
        return pd.read_parquet(tmp_path / name / "rollouts.parquet")

    return generated


def test_the_flat_file_is_what_data_rollouts_reads(run, tmp_path, generated):
    flat = generated("flat")
    assert len(flat) == 160
    assert flat.groupby("data_idx")["sample_idx"].apply(sorted).tolist() == [[0, 1, 2, 3]] * 40
    assert {"prompt", "response", "finish_reason", "original_ground_truth"} <= set(flat)
    assert flat["response"].nunique() > 100
    path = f"data.path={tmp_path}/flat/rollouts.parquet"
    done = run("data=rollouts", path, "reward=exact_match", f"output_dir={tmp_path}/again")
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "again" / "problems.parquet")
    cut_off = flat["finish_reason"] == "length"
    assert table["truncated"].sum() == cut_off.sum() > 0
    assert "were cut off by the limit of new tokens" in done.stdout


def test_the_same_seed_gives_the_same_and_another_seed_others(generated):
    first, same, other = generated("a"), generated("b"), generated("c", "generator.seed=1")
    pd.testing.assert_frame_equal(first, same)
    assert (first["response"] != other["response"]).mean() > 0.9


def test_without_sampling_responses_are_the_likeliest_whatever_the_batch(model, generated):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    greedy = ["generator.do_sample=false", "num_samples=1"]
    flat = generated("greedy", *greedy, "generator.batch_size=7")
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model).eval()
    for prompt, response in zip(flat["prompt"], flat["response"], strict=True):
        ids = tokenizer(prompt)["input_ids"]
        new: list[int] = []
        for _ in range(6):
            with torch.inference_mode():
                token = int(network(torch.tensor([ids + new])).logits[0, -1].argmax())
            if token == tokenizer.eos_token_id:
                break
            new.append(token)
        assert tokenizer.decode(new, skip_special_tokens=True) == response


def test_prompts_go_through_the_chat_template(tmp_path, model, generated):
    from transformers import AutoTokenizer

    with_template = tmp_path / "chat"
    shutil.copytree(model, with_template)
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(with_template)
    greedy = ["generator.do_sample=false", "num_samples=1"]
    chat = generated("chat_out", *greedy, model=with_template)
    plain = generated("plain_out", *greedy)
    assert (chat["response"] != plain["response"]).any()


def test_prompts_that_are_too_long_are_an_error_or_cut(run, tmp_path, model, problems, generated):
    cut = generated("cut", "generator.max_prompt_length=4", "generator.truncation=left")
    assert len(cut) == 160
    done = run(
        *OPTIONS,
        "data=verl",
        f"data.path={problems}",
        f"model.path={model}",
        "generator.max_prompt_length=4",
    )
    assert done.returncode == 1
    assert "more than generator.max_prompt_length=4" in done.stderr
    assert "generator.truncation=left" in done.stderr


def test_a_run_killed_five_times_ends_like_one_never_killed(
    tmp_path, model, problems, generated, run_killed
):
    whole = generated("whole", "generator.batch_size=4")
    codes = run_killed(
        [1, 2, 9, 1, 12],
        *(*OPTIONS, "data=verl", f"data.path={problems}", f"model.path={model}", "num_samples=4"),
        *("until=rollouts", "generator.batch_size=4"),
        *(f"output_dir={tmp_path}/killed", f"store_dir={tmp_path}/store_killed"),
    )
    assert codes == [-signal.SIGKILL] * 5 + [0]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "killed" / "rollouts.parquet"), whole)


def test_shards_make_what_one_run_makes(run, read_result, tmp_path, model, problems, generated):
    whole = generated("whole", "generator.batch_size=16")
    done = run(
        *("-m", "generator.shards=16", "generator.shard=range(0,16)", *OPTIONS, "data=verl"),
        *(f"data.path={problems}", f"model.path={model}", "num_samples=4", "until=rollouts"),
        *("generator.batch_size=16", f"output_dir={tmp_path}/shards"),
        f"store_dir={tmp_path}/store_shards",
    )
    assert done.returncode == 0, done.stderr
    results = [read_result(tmp_path / "shards" / str(shard)) for shard in range(16)]
    assert [each["batches"] for each in results] == [*range(1, 10), *[10] * 7]  # 10 in all
    for shard in range(9, 16):
        flat = tmp_path / "shards" / str(shard) / "rollouts.parquet"
        pd.testing.assert_frame_equal(pd.read_parquet(flat), whole)
    assert not (tmp_path / "shards" / "8" / "rollouts.parquet").exists()


def test_no_problem_is_nothing_to_generate_for(run, tmp_path, model):
    (tmp_path / "none.jsonl").write_text("")
    done = run(*OPTIONS, "data=verl", f"data.path={tmp_path}/none.jsonl", f"model.path={model}")
    assert done.returncode == 1
    assert "holds no problem to generate rollouts of" in done.stderr
    assert "Traceback" not in done.stderr
