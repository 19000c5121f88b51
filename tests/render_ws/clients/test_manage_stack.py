import pytest

PATH = "/owner/owner/project/project/stack/s"


def manage(run, action, *words, status=0):
    run("StackClient", "--action", action, *words, stack="s", status=status)


def test_the_life_of_a_stack(run, client, tile):
    version = ["--versionNotes", "a b", "--stackResolutionX", 4, "--cycleNumber", 2, "--defaultChannelName", "DAPI"]
    manage(run, "CREATE", *version)
    made = client.ok("GET", PATH)
    kept = {"versionNotes": "a b", "stackResolutionX": 4.0, "cycleNumber": 2, "defaultChannel": "DAPI"}
    assert kept.items() <= made["currentVersion"].items()
    client.put(PATH, tile("a", 1, layout={"sectionId": "x"}), tile("b", 2), tile("c", 3))
    manage(run, "DELETE", "--sectionId", "x")
    manage(run, "SET_STATE", "--stackState", "COMPLETE")
    assert client.ok("GET", f"{PATH}/zValues") == [2.0, 3.0]
    copy = ["--cloneResultProject", "other", "--cloneResultStack", "t", "--zValues", 2]
    manage(run, "CLONE", *copy, "--versionNotes", "a copy")
    target = PATH.replace("project/project", "project/other").replace("stack/s", "stack/t")
    assert client.ok("GET", f"{target}/zValues") == [2.0]
    assert {**kept, "versionNotes": "a copy"}.items() <= client.ok("GET", target)["currentVersion"].items()
    manage(run, "RENAME", "--renamedStack", "u")
    assert client.ok("GET", PATH.replace("stack/s", "stack/u"))["state"] == "COMPLETE"
    manage(run, "DELETE")
    run("StackClient", "--action", "DELETE", stack="u")
    assert [stack["stack"] for stack in client.ok("GET", "/owner/owner/stackIds")] == ["t"]


def test_layers_are_removed(run, client, tile):
    client.create("s")
    client.put(PATH, tile("a", 1), tile("b", 2), tile("c", 3))
    manage(run, "DELETE", "--zValues", 1, 3)
    assert client.ok("GET", f"{PATH}/zValues") == [2.0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["CLONE"], "--cloneResultStack is missing"),
        (["RENAME"], "RENAME needs"),
        (["SET_STATE"], "--stackState is missing"),
        (["SET_STATE", "--stackState", "DONE"], "--stackState must be one of"),
        (["SET_STATE", "--stackState", "COMPLETE"], "no tiles"),
        (["CLONE", "--cloneResultStack", "t", "--zValues", "x"], "--zValues must be a number"),
    ],
)
def test_refusals(run, client, words, message, capsys):
    client.create("s")
    manage(run, *words, status=1)
    assert message in capsys.readouterr().err
