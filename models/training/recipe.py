"""Reading `recipe.toml`, and trying other values than it says."""

import tomllib
from pathlib import Path

from views import Mistake


def add_recipe(parser):
    parser.add_argument("--recipe", type=Path, default=Path(__file__).with_name("recipe.toml"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another value for a key of the recipe, e.g. paste.chance=0.0")


def read_recipe(path, changes=()):
    try:
        recipe = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Mistake(f"{path}: there is no such recipe") from None
    except tomllib.TOMLDecodeError as e:
        raise Mistake(f"{path}: {e}") from None
    for change in changes:
        key, _, value = change.partition("=")
        *tables, last = key.split(".")
        table = recipe
        for name in tables:
            table = table.get(name, {})
        if last not in table:
            raise Mistake(f"--set {change}: {path.name} has no key {key}")
        try:
            table[last] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            raise Mistake(f"--set {change}: {value!r} is no TOML value; write for example paste.chance=0.5") from None
    return recipe
