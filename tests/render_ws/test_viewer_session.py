"""Browsers that gave the token once."""

from rendermodules.render_ws.adapter import EMBEDDED_URL


def test_a_browser_that_gave_the_token_is_known(connect, tile):
    client = connect(token="correct horse battery staple")
    url = f"{EMBEDDED_URL}/viewer"

    def ask(path, method="GET", **headers):
        return client.session.request(method, url + path, headers=headers, allow_redirects=False)

    answer = ask("/project.html?owner=a&project=b")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/viewer/sign-in.html?next=%2Fviewer%2Fproject.html%3Fowner%3Da%26project%3Db"
    assert ask("/sign-in.html").status_code == ask("/sign-in.js").status_code == 200
    assert ask("/data/owner/o/project/p/stack/s/z/1/outlines").status_code == 401
    assert ask("/session", "POST", Authorization="Bearer wrong").status_code == 401
    answer = ask("/session", "POST", Authorization="Bearer correct horse battery staple")
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert "correct" not in cookie
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    name, _, value = cookie.split(";")[0].partition("=")
    assert ask("/project.html", Cookie=f"{name}={value}").status_code == 200
    assert client.session.get(client.base + "/owners", headers={"Cookie": f"{name}={value}"}).status_code == 200
    assert client.session.get(client.base + "/owners", headers={"Cookie": f"{name}=0{value}"}).status_code == 401
