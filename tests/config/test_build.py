"""What is wrong with a value: the key, the value, and what it must be."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from curriculum.config.build import build, typed
from curriculum.core.errors import UserError

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Settings:
    needed: int
    share: Share = 0.5
    maybe: Share | None = None
    open: Annotated[float, Field(gt=0, lt=1)] = 0.5
    half: Annotated[float, Field(gt=0, le=1)] = 0.5
    many: Annotated[int, Field(ge=1)] = 1
    few: Annotated[int, Field(le=9)] = 1
    way: Literal["up", "down"] = "up"
    flag: bool = False
    name: str = ""
    shares: list[Share] = field(default_factory=list)
    weights: dict[str, Annotated[float, Field(gt=0)]] = field(default_factory=dict)
    files: str | list[str] = ""
    pair: tuple[float, float] = (0.0, 1.0)
    maybe_pair: tuple[float, float] | None = None
    anything: Any = None
    made: int = field(init=False, default=0)


def test_values_become_a_dataclass_with_its_defaults():
    made = typed(Settings, {"needed": 3, "share": 1, "weights": {"a": 2.0}}, "sampler")
    assert made == Settings(3, share=1.0, weights={"a": 2.0})
    assert isinstance(made.share, float)
    listed = typed(Settings, {"needed": 3, "pair": [1, 2], "maybe_pair": [3, 4]}, "sampler")
    assert (listed.pair, listed.maybe_pair) == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("share", 3, "s.share=3: 0 to 1"),
        ("share", -0.1, "s.share=-0.1: 0 to 1"),
        ("share", "abc", "s.share=abc: a number, 0 to 1"),
        ("share", None, "s.share=null: a number, 0 to 1"),
        ("share", True, "s.share=true: a number, 0 to 1"),
        ("maybe", 3, "s.maybe=3: 0 to 1"),
        ("open", 0, "s.open=0: above 0, below 1"),
        ("half", 0, "s.half=0: above 0, 1 or less"),
        ("many", 0, "s.many=0: 1 or more"),
        ("many", 1.5, "s.many=1.5: a whole number, 1 or more"),
        ("few", 10, "s.few=10: 9 or less"),
        ("way", "left", "s.way=left: one of 'up', 'down'"),
        ("flag", "yes", "s.flag=yes: true or false"),
        ("flag", 1, "s.flag=1: true or false"),
        ("name", 3, "s.name=3: a text"),
        ("shares", 0.5, "s.shares=0.5: a list, said as [a,b]"),
        ("shares", [0.5, 2], "s.shares.1=2: 0 to 1"),
        ("weights", [1], "s.weights=[1]: a mapping, said as {a: 1}"),
        ("weights", {"a": 1, "b": 0}, "s.weights.b=0: above 0"),
        ("pair", 3, "s.pair=3: a list, said as [a,b]"),
        ("files", 3, "s.files=3: a text or a list, said as [a,b]"),
        ("made", 3, "s.made is no key; there are: "),
    ],
)
def test_a_mistake_names_key_value_and_what_it_must_be(key, value, message):
    with pytest.raises(UserError) as caught:
        typed(Settings, {"needed": 1, key: value}, "s")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_every_mistake_has_its_line():
    with pytest.raises(UserError) as caught:
        typed(Settings, {"share": 3, "nope": 1}, "s", {"edges"})
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == ["s.needed", "s.share=3:", "s.nope"]
    assert "anything, edges, few" in lines[-1]


def test_a_value_that_the_file_leaves_open_is_required():
    with pytest.raises(UserError, match=r"s\.needed is required"):
        typed(Settings, {"needed": "???"}, "s")


def test_only_this_package_and_plugins_are_instantiated():
    with pytest.raises(UserError, match=r"os\.system"):
        build({"bucketer": {"_target_": "os.system"}}, "bucketer")
    with pytest.raises(UserError, match=r"curriculum\.Nope"):
        build({"bucketer": {"_target_": "curriculum.Nope"}}, "bucketer")
    with pytest.raises(UserError, match="is not a dataclass"):
        build({"bucketer": {"_target_": "curriculum.config.build.build"}}, "bucketer")
