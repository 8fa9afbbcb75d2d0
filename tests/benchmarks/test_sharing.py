"""The benchmark of trainings that share a device."""

import json

import pytest

from benchmarks.sharing import Shared, main, table


@pytest.mark.thorough
def test_each_network_is_trained_by_so_many_processes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--tiny", "--network", "dw-s conv.", "--processes", "2", "--seconds", "0.05"]
    main([*asked, "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["network"], row["processes"]) for row in rows] == [
        ("DW-S Conv.", 2),
        ("Dynamic DW-S Conv.", 2),
    ]
    assert all(row["images_per_second"] > 0 for row in rows)


def test_the_gain_is_over_one_alone() -> None:
    rows = [Shared("ViT", 1, 100.0), Shared("ViT", 4, 250.0), Shared("MLP", 2, 50.0)]
    lines = table(rows).splitlines()[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["1.00×", "2.50×", "–"]


def test_an_unknown_network_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--network", "nothing"])
    assert "there are DW-S Conv., Dynamic DW-S Conv." in capsys.readouterr().err
