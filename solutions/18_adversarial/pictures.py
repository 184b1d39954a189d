"""Draw the picture of module 18's prose: ``python solutions/18_adversarial/pictures.py``."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from convnets import plots
from convnets.widgets.epsilon_slider import network, pgd, photo_of, target_number

FOLDER = Path(__file__).parent / "pictures"
SIDE = 224

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    cat = photo_of("cat", SIDE)
    fooled = (pgd(network(), cat, target_number("goldfish"), 2 / 255, 0.5 / 255, 10, targeted=True) * 255).round() / 255
    noise = (0.5 + 10 * (fooled - cat)).clamp(0, 1)
    fig = plots.images(
        [x[0].permute(1, 2, 0).numpy() for x in (cat, noise, fooled)],
        ["a photograph", "noise", "photograph + noise / 10"],
        columns=3,
        size=2.5,
    )
    stream = io.BytesIO()
    fig.savefig(stream, dpi=110, metadata={"Software": None})
    # Noise does not compress, so the file has a palette: most of its colours for the cat, the others for the noise.
    picture = Image.open(stream).convert("RGB")
    third = picture.width // 3
    colours: list[int] = []
    for place, count in ((0, 176), (1, 80)):
        panel = picture.crop((place * third, 0, (place + 1) * third, picture.height))
        colours += (panel.quantize(count, Image.Quantize.MAXCOVERAGE).getpalette() or [])[: 3 * count]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    small = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    small.save(FOLDER / "cat_noise_cat.png", optimize=True)
    assert np.abs((fooled - cat).numpy()).max() < 2.6 / 255
