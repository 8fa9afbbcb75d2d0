"""Scenes of real frames: vizdoom renders levels of Freedoom, and says which pixel shows what.

vizdoom's own code is under the MIT licence, the ZDoom that it drives under several, and Freedoom's
levels and pictures under a BSD licence. They are not of this project: frames are rendered where a
test needs them and lie in its folder only. None is committed, and none goes into a package.
"""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.scene_folders import Scene, Thing

CLASSES = ("monster", "item", "tree", "barrel", "decoration")
"""Of things, from the commonest."""
STUFF = ("wall", "floor", "ceiling", "distance")
"""What is behind them; distance is the sky, and walls farther than depth is measured."""

_CATEGORIES = {
    "Monster": "monster",
    **dict.fromkeys(("Armor", "Health", "Ammo", "Key", "Weapon", "PowerUp"), "item"),
    "Vegetation": "tree",
    "Hazard": "barrel",
    **dict.fromkeys(("Decoration", "LightSource"), "decoration"),
}
"""vizdoom's categories; what is of none of them, such as remains, is of no class."""
_MAPS = ("MAP01", "MAP07", "MAP11")
_FLAT = 1
"""The label of floors and ceilings; walls and the sky have 0, things numbers of their own."""
_FAR = 63
"""The largest depth that is written."""
_LEAST = 16
"""Pixels of a thing that counts."""


def render_scenes(folder: Path, count: int, seed: int = 0, *, large: bool = False) -> list[Scene]:
    """Frames near things of three levels, seen from random places; the same for the same seed.

    Args:
        folder: where the engine writes its settings.
        large: 240 × 320 pixels instead of 120 × 160.

    Skips the test where vizdoom is not installed.
    """
    pytest.importorskip("vizdoom", reason="vizdoom, which renders the frames, is not installed")
    generator = np.random.default_rng(seed)
    scenes: list[Scene] = []
    for number, level in enumerate(_MAPS):
        wanted = len(range(number, count, len(_MAPS)))
        with _game(folder, level, seed, large) as game:
            frames = _frames(game, generator)
            scenes += [next(frames) for _ in range(wanted)]
    return [scenes[i] for i in generator.permutation(len(scenes))]


@contextmanager
def _game(folder: Path, level: str, seed: int, large: bool) -> Iterator[Any]:
    """A level in which nothing moves and nobody is hurt."""
    import vizdoom

    folder.mkdir(parents=True, exist_ok=True)
    game = vizdoom.DoomGame()
    game.set_doom_game_path(str(Path(vizdoom.__file__).with_name("freedoom2.wad")))
    game.set_doom_map(level)
    size = vizdoom.ScreenResolution.RES_320X240 if large else vizdoom.ScreenResolution.RES_160X120
    game.set_screen_resolution(size)
    game.set_screen_format(vizdoom.ScreenFormat.RGB24)
    for name in ("labels_buffer", "depth_buffer", "objects_info"):
        getattr(game, f"set_{name}_enabled")(True)
    for name in ("hud", "weapon", "crosshair", "decals", "particles", "messages", "screen_flashes"):
        getattr(game, f"set_render_{name}")(False)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_mode(vizdoom.Mode.PLAYER)
    game.set_seed(seed)
    game.set_available_buttons([vizdoom.Button.TURN_LEFT_RIGHT_DELTA])
    game.add_game_args("+sv_cheats 1 +cl_showsecretmessage 0 +con_midtime 0")
    with chdir(folder):  # the engine writes files where it is started
        game.init()
        try:
            for command in ("god", "notarget", "freeze"):
                game.send_game_command(command)
            yield game
        finally:
            game.close()


def _frames(game: Any, generator: np.random.Generator) -> Iterator[Scene]:
    """Frames that show something, one after the other without end."""
    others = [each for each in game.get_state().objects if each.name != "DoomPlayer"]
    while True:
        chosen = others[generator.integers(len(others))]
        angle, distance = generator.uniform(0, 2 * np.pi), generator.uniform(80, 300)
        x = chosen.position_x + distance * np.cos(angle)
        y = chosen.position_y + distance * np.sin(angle)
        game.send_game_command(f"warp {x:.0f} {y:.0f}")
        game.make_action([0], 1)
        player = next(each for each in game.get_state().objects if each.name == "DoomPlayer")
        wanted = np.degrees(angle) + 180 + generator.uniform(-25, 25)
        game.make_action([float((player.angle - wanted + 180) % 360 - 180)], 2)
        scene = _scene(game.get_state())
        if scene is not None:
            yield scene


def _scene(state: Any) -> Scene | None:
    """What a frame shows; None from within a wall, or with nothing to see."""
    labels, depth = state.labels_buffer, state.depth_buffer
    if (depth == 0).mean() > 0.3:
        return None
    things = []
    for each in state.labels:
        mask: NDArray[np.bool_] = labels == each.value
        name = _CATEGORIES.get(each.object_category)
        if name is not None and mask.sum() >= _LEAST:
            things.append(Thing(name, mask))
    if not things:
        return None
    below = np.arange(labels.shape[0])[:, None] >= labels.shape[0] // 2  # eyes look straight on
    flat, far = labels == _FLAT, depth >= _FAR
    stuff = {
        "wall": (labels == 0) & ~far,
        "floor": flat & below,
        "ceiling": flat & ~below,
        "distance": (labels == 0) & far,
    }
    return Scene(state.screen_buffer.copy(), tuple(things), stuff)
