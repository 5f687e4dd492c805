// Colours and letter size as they reach the eye: raw layers only; the contrast is computed outside, by pure code.
const colours = new Map();
function colourOf(text) {
  if (!colours.has(text)) {
    const plain = /^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/.exec(text);
    if (plain) colours.set(text, [+plain[1], +plain[2], +plain[3], plain[4] === undefined ? 1 : +plain[4]]);
    else {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      colours.set(text, [r, g, b, a / 255]);
    }
  }
  return colours.get(text);
}

let canvasColour = null;
function canvasOf() {
  if (!canvasColour) {
    const probe = document.createElement("div");
    probe.style.cssText = "background-color: Canvas !important; display: none";
    document.documentElement.append(probe);
    canvasColour = colourOf(getComputedStyle(probe).backgroundColor);
    probe.remove();
  }
  return canvasColour;
}

// What changes colours in a way that cannot be computed from style alone.
function odd(style) {
  return style.filter !== "none" || style.backdropFilter !== "none" || style.mixBlendMode !== "normal" ||
    style.maskImage !== "none" || style.backgroundClip === "text";
}

// Layers from the text's own element up to the root; those that change nothing are left out.
function layersOf(element) {
  const found = [];
  for (const up of [element, ...ancestorsOf(element)]) {
    const style = styleOf(up);
    const background = colourOf(style.backgroundColor);
    const image = style.backgroundImage !== "none";
    const opacity = Number(style.opacity);
    if (background[3] > 0 || image || opacity < 1 || odd(style))
      found.push({ background, image, opacity, odd: odd(style) });
  }
  return found;
}

// How much a transform or zoom enlarges the letters of this element.
function scaleOf(element) {
  const whole = [element, ...ancestorsOf(element)].find((up) => up.offsetHeight > 4 && styleOf(up).display !== "inline");
  if (!whole) return 1;
  const scale = whole.getBoundingClientRect().height / whole.offsetHeight;
  return Math.abs(scale - 1) > 0.1 ? scale : 1;
}

function paintOf(element, behind = false) {
  const style = styleOf(element);
  return {
    font_px: parseFloat(style.fontSize) * scaleOf(element),
    bold: parseInt(style.fontWeight, 10) >= 600,
    color: colourOf(style.webkitTextFillColor || style.color),
    layers: layersOf(element),
    canvas: canvasOf(),
    behind,
  };
}

function paints(element) {
  const style = styleOf(element);
  const drawn = colourOf(style.backgroundColor)[3] > 0.2 || style.backgroundImage !== "none";
  return drawn || /IMG|VIDEO|CANVAS|IFRAME|SVG/i.test(element.tagName);
}

// Is something painted between this element's text and its own background, or over it? Brings the element on screen.
// Under an open modal nothing can be probed: what lies behind is then not known.
function stackAt(element, rect) {
  const modal = document.querySelector("dialog:modal");
  if ((modal && !within(element, modal)) || element.closest("[inert]")) return { covered: true, behind: true };
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const root = element.getRootNode();
  const shown = rectOf(element.getClientRects()) ?? rect;
  const x = shown.x - scrollX + Math.min(shown.width, element.getBoundingClientRect().width) / 2;
  const y = shown.y - scrollY + Math.min(shown.height, element.getBoundingClientRect().height) / 2;
  const stack = root.elementsFromPoint(x, y);
  let covered = false;
  let behind = false;
  let reached = false;
  for (const other of stack) {
    const style = styleOf(other);
    const opaque = colourOf(style.backgroundColor)[3] === 1 && Number(style.opacity) === 1;
    if (within(other, element) || within(element, other)) {
      reached = true;
      if (opaque) break;
    } else if (!reached) {
      covered = covered || paints(other);
    } else if (paints(other)) {
      behind = true;
      break;
    }
  }
  return { covered, behind };
}
