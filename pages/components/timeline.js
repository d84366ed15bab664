// A row of dots for each attempt. See timeline.py for the data.

// The shape of each state is in timeline.css; the word is for screen readers.
const STATE_WORDS = {
  done: "done",
  verified: "verified",
  now: "in progress",
  waiting: "not yet",
  bad: "ended",
  unclear: "unclear",
  unknown: "unknown",
  undelivered: "not delivered",
  failed: "failed",
  rejected: "refused",
};

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 1,
  timeZoneName: "short",
});

class Step {
  constructor() {
    this.gap = make("span", { className: "gap quiet", "aria-hidden": "true" });
    this.mark = make("span", { className: "mark", "aria-hidden": "true" });
    this.label = make("span", { className: "label" });
    this.state = make("span", { className: "spoken" });
    this.note = make("span", { className: "note quiet" });
    this.parts = [this.mark, this.label, this.state, this.note];
    this.element = make("li", {}, this.gap);
  }

  draw(step, isMarked) {
    this.id = step.id;
    const tag = step.is_linked ? "BUTTON" : "SPAN";
    if (this.body?.tagName !== tag) this.replaceBody(tag);
    this.element.className = `${step.state}${isMarked ? " marked" : ""}`;
    const later = step.gap ? `, ${step.gap} later` : "";
    write(this.gap, step.gap);
    write(this.label, step.label);
    write(this.state, `, ${STATE_WORDS[step.state]}${later}. `);
    write(this.note, step.note);
    const at = step.at_ms === null ? "" : clockTime.format(step.at_ms);
    this.element.title = [at, step.note].filter(Boolean).join(" · ");
  }

  replaceBody(tag) {
    const hadFocus = this.body?.matches(":focus");
    this.body?.remove();
    this.body = make(tag, { className: "body" }, ...this.parts);
    if (tag === "BUTTON") {
      this.body.type = "button";
      this.body.addEventListener("click", () => announceLink(STEP_OPENED, this.id));
    }
    this.element.append(this.body);
    if (hadFocus) this.body.focus();
  }
}

class Row {
  constructor(open) {
    this.open = open;
    this.steps = [];
    this.offset = make("span", { className: "quiet" });
    this.head = make("div", { className: "head" });
    this.list = make("ol", { className: "steps" });
    this.total = make("div", { className: "total" });
    this.element = make("li", { className: "row" }, this.head, this.list, this.total);
  }

  draw(row, marked) {
    if (row.label !== this.label || row.href !== this.href) this.drawHead(row);
    write(this.offset, row.offset);
    write(this.total, row.total && (row.is_newest ? `${row.total} in total` : `ends at ${row.total}`));
    this.total.classList.toggle("quiet", !row.is_newest);
    // The dots are reused, so that colours and lines can change by a transition.
    while (this.steps.length < row.steps.length) {
      const step = new Step();
      this.steps.push(step);
      this.list.append(step.element);
    }
    for (const step of this.steps.splice(row.steps.length)) step.element.remove();
    row.steps.forEach((step, n) => this.steps[n].draw(step, step.id && step.id === marked));
  }

  drawHead({ label, href, attempt }) {
    [this.label, this.href] = [label, href];
    const name = href
      ? make("a", { className: "name", href, title: "Open this attempt" }, label)
      : make("span", { className: "name" }, label);
    name.addEventListener("click", (event) => {
      // Any other click opens a new tab or window, as on every link.
      if (!href || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(attempt);
    });
    this.head.replaceChildren(name, this.offset);
    this.list.setAttribute("aria-label", label);
  }
}

class Timeline {
  constructor() {
    this.rows = [];
    this.list = make("ol", { className: "rows", "aria-label": "Timeline" });
    this.fold = make("button", { className: "fold quiet", type: "button", hidden: true });
    this.fold.addEventListener("click", () => {
      this.isUnfolded = !this.isUnfolded;
      this.draw();
    });
    this.spoken = make("p", { className: "spoken", role: "status" });
    this.root = make("div", { className: "root" }, this.fold, this.list, this.spoken);
    this.mark = ({ detail }) => {
      this.marked = detail;
      this.draw();
    };
    this.focus = ({ detail }) => {
      this.isUnfolded = true;
      this.mark({ detail });
      const steps = this.rows.flatMap((row) => row.steps);
      const body = steps.find((step) => step.id === detail)?.body;
      body?.scrollIntoView({ block: "nearest" });
      body?.focus({ preventScroll: true });
    };
    window.addEventListener(EXCHANGE_OPENED, this.mark);
    window.addEventListener(STEP_WANTED, this.focus);
  }

  update({ data, setTriggerValue }) {
    this.open = (attempt) => setTriggerValue("opened", attempt);
    if (data === this.data) return;
    const before = this.data;
    this.data = data;
    this.draw();
    if (before) this.announce(before.rows);
  }

  draw() {
    const { rows, folded } = this.data;
    this.list.style.setProperty("--steps", Math.max(...rows.map((row) => row.steps.length)));
    while (this.rows.length < rows.length) {
      const row = new Row((attempt) => this.open(attempt));
      this.rows.push(row);
      this.list.append(row.element);
    }
    for (const row of this.rows.splice(rows.length)) row.element.remove();
    rows.forEach((row, n) => {
      this.rows[n].draw(row, this.marked);
      this.rows[n].element.hidden = n < folded && !this.isUnfolded;
    });
    this.fold.hidden = !folded;
    this.fold.setAttribute("aria-expanded", Boolean(this.isUnfolded));
    write(this.fold, `${folded} earlier attempts`);
  }

  announce(before) {
    const words = this.data.rows.flatMap((row, n) => {
      const old = before[n]?.steps ?? [];
      const news = row.steps.filter((step, k) => {
        const same = old[k] && old[k].label === step.label && old[k].state === step.state;
        return step.state !== "waiting" && !same;
      });
      const parts = news.map((s) => `${s.label}, ${STATE_WORDS[s.state]}. ${s.note}`.trim());
      return parts.length ? `${row.label}: ${parts.join(" ")}` : [];
    });
    if (words.length) write(this.spoken, words.join(" "));
  }

  close() {
    window.removeEventListener(EXCHANGE_OPENED, this.mark);
    window.removeEventListener(STEP_WANTED, this.focus);
  }
}

export default (component) => mount(Timeline, component);
