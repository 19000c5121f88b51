from rendermodules.core.match_coverage import Component, SectionCoverage, connected_components, section_coverage


def pair(p, q):
    return tuple(p.split("/")), tuple(q.split("/"))


def test_figures_of_sections():
    expected = [pair("9/a", "9/b"), pair("9/b", "9/c"), pair("10/a", "9/a"), pair("9/a", "9/c")]
    counts = {expected[0]: 12, expected[1]: 4, expected[2]: 5, pair("8/x", "8/y"): 7}
    assert section_coverage(expected, counts, 5) == [
        SectionCoverage(("10", "9"), 1, 0, 0, 5),
        SectionCoverage(("8", "8"), 1, 0, 0, 7),
        SectionCoverage(("9", "9"), 1, 1, 1, 16),
    ]
    assert section_coverage([], {}, 5) == []


def test_what_hangs_together():
    tiles = [("1", name) for name in "abcdef"]
    counts = {
        pair("1/a", "1/b"): 9,
        pair("1/b", "1/c"): 4,
        pair("1/d", "1/e"): 5,
        pair("1/e", "1/f"): 6,
        pair("1/c", "1/gone"): 99,
    }
    assert connected_components(tiles, counts, 5) == [
        Component([("1", "d"), ("1", "e"), ("1", "f")]),
        Component([("1", "a"), ("1", "b")]),
        Component([("1", "c")]),
    ]
    assert connected_components([], {}, 1) == []


def test_sections_of_a_component():
    assert Component([("1", "a"), ("2", "b"), ("1", "c")]).groups == ["1", "2"]
