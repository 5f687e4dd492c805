// The page as it is rendered: a walk of the flat tree (open shadow roots and slots included), and what a person can see.
// Runs in an isolated world: the page's own scripts can neither read nor change these functions. No clean-up needed.
const RENDERED_NOTHING = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "TITLE"]);

function parentOf(node) {
  const parent = node.assignedSlot ?? node.parentNode;
  return parent instanceof ShadowRoot ? parent.host : parent;
}

function childrenOf(node) {
  if (node.shadowRoot) return [...node.shadowRoot.childNodes];
  if (node.tagName === "SLOT") {
    const given = node.assignedNodes({ flatten: true });
    if (given.length) return given;
  }
  return [...node.childNodes];
}

function ancestorsOf(node) {
  const found = [];
  for (let up = parentOf(node); up instanceof Element; up = parentOf(up)) found.push(up);
  return found;
}

function within(node, container) {
  for (let up = node; up; up = parentOf(up)) if (up === container) return true;
  return false;
}

// Every rendered element and text node, in document order of the flat tree.
function walk(root) {
  const nodes = [];
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data.trim()) nodes.push(node);
    } else if (node.nodeType === Node.ELEMENT_NODE && !RENDERED_NOTHING.has(node.tagName)) {
      nodes.push(node);
      childrenOf(node).forEach(visit);
    }
  };
  visit(root);
  return nodes;
}

const styles = new Map();
function styleOf(element) {
  if (!styles.has(element)) styles.set(element, getComputedStyle(element));
  return styles.get(element);
}

const squeeze = (text) => text.replace(/\s+/g, " ").trim();

// Rectangle in page coordinates. A link over several lines counts its lines, not the paragraph they span.
function rectOf(rects) {
  const shown = [...rects].filter((r) => r.width > 0 && r.height > 0);
  if (!shown.length) return null;
  const left = Math.min(...shown.map((r) => r.left));
  const top = Math.min(...shown.map((r) => r.top));
  const lines = new Set(shown.map((r) => Math.round(r.top))).size;
  const width = lines > 1 ? Math.max(...shown.map((r) => r.width)) : Math.max(...shown.map((r) => r.right)) - left;
  const height = lines > 1 ? shown.reduce((sum, r) => sum + r.height, 0) : Math.max(...shown.map((r) => r.height));
  return { x: left + scrollX, y: top + scrollY, width, height };
}

// The rectangle around all of them, in page coordinates.
function around(rects) {
  const shown = [...rects].filter((r) => r.width > 0 && r.height > 0);
  if (!shown.length) return null;
  const left = Math.min(...shown.map((r) => r.left));
  const top = Math.min(...shown.map((r) => r.top));
  const width = Math.max(...shown.map((r) => r.right)) - left;
  return { x: left + scrollX, y: top + scrollY, width, height: Math.max(...shown.map((r) => r.bottom)) - top };
}

function textRects(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getClientRects();
}

// Why a person cannot see this, or null. `rect` is in page coordinates.
function unseen(element, rect) {
  if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return "hidden";
  if (!rect || rect.width < 2 || rect.height < 2) return "no_size";
  let opacity = 1;
  let box = { left: rect.x, top: rect.y, right: rect.x + rect.width, bottom: rect.y + rect.height };
  let position = "static";
  for (const up of [element, ...ancestorsOf(element)]) {
    const style = styleOf(up);
    opacity *= Number(style.opacity);
    if (/inset\((4\d|[5-9]\d|100)%/.test(style.clipPath) || /^rect\((0|1)px/.test(style.clip)) return "clipped";
    const clips = up !== element && (position === "static" || position === "relative" || style.position !== "static");
    if (clips && position !== "fixed" && up !== document.body && up !== document.documentElement) {
      const edge = up.getBoundingClientRect();
      const [left, top] = [edge.left + scrollX, edge.top + scrollY];
      const bounds = { left, top, right: left + edge.width, bottom: top + edge.height };
      if (/auto|scroll/.test(style.overflow)) box = bounds;
      else if (/hidden|clip/.test(style.overflow)) {
        box = {
          left: Math.max(box.left, bounds.left), top: Math.max(box.top, bounds.top),
          right: Math.min(box.right, bounds.right), bottom: Math.min(box.bottom, bounds.bottom),
        };
        if (box.right - box.left < 2 || box.bottom - box.top < 2) return "clipped";
      }
    }
    if (position === "static" || position === "relative" || style.position !== "static") position = style.position;
  }
  if (opacity < 0.05) return "transparent";
  if (box.right <= 1 || box.bottom <= 1) return "off_page";
  const reach = Math.max(document.documentElement.scrollWidth, innerWidth);
  if (box.left >= reach - 1) return "off_page";
  return null;
}
