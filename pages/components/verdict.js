// The headline of a verification. See verdict.py for the data.

class Verdict {
  constructor() {
    this.mark = make("span");
    this.words = make("span");
    this.heading = make("h2", { tabIndex: -1 }, this.mark, this.words);
    this.detail = make("p");
    this.root = make("div", { className: "root" }, this.heading, this.detail);
  }

  update({ data }) {
    if (data === this.data) return;
    const before = this.data;
    this.data = data;
    this.root.className = `root ${data.tone}`;
    this.mark.className = data.mark === "●" ? "delivered" : "";
    write(this.mark, data.mark ? `${data.mark} ` : "");
    write(this.words, data.headline);
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
