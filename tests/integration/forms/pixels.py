"""Colours of a PNG, decoded by the browser: pixels know nothing of style sheets, so they check what was computed from them."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

Pixel = tuple[int, int, int]

_COUNT = """async ([png, box]) => {
  const bytes = Uint8Array.from(atob(png), (sign) => sign.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const [left, top, width, height] = box ?? [0, 0, image.width, image.height];
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, -left, -top);
  const data = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const found = new Map();
  for (const pixel of data) found.set(pixel, (found.get(pixel) ?? 0) + 1);
  return [...found];
}"""


async def colours(browser: Any, png: bytes, box: tuple[int, int, int, int] | None = None) -> Counter[Pixel]:
    """How often each colour stands in a rectangle (left, top, width, height), or in the whole picture."""
    page = await browser.new_page()
    try:
        found = await page.evaluate(_COUNT, [base64.b64encode(png).decode(), box])
    finally:
        await page.close()
    return Counter({(pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255): count for pixel, count in found})


def contrast(inside: Counter[Pixel]) -> float:
    """Between the commonest colour and the one farthest from it."""
    background = inside.most_common(1)[0][0]
    return max(_ratio(background, colour) for colour in inside)


def _ratio(one: Pixel, other: Pixel) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(pixel: Pixel) -> float:
    parts = [(p / 255 / 12.92) if p <= 10 else (((p / 255) + 0.055) / 1.055) ** 2.4 for p in pixel]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
