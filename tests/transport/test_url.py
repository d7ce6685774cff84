"""`embedded:///DIR` and a folder are the same thing in two spellings."""

from pathlib import Path

import pytest

from agents.transport.embedded.url import folder_of, url_of


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("embedded:////tmp/x", Path("/tmp/x")),
        ("embedded:///var/lib/x", Path("/var/lib/x")),
        ("embedded:/var/lib/x", Path("/var/lib/x")),
        ("embedded:///./data", Path("data")),
        ("embedded:/./data", Path("data")),
        ("embedded:///../data", Path("../data")),
        ("embedded:data", Path("data")),
        ("embedded:///~/data", Path.home() / "data"),
        ("embedded:///a%20b/%E6%95%B0%25", Path("/a b/数%")),
    ],
)
def test_folder_of_a_url(url: str, folder: Path) -> None:
    """Absolute, relative, home and percent-encoded spellings give the folder."""
    assert folder == folder_of(url)


@pytest.mark.parametrize("folder", ["/a b/c", "/a,b;c", "/数据/x%y", "/q?x#y"])
def test_url_of_a_folder_leads_back(folder: str) -> None:
    """A folder's URL is free of what Faust splits at, and names the folder."""
    url = url_of(Path(folder))
    assert not {",", ";", "?", "#", " "} & set(url)
    assert Path(folder) == folder_of(url)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [("kafka://x:1", "no embedded"), ("embedded://data/x", "embedded:///data/x"), ("embedded:///", "names no")],
)
def test_what_is_no_folder_is_refused(url: str, remedy: str) -> None:
    """Another scheme, a host where the folder should begin, or nothing: the error shows what to write."""
    with pytest.raises(ValueError, match=remedy):
        folder_of(url)
