"""What a user's code does to the process as it is loaded ends with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoplastic.user_code.project import open_project


@pytest.mark.parametrize("then", ["", "raise ValueError('no')"])
def test_code_that_changes_the_folder_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    (tmp_path / "here ä").mkdir()
    monkeypatch.chdir(tmp_path / "here ä")
    Path("mine.py").write_text(f"import os\nos.chdir('/')\nTHERE = os.getcwd()\n{then}\n")
    if then:
        with pytest.raises(ValueError, match="no"):
            open_project(Path("mine.py")).load()
    else:
        assert open_project(Path("mine.py")).load().THERE == "/"
    assert Path.cwd() == tmp_path / "here ä"


def test_what_it_prints_is_no_answer_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = tmp_path / "mine.py"
    main.write_text("import sys\nprint('read', 3, sep='-')\nprint('asked for', file=sys.stdout)\n")
    open_project(main).load()
    assert capsys.readouterr() == ("asked for\n", "read-3\n")
