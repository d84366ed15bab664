// Invisible: tells Python that the verification changed. See live.py.

const SHORTEST_GAP_MS = 80;

class Live {
  constructor({ parentElement }) {
    this.root = make("span", { hidden: true });
    // Streamlit's wrapper around nothing would still take the gap of one element.
    this.wrapper = parentElement.host?.closest('[data-testid="stElementContainer"]');
    if (this.wrapper) this.wrapper.style.display = "none";
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    if (data.verification === this.verification) return;
    this.verification = data.verification;
    this.stop();
    const url = `/live/${encodeURIComponent(data.verification)}`;
    this.stream = new ChangeStream(url, () => this.changed());
  }

  /** The first change is told at once; those within the gap are told as one, when it ends. */
  changed() {
    const gap = Math.max(0, (this.toldAt ?? -Infinity) + SHORTEST_GAP_MS - performance.now());
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.toldAt = performance.now();
      this.trigger("changed", Date.now());
    }, gap);
  }

  stop() {
    this.stream?.close();
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  close() {
    this.stop();
    // React may put another element into the same wrapper.
    if (this.wrapper) this.wrapper.style.display = "";
  }
}

export default (component) => mount(Live, component);
