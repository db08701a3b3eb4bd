"""Plans are kept, found again, and never believed when damaged."""

import stat

import pytest

from vidgen.engines.plans import cached, identity

FACTS = {"weights": {"a": "1"}, "shapes": {"y": ((4, 4), "uint8")}, "library": "x 1", "card": "c"}


def test_the_name_depends_on_every_fact_and_on_nothing_else():
    assert identity(FACTS) == identity(dict(reversed(FACTS.items())))
    names = {identity(FACTS)}
    for fact in FACTS:
        names.add(identity({**FACTS, fact: "another"}))
    assert len(names) == len(FACTS) + 1


def test_a_plan_is_built_once(tmp_path):
    built = []
    for _ in range(3):
        assert cached("n", lambda: built.append(1) or b"plan", tmp_path / "new") == b"plan"
    assert built == [1]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["n.plan"]


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "other"])
def test_a_damaged_plan_is_built_anew(tmp_path, damage, caplog):
    cached("n", lambda: b"plan" * 100, tmp_path)
    path = tmp_path / "n.plan"
    data = bytearray(path.read_bytes())
    data[-7] ^= damage == "bit"
    path.write_bytes({"cut": data[:-1], "bit": data, "empty": b"", "other": b"x" * 999}[damage])
    assert cached("n", lambda: b"new", tmp_path) == b"new"
    assert "n.plan is damaged" in caplog.text
    assert cached("n", pytest.fail, tmp_path) == b"new"


def test_where_nothing_can_be_written_it_says_so(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert cached("n", lambda: b"plan", tmp_path / "file") == b"plan"
    assert "cannot be" in caplog.text


def test_others_may_not_write_it(tmp_path):
    cached("n", lambda: b"plan", tmp_path)
    mode = (tmp_path / "n.plan").stat().st_mode
    assert not mode & (stat.S_IWGRP | stat.S_IWOTH)
