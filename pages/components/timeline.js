// Dots on a line. See timeline.py for the data.

// The shape of each state is in timeline.css; the word is for screen readers.
const STATE_WORDS = {
  done: "done",
  verified: "verified",
  now: "in progress",
  waiting: "not yet",
  bad: "ended",
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

class Dot {
  constructor() {
    this.gap = make("span", { className: "gap quiet" });
    this.mark = make("span", { className: "mark", "aria-hidden": "true" });
    this.label = make("span", { className: "label" });
    this.state = make("span", { className: "spoken" });
    this.note = make("span", { className: "note quiet" });
    const text = make("span", { className: "text" }, this.label, this.state, this.note);
    this.element = make("li", {}, this.gap, this.mark, text);
  }

  draw(step) {
    this.element.className = step.state;
    write(this.gap, step.gap);
    write(this.label, step.label);
    write(this.state, `, ${STATE_WORDS[step.state]}. `);
    write(this.note, step.note);
    this.element.title = step.at_ms === null ? "" : clockTime.format(step.at_ms);
  }
}

class Timeline {
  constructor() {
    this.dots = [];
    this.list = make("ol", { "aria-label": "Timeline" });
    this.spoken = make("p", { className: "spoken", role: "status" });
    this.root = make("div", { className: "root" }, this.list, this.spoken);
  }

  update({ data }) {
    if (data === this.steps) return;
    const before = this.steps;
    this.steps = data;
    this.root.style.setProperty("--steps", data.length);
    // The dots are reused, so that colours and lines can change by a transition.
    while (this.dots.length < data.length) {
      const dot = new Dot();
      this.dots.push(dot);
      this.list.append(dot.element);
    }
    for (const dot of this.dots.splice(data.length)) dot.element.remove();
    data.forEach((step, n) => this.dots[n].draw(step));
    if (before) this.announce(before);
  }

  announce(before) {
    const news = this.steps.filter((step, n) => {
      const old = before[n];
      const same = old && old.label === step.label && old.state === step.state;
      return step.state !== "waiting" && !same;
    });
    const words = news.map((step) => `${step.label}, ${STATE_WORDS[step.state]}. ${step.note}`);
    if (words.length) write(this.spoken, words.join(" "));
  }

  close() {}
}

export default (component) => mount(Timeline, component);
