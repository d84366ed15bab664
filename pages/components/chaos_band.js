// What chaos of the sandbox does, on every page while it is on. See chaos_band.py.

const MARK = "chaos";

class ChaosBand {
  constructor() {
    this.words = make("span");
    this.link = make("a", { href: "/qa?qa_view=chaos", textContent: "Show" });
    this.button = make("button", { type: "button", textContent: "Turn off" });
    this.button.setAttribute("aria-label", "Turn off chaos");
    this.text = make("p", {}, make("b", { textContent: "Chaos is on: " }), this.words);
    this.band = make("div", { className: "band", hidden: true }, this.text, this.link, this.button);
    // A live region that is always there: what is put into it is announced.
    this.root = make("div", { className: "root", role: "status" }, this.band);
    this.button.addEventListener("click", () => {
      this.show("");
      this.trigger("turn_off", Date.now());
    });
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    this.link.hidden = this.button.hidden = !data.may_turn_off;
    if (this.stream) return;
    this.show(data.words);
    this.stream = new ChangeStream("/live-chaos", (message) => {
      if (message) this.show(JSON.parse(message).words);
    });
  }

  show(words) {
    write(this.words, words);
    this.text.title = words;
    this.band.hidden = !words;
    document.documentElement.toggleAttribute(`data-${MARK}`, Boolean(words));
  }

  close() {
    this.stream?.close();
    document.documentElement.removeAttribute(`data-${MARK}`);
  }
}

export default (component) => mount(ChaosBand, component);
