"""`vidgen bench`, quick and small."""

import json

import pytest


def test_a_table_a_file_and_a_picture(vidgen, tmp_path):
    words = ["--quick", "--sizes", "64x48", "--json", tmp_path, "--plot", "plot.svg"]
    result = vidgen("bench", *words)
    assert result.returncode == 0, result.stderr
    (path,) = tmp_path.glob("bench-*.json")
    data = json.loads(path.read_text("utf-8"))
    kinds = [row["kind"] for row in data["rows"]]
    assert kinds.count("null") == kinds.count("file") == 4
    assert kinds.count("engine") >= 3
    assert len(result.stdout.splitlines()) == 2 + len(kinds)
    assert "OpenVINO" in data["engine"]
    assert {"cpu", "cores", "versions", "commit", "command"} <= data["machine"].keys()
    assert (tmp_path / "plot.svg").read_text("utf-8").startswith("<svg")
    same = vidgen("bench", "compare", path, path)
    assert "| 1.00 |" in same.stdout


def test_a_proof(vidgen):
    result = vidgen("bench", "--realtime", "1", "--quick", "--sizes", "64x48", "--quiet")
    assert result.returncode in (0, 1), result.stderr
    assert "arriving a second" in result.stdout
    assert "| lag |" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "mentioned"),
    [
        (["--sizes", "big"], 2, "--sizes big"),
        (["--sizes", "65x48"], 2, "even"),
        (["compare", "a.json"], 2, "give `vidgen bench compare"),
        (["compare", "a.json", "b.json"], 1, "a.json: cannot be read"),
        (["--realtime", "often"], 2, "--realtime often"),
    ],
)
def test_refusals(vidgen, words, code, mentioned):
    result = vidgen("bench", *words)
    assert result.returncode == code
    assert mentioned in result.stderr
    assert len(result.stderr.splitlines()) == 1
