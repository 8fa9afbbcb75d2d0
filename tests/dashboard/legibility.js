// What a reader of the page cannot read: a list of sentences, empty where all can be read.
() => {
  const SLACK = 1.5; // pixels; boxes and texts end between pixels
  const faults = new Set();
  const root = document.querySelector('[data-testid="stApp"]');
  const short = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 60));

  const outer = [document.documentElement, ...document.querySelectorAll('[data-testid="stMain"]')];
  for (const box of outer) {
    const more = box.scrollWidth - box.clientWidth;
    if (more > 0) faults.add(`the page can be moved sideways by ${more} pixels`);
  }

  // --- texts of the page -----------------------------------------------------------------------

  const SKIPPED = 'canvas, svg, script, style, [data-testid="stIconMaterial"], .js-plotly-plot';
  const hides = (value) => value === "hidden" || value === "clip";
  const isTiny = (box) => box.width <= 2 || box.height <= 2;

  function cutBy(element, rect) {
    let across = true;
    let down = true;
    for (let box = element; box && box !== root && (across || down); box = box.parentElement) {
      const style = getComputedStyle(box);
      const at = box.getBoundingClientRect();
      if (style.clip !== "auto" || (isTiny(at) && hides(style.overflowX))) return false; // for readers aloud
      const out = at.left - rect.left > SLACK || rect.right - at.right > SLACK;
      if (across && hides(style.overflowX) && out) return true;
      if (down && hides(style.overflowY) && rect.bottom - at.bottom > rect.height / 3) return true;
      across &&= !["auto", "scroll"].includes(style.overflowX); // it can be moved into sight
      down &&= !["auto", "scroll"].includes(style.overflowY);
    }
    return false;
  }

  // --- contrast, as WCAG 2 has it: 4.5 for text, 3 for large text ------------------------------

  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const onto = ([r, g, b, a = 1], under) => [r, g, b].map((part, i) => a * part + (1 - a) * under[i]);
  function backgroundOf(element, rect) {
    const layers = [];
    const [x, y] = [(rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2];
    for (let box = element; box; box = box.parentElement) {
      const at = box.getBoundingClientRect();
      const isBehind = at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
      if (!isBehind && box !== document.body && box !== document.documentElement) continue;
      layers.push(numbers(getComputedStyle(box).backgroundColor));
      if ((layers.at(-1)[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((under, layer) => (layer.length ? onto(layer, under) : under), [255, 255, 255]);
  }
  const luminance = (colour) =>
    colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, i) => sum + [0.2126, 0.7152, 0.0722][i] * part, 0);
  function opacityOf(element) {
    let opacity = 1;
    for (let box = element; box; box = box.parentElement) opacity *= Number(getComputedStyle(box).opacity);
    return opacity;
  }
  function contrast(element, ink, under) {
    const [r, g, b, a = 1] = numbers(ink);
    const pair = [onto([r, g, b, a * opacityOf(element)], under), under].map(luminance);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }
  function judgeContrast(element, text, ink, under) {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const found = contrast(element, ink, under);
    if (found < (isLarge ? 3 : 4.5)) faults.add(`pale (${found.toFixed(1)} : 1): ${short(text)}`);
  }

  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest(SKIPPED)) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.right <= 0 || isTiny(rect)) continue; // of the folded sidebar
      if (cutBy(element, rect)) faults.add(`cut off: ${short(node.data)}`);
    }
    const at = range.getBoundingClientRect();
    const isOff = at.right <= 0 || isTiny(at) || element.closest(':disabled, [aria-disabled="true"], [disabled]');
    if (!isOff) judgeContrast(element, node.data, getComputedStyle(element).color, backgroundOf(element, at));
  }

  const pen = document.createElement("canvas").getContext("2d");
  for (const input of root.querySelectorAll('input:not([type="range"], [type="checkbox"], [type="radio"])')) {
    const at = input.getBoundingClientRect();
    if (at.right <= 0 || isTiny(at) || !input.checkVisibility()) continue;
    const text = input.value || input.placeholder;
    if (text.length > 30) continue; // the cursor moves along what is long
    const style = getComputedStyle(input);
    pen.font = style.font;
    const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (pen.measureText(text).width > room + SLACK) faults.add(`cut off in its box: ${short(text)}`);
  }

  // --- texts of figures ------------------------------------------------------------------------

  const within = (inner, frame) =>
    inner.left >= frame.left - SLACK &&
    inner.right <= frame.right + SLACK &&
    inner.top >= frame.top - SLACK &&
    inner.bottom <= frame.bottom + SLACK;
  const overlap = (a, b) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return across > 2 && down > 4; // the boxes of letters are higher than the letters
  };

  const covers = (text, mark) => {
    const [x, y] = [(mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2];
    return text.left < x && x < text.right && text.top + 2 < y && y < text.bottom - 2;
  };

  for (const figure of root.querySelectorAll('[data-testid="stMain"] .js-plotly-plot')) {
    const frame = figure.getBoundingClientRect();
    const behind = backgroundOf(figure.parentElement, frame);
    const marks = [...figure.querySelectorAll(".points path")]
      .filter((each) => numbers(getComputedStyle(each).fill)[3] !== 0 && getComputedStyle(each).fillOpacity !== "0")
      .map((each) => each.getBoundingClientRect())
      .filter((at) => at.width > 14); // of those that have a label
    const boxes = [...figure.querySelectorAll(".shapelayer path")].map((each) => each.getBoundingClientRect());
    const texts = [...figure.querySelectorAll("svg text")]
      .filter((text) => text.textContent.trim() && !text.closest(".hoverlayer, .modebar"))
      .filter((text) => text.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      .map((text) => ({ text, words: short(text.textContent), at: text.getBoundingClientRect() }))
      .filter(({ at }) => !isTiny(at));
    texts.forEach(({ text, words, at }, place) => {
      const plate = text.closest(".annotation")?.querySelector("rect.bg");
      const fill = numbers(plate ? getComputedStyle(plate).fill : "rgba(0, 0, 0, 0)");
      const opacity = plate ? Number(getComputedStyle(plate).fillOpacity) : 0;
      const under = fill.length ? onto([...fill.slice(0, 3), (fill[3] ?? 1) * opacity], behind) : behind;
      judgeContrast(text, text.textContent, getComputedStyle(text).fill, under);
      if (marks.some((mark) => covers(at, mark))) faults.add(`covers a mark: ${words}`);
      if (!within(at, frame)) faults.add(`leaves its figure: ${words}`);
      const middle = [(at.left + at.right) / 2, (at.top + at.bottom) / 2];
      const box = boxes.find(
        (each) =>
          Math.abs((each.left + each.right) / 2 - middle[0]) < 12 &&
          each.top < middle[1] && middle[1] < each.bottom,
      );
      if (box && !within(at, box)) faults.add(`leaves its box: ${words}`);
      for (const other of texts.slice(place + 1)) {
        if (overlap(at, other.at)) faults.add(`lie on each other: ${words} and ${other.words}`);
      }
    });
  }

  // --- texts of tables, which are painted ------------------------------------------------------

  // Longer ones are reasons of failures, which a mark shows in full.
  for (const text of window.paintedTexts?.() ?? []) {
    if (text.length <= 60) faults.add(`cut off in a table: ${short(text)}`);
  }
  return [...faults].sort();
};
