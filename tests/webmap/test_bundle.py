"""Joining modules keeps their meaning and refuses what it does not understand."""

import pytest

from webmap.assets import BundleError, bundle, drop_notes

MODULES = {
    "main": 'import { twice as double, Box } from "./sums.js";\nimport { say } from "./say-it.js";\n'
    "say(double(new Box(20).size + 1));\n",
    "sums": 'import { one } from "./one.js";\nexport function twice(x) { return local(x) * one; }\n'
    "function local(x) { return 2 * x; }\nexport class Box { constructor(size) { this.size = size; } }\n",
    "one": "const local = 1;\nexport const one = local;\n",
    "say-it": 'import { one } from "./one.js";\nexport const say = (x) => globalThis.heard.push(x * one);\n',
}


def test_each_module_comes_once_after_what_it_imports() -> None:
    joined = bundle(MODULES, "main")
    places = [joined.index(f"const ${name} = ") for name in ("one", "sums", "say_it", "main")]
    assert places == sorted(places)
    assert joined.count("const $one = ") == 1
    assert "import" not in joined
    assert "export" not in joined


def test_the_joined_modules_do_what_the_modules_did(browser: object) -> None:
    page = browser.new_page()  # type: ignore[attr-defined]
    page.evaluate("globalThis.heard = []")
    page.evaluate(f"(() => {{ {bundle(MODULES, 'main')} }})()")
    assert page.evaluate("globalThis.heard") == [42]
    page.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('import { main } from "./main.js";\n', "circular"),
        ('import { x } from "./missing.js";\n', "missing.js"),
        ('import * as all from "./one.js";\n', "not understood"),
        ("export default 1;\n", "not understood"),
        ("export let changing = 1;\n", "not understood"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(source: str, said: str) -> None:
    modules = {"main": 'import { a } from "./other.js";\n', "other": source, "one": ""}
    with pytest.raises(BundleError, match=said):
        bundle(modules, "main")


def test_lines_of_comment_stay_with_the_sources_and_nothing_else_does() -> None:
    kept = [
        b'const a = "// b"; // behind code\n',
        b"let c = 1 /* within code */ + 2;\n",
        b"a { b: c; } /* behind */\n",
    ]
    gone = [b"/** Says\n * what.\n */\n", b"  // alone\n", b"  /* in a\n     block */\n"]
    assert drop_notes(b"".join(one + other for one, other in zip(gone, kept, strict=True))) == b"".join(kept)
