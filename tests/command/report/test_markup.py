"""HTML from plain values."""

from rendermodules.command.report.markup import Markup, element, table


def test_text_is_escaped_and_markup_is_not():
    inside = element("b", "1 < 2 & 3")
    assert inside == "<b>1 &lt; 2 &amp; 3</b>"
    assert element("p", inside, "<i>", None, [1, ["a"]]) == "<p><b>1 &lt; 2 &amp; 3</b>&lt;i&gt;1a</p>"
    assert isinstance(inside, Markup)


def test_attributes():
    made = element("a", "x", href='"><script>', class_="c", aria_label="l", hidden=True, id=None, open=False)
    assert made == '<a href="&quot;&gt;&lt;script&gt;" class="c" aria-label="l" hidden>x</a>'


def test_empty_elements():
    assert element("img", src="a") == '<img src="a">'
    assert element("td") == "<td></td>"


def test_table():
    made = table(["a", element("th", "b", class_="n")], [["<", element("td", 2, class_="n")]])
    assert made == (
        '<table><thead><tr><th>a</th><th class="n">b</th></tr></thead>'
        '<tbody><tr><td>&lt;</td><td class="n">2</td></tr></tbody></table>'
    )
