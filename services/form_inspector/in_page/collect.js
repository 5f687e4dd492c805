// What the page shows, as raw facts: controls, boxes, text blocks, fields, and what could not be read.
// Reads only. The answer's shape is `services/form_inspector/facts.py`; coordinates are CSS pixels of the whole page.
const CONTROL = "button, input[type=submit], input[type=button], input[type=image], input[type=reset], a[href], summary, " +
  "[role=button], [role=link], [onclick]";
const FIELD = "input:not([type=submit], [type=button], [type=image], [type=reset], [type=checkbox], [type=radio]), textarea";
const FRAMES = "iframe, frame, object, embed, canvas";

const OTHERS = "label, a, button, summary, select, option, input, textarea, [role=button], [role=link], [role=checkbox], " +
  "[role=switch], [role=radio]";

// Something to click: a control by its kind, or any short text under a hand-shaped cursor of its own.
function clickable(element) {
  if (element.matches(CONTROL)) return true;
  const hand = styleOf(element).cursor === "pointer" && styleOf(parentOf(element) ?? element).cursor !== "pointer";
  return hand && !element.closest(OTHERS) && squeeze(element.textContent).length <= 90 && !element.querySelector(OTHERS);
}

// Whether the page itself says that this control opens something.
function announced(element) {
  if (element.tagName === "SUMMARY") return parentOf(element)?.open === false;
  return element.getAttribute("aria-expanded") === "false" || /dialog|true|menu/.test(element.getAttribute("aria-haspopup") ?? "");
}

function control(element) {
  const nodes = readable(element);
  const rect = rectOf(element.getClientRects());
  const pushed = element.tagName === "INPUT" && /^(submit|button|reset)$/.test(element.type);
  const value = pushed ? element.value || (element.type === "submit" ? "Envoyer" : "") : "";
  const holder = nodes.length ? parentOf(longest(nodes)) : element;
  let hidden = unseen(element, rect);
  const stack = hidden ? { covered: false, behind: false } : stackAt(element, rect);
  if (stack.covered) hidden = "covered";
  const block = blockOf(element);
  const paragraph = nodes.length && styleOf(element).display === "inline" ? textOf(readable(block)) : "";
  return {
    key: keyOf(element),
    order: order.get(element),
    tag: element.tagName.toLowerCase(),
    type: element.type ?? "",
    text: textOf(nodes) || squeeze(value) || pseudoText(element) || (hidden ? squeeze(element.textContent) : ""),
    name: accessibleName(element),
    href: element.getAttribute("href") ?? "",
    rect,
    hidden,
    disabled: element.disabled === true || element.getAttribute("aria-disabled") === "true",
    around: paragraph,
    paint: paintOf(holder, stack.behind),
    scope: scopeOf(element),
    opens: announced(element),
  };
}

function box(element) {
  const label = labelOf(element);
  const held = label.holders.flatMap((holder) => [...holder.getClientRects()]);
  const rects = label.holders.length ? held : label.nodes.flatMap((node) => [...textRects(node)]);
  const own = rectOf(element.getClientRects());
  const labelRect = around(rects);
  const holder = label.nodes.length ? parentOf(longest(label.nodes)) : element;
  const groups = (up) => up.tagName === "FIELDSET" || /^(radio)?group$/.test(up.getAttribute("role") ?? "");
  const group = ancestorsOf(element).find(groups);
  const legend = group?.tagName === "FIELDSET" ? group.querySelector(":scope > legend")?.textContent : "";
  const radio = /radio/.test(element.type + element.getAttribute("role"));
  const kind = element.tagName === "SELECT" ? "select" : radio ? "radio" : "checkbox";
  const options = kind === "select" ? [...element.options] : [];
  const question = element.getAttribute("name") ?? (group ? keyOf(group) : order.get(element));
  const named = label.nodes.length || (own && !unseen(element, own) && label.text);
  const unnamed = label.holders.length ? "hidden" : "no_label";
  const hiddenLabel = label.nodes.length ? unseen(holder, labelRect) : named ? null : unnamed;
  return {
    key: keyOf(element),
    order: order.get(element),
    kind,
    id: element.id,
    name: element.getAttribute("name") ?? "",
    value: element.value ?? "",
    checked: element.matches("[role]:not(input)") ? element.getAttribute("aria-checked") === "true" : element.checked === true,
    options: options.map((option) => ({ text: squeeze(option.text), selected: option.selected })),
    required: element.required === true || element.getAttribute("aria-required") === "true",
    label: label.text,
    guessed: label.guessed,
    legend: squeeze(legend || (group ? accessibleName(group) : "")),
    rect: own,
    label_rect: labelRect,
    hidden: unseen(element, own),
    label_hidden: hiddenLabel,
    paint: paintOf(holder),
    scope: scopeOf(element),
    group: kind === "radio" ? `${scopeOf(element).key}/${question}` : "",
  };
}

function headingsOf(nodes) {
  const found = [];
  for (const node of nodes) {
    if (node.nodeType !== 1 || !node.matches("h1, h2, h3, h4, h5, h6, legend, summary, dt, caption, [role=heading]")) continue;
    let container = parentOf(node);
    const thin = squeeze(container.textContent) === squeeze(node.textContent);
    if (thin || /HEADER|SUMMARY|HGROUP/.test(container.tagName)) container = parentOf(container);
    found.push({ text: squeeze(node.textContent), at: order.get(node), container, node });
  }
  return found;
}

function blocks(nodes) {
  const headings = headingsOf(nodes);
  const found = new Map();
  for (const node of nodes) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const holder = parentOf(node);
    if (holder.closest("button, [role=button], option, textarea") || unseen(holder, rectOf(textRects(node)))) continue;
    const block = blockOf(node);
    if (!found.has(block)) found.set(block, []);
    found.get(block).push(node);
  }
  return [...found].map(([block, texts]) => {
    const at = order.get(texts[0]);
    const over = (h) => h.at < at && h.node !== block && !within(texts[0], h.node) && within(block, h.container);
    const heading = headings.findLast(over);
    const row = [block, ...ancestorsOf(block)].find((up) => /^(LI|TR|DD)$/.test(up.tagName));
    const list = [block, ...ancestorsOf(block)].find((up) => /^(UL|OL|TABLE|DL)$/.test(up.tagName));
    const links = [...block.querySelectorAll("a[href]")].filter((link) => blockOf(link) === block || link === block);
    return {
      order: at,
      text: textOf(texts),
      rect: around(texts.flatMap((t) => [...textRects(t)])),
      heading: heading?.text ?? "",
      list: list ? order.get(list) : -1,
      row: row ? order.get(row) : -1,
      label: texts.some((t) => parentOf(t).closest("label")),
      title: /^(H[1-6]|LEGEND|SUMMARY)$/.test(block.tagName),
      paint: paintOf(parentOf(longest(texts))),
      links: links.map((link) => ({ text: squeeze(link.textContent), address: link.href })),
    };
  });
}

function collect() {
  styles.clear();
  elements.clear();
  const nodes = walk(document.documentElement);
  order = new Map(nodes.map((node, index) => [node, index]));
  const all = nodes.filter((node) => node.nodeType === 1);
  const found = {
    title: document.title, language: document.documentElement.lang, address: location.href,
    width: innerWidth, height: document.documentElement.scrollHeight,
    blocks: blocks(nodes),
    fields: all.filter((e) => e.matches(FIELD) && e.type !== "hidden").map((e) => {
      const label = labelOf(e);
      return { type: e.type, name: e.name, label: label.text || e.placeholder || "", hint: e.autocomplete ?? "" };
    }),
    concealed: all.filter((e) => e.tagName === "INPUT" && e.type === "hidden").map((e) => e.name),
    boxes: all.filter((e) => e.matches(BOX)).map(box),
    frames: all.filter((e) => e.matches(FRAMES)).map((e) => {
      const rect = rectOf(e.getClientRects());
      return { tag: e.tagName.toLowerCase(), rect, hidden: unseen(e, rect) };
    }),
  };
  const start = { x: scrollX, y: scrollY };
  const touchable = new CSSStyleSheet();
  touchable.replaceSync("* { pointer-events: auto !important }");
  document.adoptedStyleSheets.push(touchable);
  found.controls = all.filter(clickable).map(control);
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== touchable);
  scrollTo({ left: start.x, top: start.y, behavior: "instant" });
  return found;
}

// Where to click: the middle of the element, brought on screen. Null where it has no size.
function aim(key) {
  const element = elements.get(key);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const rect = [...element.getClientRects()].find((r) => r.width > 0 && r.height > 0);
  return rect ? { x: rect.left + rect.width / 2, y: rect.top + rect.height / 2 } : null;
}
