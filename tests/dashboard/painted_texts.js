// Notes what tables paint on their canvases, so that `paintedTexts` can tell what a column cuts off.
(() => {
  const pen = CanvasRenderingContext2D.prototype;
  const frames = new Map(); // the texts of each canvas, by the frame in which they were painted
  const corner = new WeakMap(); // of each context, what it may paint: a stack of [left, right]

  const clips = (context) => {
    if (!corner.has(context)) corner.set(context, { stack: [], now: [-Infinity, Infinity], path: null });
    return corner.get(context);
  };
  const wrap = (name, before) => {
    const own = pen[name];
    pen[name] = function (...given) {
      before(this, ...given);
      return own.apply(this, given);
    };
  };
  const across = (context, x) => context.getTransform().a * x + context.getTransform().e;

  wrap("save", (context) => clips(context).stack.push(clips(context).now));
  wrap("restore", (context) => {
    const kept = clips(context);
    kept.now = kept.stack.pop() ?? [-Infinity, Infinity];
  });
  wrap("beginPath", (context) => (clips(context).path = null));
  wrap("rect", (context, x, y, width) => {
    clips(context).path = [across(context, x), across(context, x + width)];
  });
  wrap("clip", (context) => {
    const { now, path } = clips(context);
    if (path) clips(context).now = [Math.max(now[0], path[0]), Math.min(now[1], path[1])];
  });
  wrap("fillText", (context, text, x) => {
    const scale = context.getTransform().a;
    const width = context.measureText(text).width * scale;
    const left = across(context, x) - { right: width, end: width, center: width / 2 }[context.textAlign] || across(context, x);
    const [from, to] = clips(context).now;
    if (!frames.has(context.canvas)) frames.set(context.canvas, new Map());
    const painted = frames.get(context.canvas);
    const now = document.timeline.currentTime;
    if (!painted.has(now)) painted.set(now, []);
    painted.get(now).push({ text, isCut: left < from - 2 * scale || left + width > to + 2 * scale });
  });

  window.paintedTexts = () => {
    const cut = [];
    for (const painted of frames.values()) {
      const most = Math.max(...[...painted.values()].map((texts) => texts.length));
      const whole = [...painted.values()].filter((texts) => texts.length > 0.8 * most).at(-1);
      cut.push(...whole.filter((each) => each.isCut).map((each) => each.text));
    }
    return cut;
  };
})();
