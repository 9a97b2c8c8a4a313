"""Models in shared memory."""

from pathlib import Path

from curriculum.store import shared_memory


def test_a_model_is_copied_to_shared_memory_once(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_memory, "SHARED_MEMORY", tmp_path / "shm")
    model = tmp_path / "model"
    (model / "more").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "more" / "weights").write_bytes(b"123")
    copy = Path(shared_memory.in_shared_memory(str(model)))
    assert copy.parent == tmp_path / "shm"
    assert (copy / "config.json").read_text() == "{}"
    assert (copy / "more" / "weights").read_bytes() == b"123"
    (copy / "here before").touch()
    assert shared_memory.in_shared_memory(str(model)) == str(copy)
    assert (copy / "here before").exists()
    (model / "config.json").write_text("{ }")
    assert shared_memory.in_shared_memory(str(model)) != str(copy)


def test_a_name_on_a_hub_stays_as_it_is():
    assert shared_memory.in_shared_memory("no/such-model") == "no/such-model"
