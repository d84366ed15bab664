// A button that copies a text. See copy_button.py.

const COPIED_MS = 2000;

class CopyButton {
  constructor() {
    this.button = make("button", { type: "button", className: "copy" });
    this.status = make("span", { className: "spoken", role: "status" });
    // Without https the browser has no clipboard for a page: the text is shown, selected.
    this.text = make("textarea", { readOnly: true, hidden: true, rows: 6 });
    this.root = make("div", { className: "root" }, this.button, this.text, this.status);
    this.button.addEventListener("click", () => this.copy());
  }

  update({ data }) {
    this.data = data;
    write(this.button, data.label);
    this.text.setAttribute("aria-label", data.label);
    this.text.value = data.text;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.data.text);
      this.announce("Copied");
    } catch {
      this.text.hidden = false;
      this.text.select();
      this.announce("Selected: press Ctrl+C");
    }
  }

  announce(words) {
    write(this.button, words);
    write(this.status, words);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      write(this.button, this.data.label);
      write(this.status, "");
    }, COPIED_MS);
  }

  close() {
    clearTimeout(this.timer);
  }
}

export default (component) => mount(CopyButton, component);
