// The headline of a verification. See verdict.py for the data.

// By the sign of the state (core/wording/marks.py): its class in verdict.css.
const STATES = {
  "◌": "pending",
  "●": "delivered",
  "✔": "verified",
  "◇": "unclear",
  "▽": "unknown",
  "▲": "failed",
  "✕": "failed",
  "■": "blocked",
};

class Verdict {
  constructor() {
    this.mark = make("span", { className: "mark" });
    this.words = make("span");
    this.heading = make("h2", { tabIndex: -1 }, this.mark, this.words);
    this.time = make("p", { className: "time" });
    this.facts = make("span");
    this.simulated = make("span", { className: "simulated" }, "simulated");
    this.detail = make("p", { className: "detail" });
    this.root = make(
      "div",
      { className: "root" },
      make(
        "div",
        { className: "verdict" },
        this.heading,
        make(
          "div",
          { className: "facts" },
          this.time,
          make("p", { className: "quiet" }, this.facts, this.simulated),
        ),
      ),
      this.detail,
    );
  }

  update({ data }) {
    if (data === this.data) return;
    const before = this.data;
    this.data = data;
    this.root.className = `root ${STATES[data.mark] ?? ""}`;
    write(this.mark, data.mark ? `${data.mark} ` : "");
    write(this.words, data.headline);
    write(this.time, data.time);
    write(this.facts, data.facts);
    this.simulated.hidden = !data.simulated;
    write(this.detail, data.detail);
    if (!data.is_final) return;
    // The field that had the focus is removed. On a page that was opened with the verdict, no element
    // has the focus.
    if (before && !before.is_final) this.show();
    else if (!before && document.activeElement === document.body) this.focus();
  }

  show() {
    this.heading.scrollIntoView({ block: "nearest" });
    this.focus();
    // Other changes of the same run may move it, or remove the element that has the focus.
    setTimeout(() => {
      this.heading.scrollIntoView({ block: "nearest" });
      if (document.activeElement === document.body) this.focus();
    }, 300);
  }

  focus() {
    this.heading.focus({ preventScroll: true });
  }

  close() {}
}

export default (component) => mount(Verdict, component);
