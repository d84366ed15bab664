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

  /** Many changes at once wake the page once: at the end of the gap, so the last one is seen. */
  changed() {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.trigger("changed", Date.now());
    }, SHORTEST_GAP_MS);
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
