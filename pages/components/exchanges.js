// A log of the exchanges with Plivo: closed, then a line each, then its parts. See exchanges.py.

const COPIED_MS = 2000;

/** The text of the selected tab, and a button that copies it. */
class Parts {
  constructor() {
    this.tabs = make("div", { className: "tabs", role: "tablist", "aria-label": "Parts" });
    this.code = make("code");
    this.panel = make("pre", { role: "tabpanel", tabIndex: 0 }, this.code);
    this.copy = make("button", { className: "copy", type: "button" }, "Copy");
    this.copy.addEventListener("click", () => this.copyText());
    const bar = make("div", { className: "bar" }, this.tabs, this.copy);
    this.element = make("div", { className: "parts" }, bar, this.panel);
    this.tabs.addEventListener("keydown", (event) => this.move(event));
  }

  draw(parts) {
    this.parts = parts;
    this.buttons = parts.map(({ name }) => {
      const tab = make("button", { type: "button", role: "tab" }, name);
      tab.addEventListener("click", () => this.select(name));
      return tab;
    });
    this.tabs.replaceChildren(...this.buttons);
    this.select(this.selected ?? parts[0].name);
  }

  select(name) {
    const n = Math.max(0, this.parts.findIndex((part) => part.name === name));
    this.selected = this.parts[n].name;
    this.buttons.forEach((tab, k) => {
      tab.setAttribute("aria-selected", k === n);
      tab.tabIndex = k === n ? 0 : -1;
    });
    this.panel.setAttribute("aria-label", this.selected);
    write(this.code, this.parts[n].text);
  }

  move(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const n = this.parts.findIndex((part) => part.name === this.selected);
    const next = (n + by + this.parts.length) % this.parts.length;
    this.select(this.parts[next].name);
    this.buttons[next].focus();
  }

  async copyText() {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
      write(this.copy, "Copied");
    } catch {
      // Without https the browser has no clipboard for a page: select the text instead.
      getSelection().selectAllChildren(this.code);
      write(this.copy, "Selected");
    }
    setTimeout(() => write(this.copy, "Copy"), COPIED_MS);
  }
}

class Line {
  constructor() {
    const cell = (name) => make("span", { className: name });
    this.cells = {
      time: cell("time"), direction: cell("direction"), what: cell("what"),
      status: cell("status"), span: cell("span"), mode: cell("mode"),
    }; // prettier-ignore
    this.head = make("button", { className: "head", type: "button" }, ...Object.values(this.cells));
    this.step = make("button", { className: "step quiet", type: "button" });
    this.parts = new Parts();
    this.element = make("li", {}, this.head, this.step, this.parts.element);
    this.head.addEventListener("click", () => this.toggle(!this.isOpen));
    this.step.addEventListener("click", () => announceLink(STEP_WANTED, this.line.steps[0]));
    this.toggle(false);
  }

  draw(line) {
    this.line = line;
    const { time, direction, what, status, span, mode } = this.cells;
    write(time, `+${(line.after_ms / 1000).toFixed(3)} s`);
    write(direction, line.is_request ? "→ Plivo" : "← Plivo");
    write(what, line.what);
    write(status, line.status);
    status.classList.toggle("wrong", !/^[23]/.test(line.status));
    write(span, `${line.span_ms} ms`);
    write(mode, line.is_simulated ? "simulated" : "");
    write(this.step, line.step_label);
    this.step.hidden = !line.step_label;
    this.step.title = "Show this step on the timeline";
    this.parts.draw(line.tabs);
  }

  toggle(isOpen) {
    this.isOpen = isOpen;
    this.head.setAttribute("aria-expanded", isOpen);
    this.parts.element.hidden = !isOpen;
    if (isOpen && this.line) announceLink(EXCHANGE_OPENED, this.line.steps[0]);
  }
}

class Exchanges {
  constructor() {
    this.lines = new Map();
    this.count = make("span", { className: "quiet" });
    this.toggle = make("button", { className: "toggle", type: "button" }, "Behind the scenes", this.count);
    this.list = make("ol", { "aria-label": "Exchanges with Plivo" });
    this.empty = make(
      "p", { className: "quiet" },
      "Nothing yet. Each request to Plivo and each callback from it appears here.",
    ); // prettier-ignore
    this.panel = make("div", { className: "panel" }, this.empty, this.list);
    this.root = make("div", { className: "root" }, this.toggle, this.panel);
    this.toggle.addEventListener("click", () => this.show(this.panel.hidden));
    this.show(false);
    this.openStep = ({ detail }) => {
      const line = this.drawn.find((one) => one.line.steps.includes(detail));
      if (!line) return;
      this.show(true);
      line.toggle(true);
      for (const one of this.drawn) one.element.classList.toggle("marked", one === line);
      line.element.scrollIntoView({ block: "nearest" });
      line.head.focus({ preventScroll: true });
    };
    window.addEventListener(STEP_OPENED, this.openStep);
  }

  update({ data }) {
    if (data === this.data) return;
    this.data = data;
    // A line keeps its element, and with it the focus and the open tab, where others come before it.
    const before = this.lines;
    this.lines = new Map();
    const seen = {};
    this.drawn = data.map((line) => {
      const name = `${line.after_ms} ${line.what}`;
      seen[name] = (seen[name] ?? 0) + 1;
      const key = `${name} ${seen[name]}`;
      const element = before.get(key) ?? new Line();
      this.lines.set(key, element);
      if (JSON.stringify(element.line) !== JSON.stringify(line)) element.draw(line);
      return element;
    });
    for (const [key, line] of before) if (!this.lines.has(key)) line.element.remove();
    this.drawn.forEach(({ element }, n) => {
      if (this.list.children[n] !== element) this.list.insertBefore(element, this.list.children[n] ?? null);
    });
    const isSimulated = data.length > 0 && data.every((line) => line.is_simulated);
    const noun = data.length === 1 ? "exchange" : "exchanges";
    write(this.count, `${data.length} ${noun} with ${isSimulated ? "the sandbox, simulated" : "Plivo"}`);
    this.empty.hidden = data.length > 0;
  }

  show(isOpen) {
    this.panel.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", isOpen);
  }

  close() {
    window.removeEventListener(STEP_OPENED, this.openStep);
  }
}

export default (component) => mount(Exchanges, component);
