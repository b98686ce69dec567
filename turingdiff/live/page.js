"use strict";
// One session a section. The engine's state comes as JSON, its pictures as one byte a value; colours are made here.
const make = (tag, properties = {}, ...children) => {
  const { dataset, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
};
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const drawn = () => new Promise((done) => requestAnimationFrame(done));
const digits = (value, n = 4) => Number.parseFloat(value.toPrecision(n)).toString();
const between = (value, low, high) => Math.min(high, Math.max(low, value));
const SPRAY = 0.15; // the share of the cells under the brush: a smooth band of a species may collapse, a sprayed one seeds spots
let count = 0;
const unique = (name) => `${name}-${(count += 1)}`;

async function ask(address, options) {
  const answer = await fetch(address, options);
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error || `the server answered ${answer.status}`);
}
const askFor = async (address) => (await ask(address)).json();

// Palettes: 256 colours each, of matplotlib from the server; and some for makers, by their stops.
const STOPS = {
  leopard: ["#2a1407", "#7a4a1c", "#d99a3d", "#f7dfa1"], angelfish: ["#0b1d3a", "#155e8c", "#f2c14e", "#fff7df"],
  coral: ["#12313b", "#1f8a8c", "#ff8a70", "#fff1e6"], moss: ["#0d1b12", "#2e5e3e", "#a3c585", "#f4f7e6"],
  ink: ["#101010", "#101010", "#fafafa", "#fafafa"], "own colours": ["#1b1035", "#e0457b", "#ffe9c9"],
};
const palettes = {};
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
function blend(stops) {
  const colours = stops.map(rgb), table = [];
  for (let n = 0; n < 256; n++) {
    const place = (n / 255) * (colours.length - 1), low = Math.min(Math.floor(place), colours.length - 2);
    for (let c = 0; c < 3; c++) table.push(Math.round(colours[low][c] + (place - low) * (colours[low + 1][c] - colours[low][c])));
  }
  return table;
}
function words(flat, reversed) { // 256 pixels as one number each
  const table = new Uint32Array(256), bytes = new Uint8ClampedArray(table.buffer);
  for (let n = 0; n < 256; n++) {
    const from = 3 * (reversed ? 255 - n : n);
    bytes.set([flat[from], flat[from + 1], flat[from + 2], 255], 4 * n);
  }
  return table;
}

class Session {
  constructor(number, state) {
    this.number = number;
    this.state = state;
    this.seen = -1;
    this.queue = [];
    this.frames = [];
    this.points = [];
    this.controls = {};
    this.grows = state.family === "time";
    this.mode = this.grows ? "spray" : "inspect";
    this.build();
    this.update(state);
    this.recolour();
    this.loop();
    this.keepNotes();
    if (this.grows) this.watch();
  }

  // ---- the engine ----
  send(event, key) { // of events with one key only the latest is sent
    if (key) this.queue = this.queue.filter((one) => one.key !== key);
    this.queue.push({ event, key });
    this.pump();
  }
  async pump() {
    if (this.busy) return;
    this.busy = true;
    while (this.queue.length) {
      const { event } = this.queue.shift();
      try {
        const body = JSON.stringify(typeof event === "function" ? event() : event);
        const answer = await ask(`${this.number}/event`, { method: "POST", body });
        this.say("");
        this.update(await answer.json());
      } catch (error) { this.say(error.message); }
      this.wake();
    }
    this.busy = false;
  }
  wake() { if (this.alarm) this.alarm(); this.changed = true; }
  async fetchFrame() {
    const channel = this.channel === undefined ? "" : `&channel=${this.channel}`;
    const answer = await ask(`${this.number}/frame?after=${this.seen}${channel}`);
    if (answer.status === 204) return null;
    const about = JSON.parse(answer.headers.get("X-Frame"));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    this.seen = about.number;
    return { about, bytes };
  }
  async loop() {
    let coming = null;
    for (;;) {
      try {
        const frame = await (coming || this.fetchFrame());
        coming = null;
        if (!frame) { // nothing new: wait for a touch, or look again
          await Promise.race([pause(400), new Promise((done) => { this.alarm = done; })]);
          continue;
        }
        if (this.grows && frame.about.running) { coming = this.fetchFrame(); coming.catch(() => {}); }
        await drawn();
        this.draw(frame);
        if (!this.grows && frame.about.running) await pause(1000 / this.pace.value);
      } catch (error) {
        coming = null;
        this.say(error instanceof TypeError ? "The engine has ended; start turingdiff live again." : error.message);
        await pause(1500);
      }
    }
  }
  async keepNotes() { // the lines that repeat the session, once a second
    for (let last = -1; ; await pause(1000)) {
      if (last === this.seen || this.busy || document.hidden) continue;
      last = this.seen;
      try { this.note(await askFor(`${this.number}/state`)); } catch { /* the loop of frames says so */ }
    }
  }
  async watch() { // theory whenever the rule changes, measures as often as they can be had
    let last = -1;
    for (;;) {
      const begun = performance.now();
      try {
        if (this.changed) { this.changed = false; this.theory = await askFor(`${this.number}/theory`); this.chart(); }
        if (last !== this.seen && !document.hidden) {
          last = this.seen;
          this.measured = await askFor(`${this.number}/measures`);
          this.chart();
        }
      } catch { /* the loop of frames says so */ }
      const until = Math.max(500, 2 * (performance.now() - begun));
      for (let waited = 0; waited < until && !this.changed; waited += 40) await pause(40);
    }
  }

  // ---- pictures ----
  draw({ about, bytes }) {
    this.about = about;
    let from = 0;
    about.planes.forEach((plane, n) => {
      const [channels, height, width] = plane.shape, cells = height * width, view = this.views[n];
      const { canvas } = view;
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
      const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
      if (channels === 3) {
        for (let i = 0; i < cells; i++) pixels[i] = 0xff000000 | (bytes[from + i + 2 * cells] << 16) | (bytes[from + i + cells] << 8) | bytes[from + i];
      } else for (let i = 0; i < cells; i++) pixels[i] = this.table[bytes[from + i]];
      from += channels * cells;
      canvas.getContext("2d").putImageData(image, 0, 0);
      view.caption.textContent = about.titles[n];
    });
    const now = performance.now();
    this.frames = this.frames.filter((time) => now - time < 1000).concat(now);
    if (about.message) this.say(about.message);
    this.state.running = about.running;
    this.now = about.clock;
    this.syncRunning();
    if (this.grows) this.step.textContent = `${about.step}`;
    else if (!this.held) this.syncLevel(about.clock);
    this.clock.textContent = digits(about.clock);
    this.rate.textContent = about.running ? `${this.frames.length} frames/s` : "paused";
    document.body.dataset.ready = "yes";
  }
  recolour() {
    const name = this.palette ? this.palette.value : "gray";
    this.table = words(palettes[name], this.reversed?.checked);
    if (this.strip) {
      const image = new ImageData(256, 1);
      new Uint32Array(image.data.buffer).set(this.table);
      this.strip.getContext("2d").putImageData(image, 0, 0);
      this.own.hidden = name !== "own colours";
    }
    this.seen = -1;
    this.wake();
  }

  // ---- controls ----
  build() {
    const name = this.grows ? "A field that grows" : "From noise to images";
    this.title = make("h2");
    this.message = make("p", { className: "message" });
    this.message.setAttribute("role", "status");
    this.views = (this.grows ? ["field"] : ["noisy image", "predicted clean image"]).map((title, n) => this.view(title, n));
    this.run = make("button", { type: "button", className: "main", onclick: () => this.send(this.finished() ? { kind: "seed", value: this.state.seed + 1 } : { kind: this.state.running ? "pause" : "run" }) });
    const button = (text, event, title = "") => make("button", { type: "button", title, onclick: () => this.send(event) }, text);
    this.clock = make("b");
    this.rate = make("b");
    this.step = make("b");
    const facts = make("ul", { className: "facts" });
    const fact = (text, value) => facts.append(make("li", {}, `${text} `, value));
    fact(this.grows ? "time" : "noise level σ", this.clock);
    if (this.grows) fact("step", this.step);
    facts.append(make("li", {}, this.rate));
    const bar = make("div", { className: "bar" }, this.run, button("Step", { kind: "step" }), button("Reset", { kind: "reset" }, "Begin again from the same seed"));
    const stage = make("section", { className: "card stage" }, make("div", { className: "views" }, ...this.views.map((v) => v.figure)), bar, facts, this.message);
    stage.setAttribute("aria-label", name);
    const cards = this.grows ? this.buildTime(bar, facts, fact) : this.buildSigma(stage, bar);
    const section = make("section", { className: "session" },
      make("div", { className: "parts" }, make("div", { className: "column stage-column" }, stage), ...cards));
    section.id = `session-${this.number}`;
    document.querySelector("#sessions").append(section);
  }
  view(title, n) {
    const canvas = make("canvas", { className: "field", width: 1, height: 1, tabIndex: 0 });
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${title}: paint with the pointer; or move with the arrow keys and paint with the space bar`);
    const cursor = make("div", { className: "cursor" }), pin = make("div", { className: "pin" });
    const caption = make("figcaption", {}, title);
    const view = { canvas, cursor, pin, caption, at: null };
    view.figure = make("figure", {}, make("div", { className: "frame" }, canvas, cursor, pin), caption);
    const cell = (event) => {
      const box = canvas.getBoundingClientRect();
      return [between(Math.floor(((event.clientY - box.top) / box.height) * canvas.height), 0, canvas.height - 1),
        between(Math.floor(((event.clientX - box.left) / box.width) * canvas.width), 0, canvas.width - 1)];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      view.last = null;
      this.touch(view, cell(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      this.showCursor(view, cell(event));
      if (event.buttons & 1 && this.mode !== "inspect") this.touch(view, cell(event));
    });
    canvas.addEventListener("pointerleave", () => { cursor.style.display = "none"; });
    canvas.addEventListener("blur", () => { cursor.style.display = "none"; });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step && event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      const far = event.shiftKey ? 8 : 1, at = view.at || [canvas.height >> 1, canvas.width >> 1];
      view.at = step ? [between(at[0] + far * step[0], 0, canvas.height - 1), between(at[1] + far * step[1], 0, canvas.width - 1)] : at;
      this.showCursor(view, view.at);
      view.last = null;
      if (!step) this.touch(view, view.at);
    });
    return view;
  }
  showCursor(view, [row, column]) {
    const { canvas, cursor } = view, scale = canvas.clientWidth / canvas.width;
    const size = Math.max(6, (this.mode === "inspect" ? 1 : 2 * this.radius.value + 1) * scale);
    Object.assign(cursor.style, { display: "block", width: `${size}px`, height: `${size}px`, left: `${(column + 0.5) * scale}px`, top: `${(row + 0.5) * scale}px` });
    view.at = [row, column];
  }
  touch(view, [row, column]) {
    if (this.mode === "inspect") { this.inspect(view, row, column); return; }
    const [y, x] = view.last || [row, column], steps = Math.max(1, Math.ceil(Math.hypot(row - y, column - x) / Math.max(1, this.radius.value / 2)));
    for (let n = view.last ? 1 : steps; n <= steps; n++) this.points.push([Math.round(y + ((row - y) * n) / steps), Math.round(x + ((column - x) * n) / steps)]);
    view.last = [row, column];
    this.send(() => { // the points that came while the last stroke was on its way, together
      const event = { kind: "brush", points: this.points, radius: Number(this.radius.value) };
      if (this.mode === "spray") event.density = SPRAY;
      if (this.mode !== "erase") Object.assign(event, { channel: Number(this.species?.value || 0), value: Number(this.value.value) });
      this.points = [];
      return event;
    }, "brush");
  }
  card(title, ...children) {
    const heading = make("h3", { id: unique("card") }, title), card = make("section", { className: "card" }, heading, ...children);
    card.setAttribute("aria-labelledby", heading.id);
    return card;
  }
  range(label, options, changed, write = (value) => digits(Number(value))) {
    const input = make("input", { type: "range", id: unique("range"), ...options });
    input.value = options.value;
    const output = make("output", {}, write(input.value));
    output.htmlFor = input.id;
    input.show = () => { output.textContent = write(input.value); };
    input.addEventListener("input", () => { input.show(); changed?.(Number(input.value)); });
    input.row = make("div", { className: "row" }, make("label", { htmlFor: input.id }, label), input, output);
    return input;
  }
  select(label, options, changed) {
    const select = make("select", { id: unique("select") });
    this.fill(select, options);
    select.addEventListener("change", () => changed?.(select.value));
    select.row = make("div", { className: "row two" }, make("label", { htmlFor: select.id }, label), select);
    return select;
  }
  fill(select, options, value) {
    const wanted = options.map(([key, text]) => `${key}\n${text}`).join("\n\n");
    if (select.filled !== wanted) select.replaceChildren(...options.map(([key, text]) => make("option", { value: key }, text)));
    select.filled = wanted;
    if (value !== undefined) select.value = value;
  }
  modes(names) {
    const buttons = names.map((name) => make("button", { type: "button", onclick: () => { this.mode = name; show(); } }, name[0].toUpperCase() + name.slice(1)));
    const show = () => buttons.forEach((button, n) => button.setAttribute("aria-pressed", names[n] === this.mode));
    show();
    const group = make("div", { className: "bar", style: "margin-top:0" }, ...buttons);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "What the pointer does");
    return group;
  }
  canvasCard(sizes) {
    this.size = this.select("Canvas", sizes.map((n) => [`${n}x${n}`, `${n} × ${n}`]), (text) => {
      const [height, width] = text.split("x").map(Number);
      this.send({ kind: "size", height, width });
    });
    this.sizes = sizes;
    this.seed = make("input", { type: "number", id: unique("seed"), min: 0, step: 1 });
    this.seed.addEventListener("change", () => this.send({ kind: "seed", value: Number(this.seed.value) }));
    const dice = make("button", { type: "button", onclick: () => this.send({ kind: "seed", value: Math.floor(Math.random() * 1e6) }) }, "New seed");
    return [this.size.row, make("div", { className: "row" }, make("label", { htmlFor: this.seed.id }, "Seed"), this.seed, dice)];
  }
  pictureCard(channels) {
    this.palette = this.select("Palette", Object.keys(palettes).map((name) => [name, name]), () => this.recolour());
    this.palette.value = this.grows ? "magma" : "gray";
    this.reversed = make("input", { type: "checkbox", onchange: () => this.recolour() });
    const smooth = make("input", { type: "checkbox", onchange: () => this.views.forEach((v) => v.canvas.classList.toggle("smooth", smooth.checked)) });
    this.strip = make("canvas", { className: "strip", width: 256, height: 1 });
    this.own = make("div", { className: "bar", hidden: true }, ...STOPS["own colours"].map((colour, n) => {
      const input = make("input", { type: "color", value: colour, oninput: () => {
        STOPS["own colours"][n] = input.value;
        palettes["own colours"] = blend(STOPS["own colours"]);
        this.recolour();
      } });
      input.setAttribute("aria-label", `Colour ${n + 1} of 3, from low to high`);
      return input;
    }));
    const rows = [this.palette.row, this.strip, this.own, make("div", { className: "bar" }, make("label", { className: "check" }, this.reversed, "Reversed"), make("label", { className: "check" }, smooth, "Smooth"))];
    if (channels) rows.unshift(channels);
    return this.card("Picture", ...rows);
  }
  saveCard() {
    const save = (text, name, blob) => {
      const button = make("button", { type: "button" }, text);
      button.addEventListener("click", async () => {
        button.disabled = true;
        button.textContent = "Making …";
        try {
          const link = make("a", { href: URL.createObjectURL(await blob()), download: name });
          link.click();
          setTimeout(() => URL.revokeObjectURL(link.href), 10000);
        } catch (error) { this.say(error.message); }
        button.disabled = false;
        button.textContent = text;
      });
      return button;
    };
    const file = (name) => async () => (await ask(`${this.number}/${name}`)).blob();
    const stem = this.state.name.replace(/\W+/g, "-");
    this.code = make("pre", { className: "code", tabIndex: 0 });
    this.command = make("pre", { className: "code", tabIndex: 0 });
    this.code.setAttribute("aria-label", "Python");
    this.command.setAttribute("aria-label", "Command line");
    const copy = (pre) => make("button", { type: "button", onclick: () => navigator.clipboard?.writeText(pre.textContent) }, pre === this.code ? "Copy Python" : "Copy command");
    this.touches = make("p", { className: "note" });
    return [
      this.card("Save", make("div", { className: "bar", style: "margin-top:0" },
        save("PNG", `${stem}.png`, () => this.png()), save("GIF", `${stem}.gif`, file("film.gif")),
        save("MP4", `${stem}.mp4`, file("film.mp4")), save("Session", "session.json", file("session.json"))), this.touches),
      this.card("Repeat this", this.code, make("div", { className: "bar" }, copy(this.code)), this.command, make("div", { className: "bar" }, copy(this.command))),
    ];
  }
  png() {
    const from = this.views[this.views.length - 1].canvas, scale = Math.max(1, Math.ceil(1024 / Math.max(from.width, from.height)));
    const canvas = make("canvas", { width: scale * from.width, height: scale * from.height }), context = canvas.getContext("2d");
    context.imageSmoothingEnabled = from.classList.contains("smooth");
    context.drawImage(from, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
  brushRows(high) {
    this.radius = this.range("Size", { min: 0, max: this.grows ? 40 : 8, step: 1, value: this.grows ? 6 : 2 }, null, (value) => `${2 * value + 1} cells`);
    this.value = this.range("Value", { min: 0, max: high, step: "any", value: high });
    return [this.radius.row, this.value.row];
  }
  note(state) {
    for (const [place, words] of [[this.code, state.python], [this.command, state.command]]) {
      if (place.textContent !== words) place.textContent = words; // not while it is the same: a selection would go
    }
    this.touches.textContent = `${state.events} event${state.events === 1 ? "" : "s"} recorded. A film begins where the field was last made anew.`;
    if (this.machine) this.machine.textContent = `${state.name}${state.images ? `, ${state.images} training images` : ""}; its window is ${state.window ? `${state.window} × ${state.window}` : "the whole image"} at this level.`;
  }
  say(text) { this.message.textContent = text; }
  finished() { return !this.grows && this.now === 0 && !this.state.running; }
  syncRunning() { this.run.textContent = this.state.running ? "Pause" : this.finished() ? "New image" : "Run"; }
  update(state) {
    this.state = state;
    this.now = state.clock;
    this.syncRunning();
    const key = `${state.shape[0]}x${state.shape[1]}`;
    const sizes = this.sizes.map((n) => [`${n}x${n}`, `${n} × ${n}`]);
    if (!sizes.some(([name]) => name === key)) sizes.push([key, `${state.shape[0]} × ${state.shape[1]}`]);
    this.fill(this.size, sizes, key);
    if (document.activeElement !== this.seed) this.seed.value = state.seed;
    this.note(state);
    this.fill(this.palette, Object.keys(palettes).map((name) => [name, name]));
    if (this.grows) this.updateTime(state); else this.updateSigma(state);
  }

  // ---- rules over time ----
  buildTime(bar, facts, fact) {
    this.speed = this.range("Steps a frame", { min: 0, max: 3, step: 0.01, value: 1.3 }, (value) => this.send({ kind: "speed", steps: Math.round(10 ** value) }, "speed"), (value) => `${Math.round(10 ** value)}`);
    this.speed.row.classList.add("grow");
    bar.append(this.speed.row);
    this.wave = make("b");
    this.pattern = make("b");
    fact("wavelength", this.wave);
    fact("pattern", this.pattern);
    this.system = this.select("System", [], (name) => this.send({ kind: "system", name }));
    this.preset = this.select("Preset", [], (name) => this.send({ kind: "preset", name: name || null }));
    this.boundary = this.select("Boundary", [], (name) => this.send({ kind: "boundary", name }));
    this.summary = make("p", { className: "note" });
    this.equations = make("pre", { className: "equations" });
    this.parameters = make("div");
    this.species = this.select("Species", [], () => this.syncBrush(true));
    this.shown = this.select("Shows", [], (n) => { this.channel = Number(n); this.seen = -1; this.wake(); });
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "chart");
    this.svg.setAttribute("viewBox", "0 0 320 252");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", "Above: growth rate of every wave by linear theory. Below: power of every wave in the field.");
    this.verdict = make("p", { className: "verdict" });
    const clear = make("button", { type: "button", title: "Erase the whole field", onclick: () => {
      const [height, width] = this.state.shape;
      this.send({ kind: "brush", points: [[height >> 1, width >> 1]], radius: Math.max(height, width) });
    } }, "Erase all");
    const [save, repeat] = this.saveCard();
    const brush = this.card("Brush", this.modes(["spray", "paint", "erase"]), this.species.row, ...this.brushRows(1), make("div", { className: "bar" }, clear));
    return [
      make("div", { className: "column" }, this.card("System", this.system.row, this.preset.row, this.summary, this.equations),
        this.card("Parameters", this.parameters), brush, save),
      make("div", { className: "column" }, this.card("Theory and field", this.svg, this.verdict), this.pictureCard(this.shown.row),
        this.card("Canvas", ...this.canvasCard([64, 128, 256, 384, 512, 768, 1024]), this.boundary.row), repeat),
    ];
  }
  updateTime(state) {
    this.fill(this.system, state.systems.map((name) => [name, name.replaceAll("_", " ")]), state.system);
    this.fill(this.preset, [["", "(none)"], ...state.presets.map((name) => [name, name])], state.preset || "");
    const others = state.boundary === "other" ? [["other", "other"]] : [];
    this.fill(this.boundary, [...state.boundaries.map((name) => [name, name.replace("_", "-")]), ...others], state.boundary);
    this.summary.textContent = state.summary;
    this.equations.textContent = state.equations;
    this.equations.hidden = !state.equations;
    const channels = state.channels.map((name, n) => [String(n), name]);
    const fresh = this.family !== state.system;
    this.fill(this.species, channels, fresh ? String(state.shown || 0) : this.species.value || "0");
    this.fill(this.shown, channels, fresh ? String(state.shown || 0) : this.shown.value || "0");
    if (fresh) this.channel = Number(this.shown.value);
    if (document.activeElement !== this.speed) { this.speed.value = Math.log10(state.speed); this.speed.show(); }
    const names = JSON.stringify(state.parameters.map((one) => one.name));
    if (names !== this.names) { this.names = names; this.buildParameters(state.parameters); }
    for (const { name, value, low, high } of state.parameters) {
      const { slider, number } = this.controls[name];
      if (document.activeElement !== slider) Object.assign(slider, { min: low, max: high, value });
      if (document.activeElement !== number) number.value = digits(value, 4);
    }
    this.syncBrush(fresh);
    this.family = state.system;
  }
  buildParameters(parameters) {
    this.controls = {};
    this.parameters.replaceChildren(...parameters.map(({ name, value, low, high }) => {
      const slider = make("input", { type: "range", id: unique("parameter"), min: low, max: high, step: "any" });
      slider.value = value;
      const number = make("input", { type: "number", step: "any" });
      number.setAttribute("aria-label", `${name}, as a number`);
      slider.addEventListener("input", () => {
        number.value = digits(Number(slider.value), 4);
        this.send({ kind: "set", name, value: Number(number.value) }, `set ${name}`);
      });
      number.addEventListener("change", () => this.send({ kind: "set", name, value: Number(number.value) }, `set ${name}`));
      this.controls[name] = { slider, number };
      return make("div", { className: "row" }, make("label", { htmlFor: slider.id }, name), slider, number);
    }));
  }
  syncBrush(fresh) {
    const [low, high] = this.state.brush[Number(this.species.value) || 0];
    const keep = Number(this.value.value);
    Object.assign(this.value, { min: Math.min(low, fresh ? low : keep), max: Math.max(high, fresh ? high : keep) });
    if (fresh) this.value.value = low + 0.75 * (high - low);
    this.value.show();
  }
  chart() {
    const theory = this.theory, field = this.measured, has = theory && !theory.none, spectrum = field?.spectrum;
    const power = spectrum ? spectrum.power : [], k = spectrum ? spectrum.k : [];
    let edge = has && theory.band ? 1.6 * theory.band[1] : 0;
    if (spectrum) {
      const total = power.reduce((a, b) => a + b, 0);
      let sum = 0, n = 0;
      while (n < k.length - 1 && sum + power[n] < 0.97 * total) sum += power[n++];
      edge = Math.max(edge, 1.5 * k[n]);
    }
    edge = Math.min(edge || Infinity, has ? theory.k.at(-1) : k.at(-1) || 1);
    const left = 8, right = 312, x = (q) => left + ((right - left) * q) / edge;
    const parts = [];
    const text = (at, y, words, anchor = "start") => `<text x="${at}" y="${y}" text-anchor="${anchor}">${words}</text>`;
    parts.push(text(left, 12, "growth rate by linear theory"), text(left, 134, "power in the field"));
    parts.push(`<rect class="axis" x="${left}" y="18" width="304" height="98"/><rect class="axis" x="${left}" y="140" width="304" height="90"/>`);
    if (has) {
      const inside = theory.growth.filter((_, n) => theory.k[n] <= edge), top = Math.max(...inside), bottom = Math.min(...inside);
      const high = top > 0 ? 1.25 * top : -0.25 * bottom || 1, low = Math.max(bottom, -1.5 * high), y = (g) => between(18 + (98 * (high - g)) / (high - low), 18, 116);
      if (theory.band) parts.push(`<rect class="band" x="${x(theory.band[0])}" y="18" width="${x(Math.min(theory.band[1], edge)) - x(theory.band[0])}" height="98"/>`);
      parts.push(`<path class="zero" d="M${left} ${y(0)}H${right}"/>`);
      const path = theory.k.filter((q) => q <= edge).map((q, n) => `${x(q).toFixed(1)} ${y(theory.growth[n]).toFixed(1)}`).join("L");
      parts.push(`<path class="growth" d="M${path}"/>`, text(right - 4, 30, `fastest: ${digits(theory.rate, 3)}`, "end"));
      if (theory.band && theory.fastest > 0) parts.push(`<path class="at-theory" d="M${x(theory.fastest)} 18V230"/>`);
    } else if (theory) parts.push(text(160, 70, "no dispersion relation", "middle"));
    if (spectrum) {
      const most = Math.max(...power);
      const path = k.map((q, n) => [q, power[n]]).filter(([q]) => q <= edge).map(([q, p]) => `${x(q).toFixed(1)} ${(230 - (82 * p) / most).toFixed(1)}`).join("L");
      parts.push(`<path class="power" d="M${x(k[0])} 230L${path}V230Z"/>`);
      if (field.wavelength) parts.push(`<path class="at-measured" d="M${x((2 * Math.PI) / field.wavelength)} 18V230"/>`);
    } else parts.push(text(160, 188, "uniform: no wave yet", "middle"));
    parts.push(text(left, 246, "0"), text(160, 246, "wavenumber k", "middle"), text(right, 246, digits(edge, 3), "end"));
    this.svg.innerHTML = parts.join("");
    const measured = field?.wavelength ? digits(field.wavelength, 3) : "–";
    this.wave.textContent = measured;
    this.pattern.textContent = field?.pattern || "–";
    const theories = !theory ? "" : theory.none ? `Theory: ${theory.none.split(":")[0]}.` : `Theory: ${theory.regime}` + (theory.band && theory.wavelength ? `, wavelength ${digits(theory.wavelength, 3)}` : "");
    this.verdict.replaceChildren(make("span", { className: "t" }, theories), make("br"), make("span", { className: "m" }, field?.wavelength ? `Field: ${field.pattern}, wavelength ${measured}` : "Field: uniform"));
  }

  // ---- rules along sigma ----
  buildSigma(stage, bar) {
    this.pace = this.range("Levels a second", { min: 1, max: 30, step: 1, value: 6 });
    this.pace.row.classList.add("grow");
    bar.append(this.pace.row);
    const write = (n) => `σ ${digits(this.state.levels[n], 3)}`;
    const last = this.state.levels.length - 1;
    this.level = this.range("Noise level", { min: 0, max: last, step: 1, value: 0 }, (index) => this.send({ kind: "level", index }, "level"), write);
    this.level.addEventListener("pointerdown", () => { this.held = true; });
    this.level.addEventListener("pointerup", () => { this.held = false; });
    this.added = this.range("Noise to add", { min: 0, max: last - 1, step: 1, value: Math.round(last / 2) }, null, write);
    const add = make("button", { type: "button", onclick: () => this.send({ kind: "noise", index: Number(this.added.value) }) }, "Add noise");
    const comeBack = make("button", { type: "button", onclick: () => { this.send({ kind: "noise", index: Number(this.added.value) }); this.send({ kind: "run" }); } }, "Add noise and come back");
    stage.insertBefore(make("div", {}, this.level.row, this.added.row, make("div", { className: "bar" }, add, comeBack)), bar);
    this.patch = this.select("Patch", [], (size) => this.send({ kind: "patch", size: size ? Number(size) : null }));
    this.label = this.select("Class", [], (value) => this.send({ kind: "label", value: value === "" ? null : Number(value) }));
    this.machine = make("p", { className: "note" });
    this.list = make("ol", { className: "sources" });
    this.answer = make("p", { className: "note" }, "Click a pixel: which training patches is it made of?");
    this.answer.setAttribute("role", "status");
    const brush = this.card("Pointer", this.modes(["inspect", "paint", "erase"]), ...this.brushRows(1),
      make("p", { className: "note" }, "What you paint or erase at a noise level is healed on the way down. An erased pixel is pure noise."));
    return [
      make("div", { className: "column" }, this.card("Machine", this.machine, this.patch.row, this.label.row, ...this.canvasCard([28, 40, 56, 80])), brush, this.pictureCard()),
      make("div", { className: "column" }, this.card("Sources of a pixel", this.answer, this.list), ...this.saveCard()),
    ];
  }
  updateSigma(state) {
    Object.assign(this.value, { min: -1, max: 1 });
    this.fill(this.patch, [["", "of each level"], ...state.patches.map((n) => [String(n), `${n} × ${n}`])], state.patch === null ? "" : String(state.patch));
    this.patch.disabled = !state.patches.length;
    this.fill(this.label, [["", "all"], ...state.labels.map((n) => [String(n), String(n)])], state.label === null ? "" : String(state.label));
    this.label.disabled = !state.labels.length;
    if (!this.held) this.syncLevel(state.clock);
  }
  syncLevel(clock) {
    this.level.value = this.state.levels.indexOf(clock);
    this.level.show();
  }
  async inspect(view, row, column) {
    const { canvas, pin } = view, scale = canvas.clientWidth / canvas.width;
    this.views.forEach((one) => { one.pin.style.display = "none"; });
    Object.assign(pin.style, { display: "block", width: `${scale}px`, height: `${scale}px`, left: `${column * scale}px`, top: `${row * scale}px` });
    this.answer.textContent = "Looking through the training set …";
    try {
      const found = await askFor(`${this.number}/sources?row=${row}&column=${column}`);
      this.answer.textContent = `Pixel (${row}, ${column}) at σ = ${digits(found.sigma, 3)}: ${digits(found.effective, 3)} effective source patches of ${found.patches.toLocaleString("en")}, window ${found.window} × ${found.window}.`;
      this.list.replaceChildren(...found.sources.map((one) => this.source(one, found)));
      this.list.dataset.pixel = `${row},${column}`;
    } catch (error) { this.answer.textContent = error.message; }
  }
  source(one, { shape: [channels, height, width], window }) {
    const bytes = Uint8Array.from(atob(one.pixels), (c) => c.charCodeAt(0)), cells = height * width, scale = 4;
    const small = make("canvas", { width, height }), image = new ImageData(width, height);
    for (let i = 0; i < cells; i++) image.data.set([0, 1, 2].map((c) => bytes[i + (channels === 3 ? c : 0) * cells]).concat(255), 4 * i);
    small.getContext("2d").putImageData(image, 0, 0);
    const canvas = make("canvas", { width: scale * width, height: scale * height }), context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    context.strokeStyle = "#ff7a2f";
    context.lineWidth = 3;
    const r = Math.min(window, 2 * width) >> 1;
    context.strokeRect(scale * (one.column - r), scale * (one.row - r), scale * (2 * r + 1), scale * (2 * r + 1));
    context.fillStyle = "#ff7a2f";
    context.fillRect(scale * one.column, scale * one.row, scale, scale);
    const share = 100 * one.share, bar = make("i");
    bar.style.width = `${share}%`;
    return make("li", { dataset: { image: one.image, share: one.share } }, canvas, make("div", {}, `${share < 0.1 ? share.toExponential(1) : share.toFixed(1)}% of image ${one.image}${one.label === null ? "" : `, class ${one.label}`}`, make("div", { className: "share" }, bar)));
  }
}

(async () => {
  Object.assign(palettes, await askFor("palettes"));
  for (const [name, stops] of Object.entries(STOPS)) palettes[name] = blend(stops);
  const states = await askFor("sessions"), main = document.querySelector("#sessions");
  main.replaceChildren();
  main.classList.toggle("two", states.length > 1);
  window.sessions = states.map((state, number) => new Session(number, state));
})().catch((error) => { document.querySelector("#sessions").textContent = error.message; });
